package snapshot

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	meshdiscovery "github.com/meshctl/meshctl/internal/discovery"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// Combine unites objects of several sources, such as files and clusters, in
// their order. Objects that occur in two of them are an error that names both
// places.
func Combine(sources ...Objects) (Objects, error) {
	a := &assembler{origins: map[objectID]Origin{}}
	for _, source := range sources {
		for _, e := range entriesOf(source) {
			a.addEntry(e)
		}
		a.objects.Problems = append(a.objects.Problems, source.Problems...)
		a.objects.Ignored += source.Ignored
	}
	return a.objects, a.duplicateError()
}

// ReplaceDiscovered unites what the management cluster stores with what was
// discovered just now: of the clusters that could be discovered, only the new
// meshes, workloads and destinations count. What is stored of the others stays.
func ReplaceDiscovered(stored, fresh Objects, discovered []string) (Objects, error) {
	replaced := map[objectID]bool{}
	for _, e := range entriesOf(fresh) {
		replaced[e.id] = true
	}
	stored.Meshes = without(stored.Meshes, "Mesh", replaced, discovered, func(m *discoveryv1.Mesh) string {
		// The mesh of several clusters stays until discovery has a newer one.
		described := Mesh{}
		describeMesh(&described, m.Spec)
		return described.Cluster
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

// without returns the objects that are neither replaced nor of one of the
// clusters. The cluster is that of the label, else what clusterOf says.
func without[T any, P resource[T]](
	objects []Object[T], kind string, replaced map[objectID]bool, discovered []string, clusterOf func(*T) string,
) []Object[T] {
	return slices.DeleteFunc(slices.Clone(objects), func(o Object[T]) bool {
		meta := P(o.Resource).GetObjectMeta()
		cluster := meta.GetLabels()[meshdiscovery.ClusterLabel]
		if cluster == "" {
			cluster = clusterOf(o.Resource)
		}
		return replaced[idOf(kind, meta)] || slices.Contains(discovered, cluster)
	})
}

// SettingsOf returns the Settings that apply among the objects, nil if there are
// none; discovery needs them before there is a world.
func SettingsOf(objects Objects) *settingsv1.Settings { return chooseSettings(objects.Settings) }

// entriesOf takes loaded objects apart, without their problems.
func entriesOf(o Objects) []entry {
	return slices.Concat(
		entriesOfKind("VirtualMesh", o.VirtualMeshes, func(into *Objects) *[]Object[networkingv1.VirtualMesh] { return &into.VirtualMeshes }),
		entriesOfKind("TrafficPolicy", o.TrafficPolicies, func(into *Objects) *[]Object[networkingv1.TrafficPolicy] { return &into.TrafficPolicies }),
		entriesOfKind("AccessPolicy", o.AccessPolicies, func(into *Objects) *[]Object[networkingv1.AccessPolicy] { return &into.AccessPolicies }),
		entriesOfKind("Mesh", o.Meshes, func(into *Objects) *[]Object[discoveryv1.Mesh] { return &into.Meshes }),
		entriesOfKind("Workload", o.Workloads, func(into *Objects) *[]Object[discoveryv1.Workload] { return &into.Workloads }),
		entriesOfKind("Destination", o.Destinations, func(into *Objects) *[]Object[discoveryv1.Destination] { return &into.Destinations }),
		entriesOfKind("Settings", o.Settings, func(into *Objects) *[]Object[settingsv1.Settings] { return &into.Settings }),
		entriesOfKind("KubernetesCluster", o.KubernetesClusters, func(into *Objects) *[]Object[multiclusterv1alpha1.KubernetesCluster] {
			return &into.KubernetesClusters
		}),
	)
}

func entriesOfKind[T any, P resource[T]](kind string, objects []Object[T], list func(*Objects) *[]Object[T]) []entry {
	entries := make([]entry, 0, len(objects))
	for _, o := range objects {
		entries = append(entries, entry{
			origin: o.Origin, id: idOf(kind, P(o.Resource).GetObjectMeta()),
			store: func(into *Objects) {
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
