package load

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	meshdiscovery "github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// Combine merges the objects of several sources, such as files and clusters, in the given
// order. It returns an error if an object occurs in two sources; the error names both places.
func Combine(sources ...world.Objects) (world.Objects, error) {
	a := &assembler{origins: map[objectID]world.Origin{}}
	for _, source := range sources {
		for _, e := range entriesFrom(source) {
			a.addEntry(e)
		}
		a.objects.Problems = append(a.objects.Problems, source.Problems...)
		a.objects.Ignored += source.Ignored
	}
	return a.objects, a.duplicateError()
}

// ReplaceDiscovered merges the objects stored in the management cluster with those discovered
// just now. Stored meshes, workloads and destinations of the discovered clusters are replaced;
// those of other clusters are kept. It returns an error if an object occurs twice in the
// result.
func ReplaceDiscovered(stored, fresh world.Objects, discovered []string) (world.Objects, error) {
	replaced := map[objectID]bool{}
	for _, e := range entriesFrom(fresh) {
		replaced[e.id] = true
	}
	stored.Meshes = without(stored.Meshes, "Mesh", replaced, discovered, func(m *discoveryv1.Mesh) string {
		// A mesh that spans several clusters is kept until discovery finds it again.
		return world.MeshCluster(m.Spec)
	})
	stored.Workloads = without(stored.Workloads, "Workload", replaced, discovered, func(w *discoveryv1.Workload) string {
		if k := w.Spec.Kubernetes; k != nil && k.Controller != nil {
			return k.Controller.ClusterName
		}
		return ""
	})
	stored.Destinations = without(stored.Destinations, "Destination", replaced, discovered, func(d *discoveryv1.Destination) string {
		if s := d.Spec.KubeService; s != nil && s.Ref != nil {
			return s.Ref.ClusterName
		}
		return ""
	})
	return Combine(stored, fresh)
}

// without returns the objects except those that are replaced and those of the discovered
// clusters. The cluster of an object is the value of its cluster label, or else the result of
// clusterOf.
func without[T any, P resource[T]](
	objects []world.Object[T], kind string, replaced map[objectID]bool, discovered []string, clusterOf func(*T) string,
) []world.Object[T] {
	return slices.DeleteFunc(slices.Clone(objects), func(o world.Object[T]) bool {
		meta := P(o.Resource).GetObjectMeta()
		cluster := meta.GetLabels()[meshdiscovery.ClusterLabel]
		if cluster == "" {
			cluster = clusterOf(o.Resource)
		}
		return replaced[idOf(kind, meta)] || slices.Contains(discovered, cluster)
	})
}

// authoredKinds returns the kinds that users write, as opposed to those that discovery or
// registration create.
func authoredKinds() []string { return []string{"VirtualMesh", "TrafficPolicy", "AccessPolicy"} }

// Split separates the objects that users write (VirtualMeshes, TrafficPolicies and
// AccessPolicies) from all others. The problems of all objects go with the authored ones.
func Split(o world.Objects) (authored, environment world.Objects) {
	for _, e := range entriesFrom(o) {
		if slices.Contains(authoredKinds(), e.id.kind) {
			e.store(&authored)
		} else {
			e.store(&environment)
		}
	}
	authored.Problems, authored.Ignored = o.Problems, o.Ignored
	return authored, environment
}

// Replace returns o with the objects of by added. An object of by replaces the object of o
// with the same kind, namespace and name.
func Replace(o, by world.Objects) world.Objects {
	newer := map[objectID]bool{}
	for _, e := range entriesFrom(by) {
		newer[e.id] = true
	}
	replaced := world.Objects{Problems: slices.Concat(o.Problems, by.Problems), Ignored: o.Ignored + by.Ignored}
	for _, e := range entriesFrom(o) {
		if !newer[e.id] {
			e.store(&replaced)
		}
	}
	for _, e := range entriesFrom(by) {
		e.store(&replaced)
	}
	return replaced
}

// entriesFrom returns the objects as entries, without their problems.
func entriesFrom(o world.Objects) []entry {
	return slices.Concat(
		entriesFromKind("VirtualMesh", o.VirtualMeshes, func(into *world.Objects) *[]world.Object[networkingv1.VirtualMesh] { return &into.VirtualMeshes }),
		entriesFromKind("TrafficPolicy", o.TrafficPolicies, func(into *world.Objects) *[]world.Object[networkingv1.TrafficPolicy] { return &into.TrafficPolicies }),
		entriesFromKind("AccessPolicy", o.AccessPolicies, func(into *world.Objects) *[]world.Object[networkingv1.AccessPolicy] { return &into.AccessPolicies }),
		entriesFromKind("Mesh", o.Meshes, func(into *world.Objects) *[]world.Object[discoveryv1.Mesh] { return &into.Meshes }),
		entriesFromKind("Workload", o.Workloads, func(into *world.Objects) *[]world.Object[discoveryv1.Workload] { return &into.Workloads }),
		entriesFromKind("Destination", o.Destinations, func(into *world.Objects) *[]world.Object[discoveryv1.Destination] { return &into.Destinations }),
		entriesFromKind("Settings", o.Settings, func(into *world.Objects) *[]world.Object[settingsv1.Settings] { return &into.Settings }),
		entriesFromKind("KubernetesCluster", o.KubernetesClusters, func(into *world.Objects) *[]world.Object[multiclusterv1alpha1.KubernetesCluster] {
			return &into.KubernetesClusters
		}),
	)
}

func entriesFromKind[T any, P resource[T]](kind string, objects []world.Object[T], list func(*world.Objects) *[]world.Object[T]) []entry {
	entries := make([]entry, 0, len(objects))
	for _, o := range objects {
		entries = append(entries, entry{
			origin: o.Origin, id: idOf(kind, P(o.Resource).GetObjectMeta()),
			store: func(into *world.Objects) {
				target := list(into)
				*target = append(*target, o)
			},
		})
	}
	return entries
}

func idOf(kind string, meta metav1.Object) objectID {
	return objectID{kind: kind, namespace: meta.GetNamespace(), name: meta.GetName()}
}
