package istio

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
)

// everywhere exports an object to all namespaces, regardless of the default of
// the mesh (D60).
func everywhere() []string { return []string{"*"} }

// addImports adds the objects for Destinations of other clusters that are
// federated to meshes of this one: ServiceEntries, routes and connection settings
// (D60).
func (b *builder) addImports() {
	var meshes []*world.Mesh
	for i := range b.world.Meshes {
		if m := &b.world.Meshes[i]; hasConfigNamespace(m) && m.Cluster == b.cluster {
			meshes = append(meshes, m)
		}
	}
	if len(meshes) == 0 {
		return
	}
	for _, e := range b.exports {
		if e == nil || e.destination.Ref.ClusterName == b.cluster {
			continue
		}
		var done []string // several meshes in one namespace share the objects there
		for _, m := range meshes {
			if _, federated := slices.BinarySearch(e.federation.Meshes, m.ID); !federated || slices.Contains(done, m.Namespace) {
				continue
			}
			done = append(done, m.Namespace)
			b.addImport(e, m)
		}
	}
}

func (b *builder) addImport(e *export, m *world.Mesh) {
	key := e.destination.Key()
	b.add(KindServiceEntry, m.Namespace, e.hostname, key, b.importedEntry(e), e.parents).Federates = key
	b.addTraffic(m.Namespace, e.name, e.destination, b.importedTraffic(e.destination, b.cluster))
}
