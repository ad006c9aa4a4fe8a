// Package world holds the immutable model that other packages work on: the
// meshes, workloads, destinations and policies of all clusters, sorted and
// indexed once. The same objects give the same world in whatever order they were
// loaded.
package world

import (
	"cmp"
	"slices"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// DefaultNamespace is the default namespace of meshctl's own resources (design,
// section 4).
const DefaultNamespace = "gloo-mesh"

// defaultClusterDomain is the default DNS domain of a cluster.
const defaultClusterDomain = "cluster.local"

// World is an immutable view of all clusters. Slices are sorted: networking
// resources by namespace and name, discovered ones by namespace, name and
// cluster. Callers must not modify anything in it.
type World struct {
	// VirtualMeshes, TrafficPolicies and AccessPolicies include objects that
	// violate their schema; see Object.Errors.
	VirtualMeshes   []Object[networkingv1.VirtualMesh]
	TrafficPolicies []Object[networkingv1.TrafficPolicy]
	AccessPolicies  []Object[networkingv1.AccessPolicy]

	// Meshes, Workloads and Destinations hold only objects that match their
	// schema. A position in these slices identifies the object.
	Meshes       []Mesh
	Workloads    []Workload
	Destinations []Destination

	// Settings is the effective Settings object; nil if there is none.
	Settings *settingsv1.Settings

	// Problems lists unusable input, sorted by origin.
	Problems []Problem
	// Ignored counts objects of kinds that meshctl does not model.
	Ignored int

	meshes         map[core.ObjectRef]int
	services       map[core.ClusterObjectRef]int
	clusterDomains map[string]string
	clusters       map[string]bool
	destinations   index
	workloads      index
}

// New builds a world from objects, which it does not modify.
func New(objects Objects) *World {
	w := &World{
		VirtualMeshes:   sortedObjects(objects.VirtualMeshes, metaOfVirtualMesh),
		TrafficPolicies: sortedObjects(objects.TrafficPolicies, metaOfTrafficPolicy),
		AccessPolicies:  sortedObjects(objects.AccessPolicies, metaOfAccessPolicy),
		Settings:        chooseSettings(objects.Settings),
		Problems:        slices.Clone(objects.Problems),
		Ignored:         objects.Ignored,
		clusterDomains:  clusterDomains(objects.KubernetesClusters),
		clusters:        map[string]bool{},
	}
	for name := range w.clusterDomains {
		w.clusters[name] = true
	}
	w.addMeshes(objects.Meshes)
	w.recallTrustDomains()
	w.addWorkloads(objects.Workloads)
	w.addDestinations(objects.Destinations)
	w.linkBackings()
	slices.SortStableFunc(w.Problems, compareProblems)
	return w
}

// MeshByRef returns the mesh of that name and namespace, nil if there is none.
func (w *World) MeshByRef(ref core.ObjectRef) *Mesh {
	if i, ok := w.meshes[ref]; ok {
		return &w.Meshes[i]
	}
	return nil
}

// Service returns the Destination of a Kubernetes Service, nil if it was not
// discovered.
func (w *World) Service(ref core.ClusterObjectRef) *Destination {
	if i, ok := w.services[ref]; ok {
		return &w.Destinations[i]
	}
	return nil
}

// ClusterDomain returns the DNS domain of a cluster; cluster.local by default.
func (w *World) ClusterDomain(cluster string) string {
	if domain := w.clusterDomains[cluster]; domain != "" {
		return domain
	}
	return defaultClusterDomain
}

// HasCluster reports whether the world knows a cluster.
func (w *World) HasCluster(cluster string) bool { return w.clusters[cluster] }

// Clusters returns the names of all clusters in ascending order.
func (w *World) Clusters() []string { return sortedKeys(w.clusters) }

// DestinationsWithin returns the positions of the Services that belong to one
// of the clusters and one of the namespaces and carry the labels, in ascending
// order; an empty argument does not restrict.
func (w *World) DestinationsWithin(clusters, namespaces []string, labels map[string]string) []int {
	return w.destinations.within(clusters, namespaces, labels, func(i int) bool {
		d := &w.Destinations[i]
		return matchesList(clusters, d.Ref.ClusterName) && matchesList(namespaces, d.Ref.Namespace) && HasLabels(d.Labels, labels)
	})
}

// WorkloadsWithin returns the positions of the workloads that run in one of
// the clusters and one of the namespaces and whose pods carry the labels, in
// ascending order; an empty argument does not restrict.
func (w *World) WorkloadsWithin(clusters, namespaces []string, labels map[string]string) []int {
	return w.workloads.within(clusters, namespaces, labels, func(i int) bool {
		wl := &w.Workloads[i]
		return matchesList(clusters, wl.Cluster) && matchesList(namespaces, wl.Namespace) && HasLabels(wl.Labels, labels)
	})
}

// linkBackings finds the workloads behind every Service: same cluster and
// namespace, and pod labels that match a non-empty selector.
func (w *World) linkBackings() {
	for i := range w.Destinations {
		d := &w.Destinations[i]
		if !d.IsService() || len(d.Selector) == 0 {
			continue
		}
		for _, k := range w.workloads.inScope(scope{d.Ref.ClusterName, d.Ref.Namespace}, d.Selector) {
			if wl := &w.Workloads[k]; HasLabels(wl.Labels, d.Selector) {
				d.Backing = append(d.Backing, k)
				wl.Backs = append(wl.Backs, i)
			}
		}
	}
}

// SettingsOf returns the effective Settings of the objects; nil if there are
// none. Discovery needs them before a world exists.
func SettingsOf(objects Objects) *settingsv1.Settings { return chooseSettings(objects.Settings) }

func chooseSettings(all []Object[settingsv1.Settings]) *settingsv1.Settings {
	sorted := sortedObjects(all, metaOfSettings)
	// The API documents `settings` in the default namespace; otherwise a single
	// Settings object is unambiguous.
	for _, s := range sorted {
		if len(s.Errors) == 0 && s.Resource.Name == "settings" && s.Resource.Namespace == DefaultNamespace {
			return s.Resource
		}
	}
	for _, s := range sorted {
		if len(s.Errors) == 0 {
			return s.Resource
		}
	}
	return nil
}

func clusterDomains(all []Object[multiclusterv1alpha1.KubernetesCluster]) map[string]string {
	domains := map[string]string{}
	for _, c := range sortedObjects(all, metaOfCluster) {
		if _, known := domains[c.Resource.Name]; !known || c.Resource.Namespace == DefaultNamespace {
			domains[c.Resource.Name] = c.Resource.Spec.ClusterDomain
		}
	}
	return domains
}

func compareProblems(a, b Problem) int {
	return cmp.Or(
		strings.Compare(a.Origin.File, b.Origin.File),
		cmp.Compare(a.Origin.Document, b.Origin.Document),
		cmp.Compare(a.Origin.Item, b.Origin.Item),
		strings.Compare(a.Message, b.Message),
	)
}
