package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Kinds are the kinds that discovery writes, those that others refer
// to first.
func Kinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for _, kind := range []string{"Mesh", "Workload", "Destination"} {
		kinds = append(kinds, discoveryv1.GroupVersion().WithKind(kind))
	}
	return kinds
}

// ReadDiscovered reads what a namespace of the management cluster has of the Kinds.
func ReadDiscovered(ctx context.Context, c *kube.Connection, namespace string) (*Stored, error) {
	return ReadStored(ctx, c, namespace, Kinds())
}

// PlanDiscovered plans how to make the stored objects those that were found. With
// prune, objects of clusters that were seen completely and do not have them any more
// are removed.
func (s *Stored) PlanDiscovered(found []Cluster, prune bool) (*Plan, error) {
	d := &discovered{clusters: found, stored: s}
	out := Merge(found)
	d.keepUnseenClusters(&out)
	d.keepTrustDomains(&out)
	objects, err := Manifests(out)
	if err != nil {
		return nil, err
	}
	opts := Options{Owner: map[string]string{discovery.OwnerLabel: s.namespace}, GroupLabel: discovery.ClusterLabel}
	if prune {
		opts.Stale = d.isStale
	}
	return s.Plan(objects, opts), nil
}

// discovered is what was found, next to what is stored.
type discovered struct {
	clusters []Cluster
	stored   *Stored
}

// seen returns the names of the clusters that were seen completely.
func (d *discovered) seen() []string {
	var names []string
	for i := range d.clusters {
		if d.clusters[i].Complete() {
			names = append(names, d.clusters[i].Name)
		}
	}
	return names
}

// isStale reports whether a stored object stands for nothing any more: all
// clusters that it is about were seen completely, and none has it.
func (d *discovered) isStale(object *unstructured.Unstructured) bool {
	about := appMeshClusters(object)
	if cluster := object.GetLabels()[discovery.ClusterLabel]; cluster != "" {
		about = []string{cluster}
	}
	seen := d.seen()
	return len(about) > 0 && !slices.ContainsFunc(about, func(cluster string) bool { return !slices.Contains(seen, cluster) })
}

// keepUnseenClusters adds to each App Mesh the clusters that it had and that
// were not seen this time.
func (d *discovered) keepUnseenClusters(out *discovery.Output) {
	for i := range out.Meshes {
		mesh := &out.Meshes[i]
		if mesh.Spec.AWSAppMesh == nil {
			continue
		}
		stored := d.stored.Object(kube.ObjectKey{GVK: Kinds()[0], Namespace: mesh.Namespace, Name: mesh.Name})
		mesh.Spec.AWSAppMesh = d.withUnseenClusters(mesh.Spec.AWSAppMesh, stored)
	}
}

func (d *discovered) withUnseenClusters(mesh *discoveryv1.AWSAppMesh, stored *unstructured.Unstructured) *discoveryv1.AWSAppMesh {
	shared := *mesh
	shared.Clusters = slices.Clone(shared.Clusters)
	seen := d.seen()
	for _, cluster := range appMeshClusters(stored) {
		if !slices.Contains(seen, cluster) {
			shared.Clusters = append(shared.Clusters, cluster)
		}
	}
	slices.Sort(shared.Clusters)
	shared.Clusters = slices.Compact(shared.Clusters)
	return &shared
}

// appMeshClusters returns the clusters of a stored App Mesh.
func appMeshClusters(object *unstructured.Unstructured) []string {
	if object == nil {
		return nil
	}
	names, _, _ := unstructured.NestedStringSlice(object.Object, "spec", "awsAppMesh", "clusters")
	return names
}

// Manifests returns manifests of what was found: meshes, workloads and
// destinations, each by name.
func Manifests(out discovery.Output) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	add := func(resource any) error {
		// Unlike the converter of client libraries, JSON has one kind of integers,
		// the one that clusters print.
		text, err := json.Marshal(resource)
		object := &unstructured.Unstructured{}
		if err == nil {
			err = object.UnmarshalJSON(text)
		}
		if err != nil {
			return fmt.Errorf("create a manifest of a discovered object: %w", err)
		}
		delete(object.Object, "status")
		unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
		objects = append(objects, object)
		return nil
	}
	for i := range out.Meshes {
		if err := add(&out.Meshes[i]); err != nil {
			return nil, err
		}
	}
	for i := range out.Workloads {
		if err := add(&out.Workloads[i]); err != nil {
			return nil, err
		}
	}
	for i := range out.Destinations {
		if err := add(&out.Destinations[i]); err != nil {
			return nil, err
		}
	}
	return objects, nil
}
