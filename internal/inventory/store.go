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

// Kinds returns the kinds that discovery writes; a kind comes before those that refer to it.
func Kinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for _, kind := range []string{"Mesh", "Workload", "Destination"} {
		kinds = append(kinds, discoveryv1.GroupVersion().WithKind(kind))
	}
	return kinds
}

// ReadDiscovered reads the stored objects of Kinds in a namespace of the management cluster.
// For errors see ReadStored.
func ReadDiscovered(ctx context.Context, c *kube.Connection, namespace string) (*Stored, error) {
	return ReadStored(ctx, c, namespace, Kinds())
}

// PlanDiscovered plans the changes that make the stored objects match the discovered ones.
// With prune, it plans to delete stored objects that no longer exist in clusters that were
// read completely. It returns an error if a discovered object cannot be encoded.
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

// discovered combines the discovered objects with the stored ones.
type discovered struct {
	clusters []Cluster
	stored   *Stored
}

// seen returns the names of the clusters that were read completely.
func (d *discovered) seen() []string {
	var names []string
	for i := range d.clusters {
		if d.clusters[i].Complete() {
			names = append(names, d.clusters[i].Name)
		}
	}
	return names
}

// isStale reports whether a stored object no longer exists: all clusters that it belongs to
// were read completely, and none of them has it.
func (d *discovered) isStale(object *unstructured.Unstructured) bool {
	about := appMeshClusters(object)
	if cluster := object.GetLabels()[discovery.ClusterLabel]; cluster != "" {
		about = []string{cluster}
	}
	seen := d.seen()
	return len(about) > 0 && !slices.ContainsFunc(about, func(cluster string) bool { return !slices.Contains(seen, cluster) })
}

// keepUnseenClusters adds to each App Mesh the stored clusters that were not read completely
// this time.
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

// Manifests returns the discovered objects as manifests: meshes, workloads and destinations,
// each sorted by name. It returns an error if an object cannot be encoded.
func Manifests(out discovery.Output) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	add := func(resource any) error {
		// JSON has one type of integer, the one that clusters return; the converter of the client
		// libraries has several.
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
