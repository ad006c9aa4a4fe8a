package istio

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// sameNamespace makes an object visible in its own namespace only.
const sameNamespace = "."

// addExports adds what the gateways of the cluster need to know about its own
// Destinations. Where other clusters talk to the pods themselves there is no
// gateway that would (semantics 5.5, D37).
func (b *builder) addExports() {
	for _, e := range b.exports {
		if e == nil || e.federation.Flat || e.destination.Ref.ClusterName != b.cluster || e.destination.Mesh.Namespace == "" {
			continue
		}
		mesh := e.destination.Mesh
		key := e.destination.Key()
		entry := b.ownEntry(e, b.gatewayNamespaces(mesh))
		b.add(KindServiceEntry, mesh.Namespace, e.hostname, key, entry, e.parents).Federates = key

		settings, subsets := b.commonConnection(e), b.subsets[e.destination.ID]
		rule := b.destinationRule(e.hostname, settings, subsets)
		parents := sortedIDs(append(b.ruleParents(settings, subsets), e.parents...))
		b.add(KindDestinationRule, mesh.Namespace, e.hostname, key, rule, parents).Federates = key
	}
}

// gatewayNamespaces returns where the gateways of a mesh run, in the form that
// exportTo has.
func (r *Renderer) gatewayNamespaces(m *snapshot.Mesh) []string {
	var others []string
	for _, g := range r.result.Meshes[m.ID].Gateways {
		if namespace := r.world.Destinations[g.Destination].Ref.Namespace; namespace != m.Namespace {
			others = append(others, namespace)
		}
	}
	slices.Sort(others)
	return append([]string{sameNamespace}, slices.Compact(others)...)
}

// commonConnection returns the connection settings that hold for requests from
// every other cluster: a gateway cannot tell them apart.
func (r *Renderer) commonConnection(e *export) []policy.ConnectionSetting {
	var common []policy.ConnectionSetting
	asked := map[string]bool{}
	for _, cluster := range e.clusters {
		class := r.classOf(e.destination, cluster)
		if asked[class] {
			continue
		}
		settings := r.result.ConnectionFrom(cluster, e.destination.ID)
		if len(asked) == 0 {
			common = settings
		} else {
			common = slices.DeleteFunc(common, func(s policy.ConnectionSetting) bool {
				return !slices.ContainsFunc(settings, func(other policy.ConnectionSetting) bool {
					return s.Field == other.Field && s.Policy == other.Policy && slices.Equal(s.Ports, other.Ports)
				})
			})
		}
		asked[class] = true
	}
	return common
}

// addImports adds what the meshes of the cluster need to know about
// Destinations of others: that they exist, what happens to requests to them,
// and the settings of connections (semantics 5.5).
func (b *builder) addImports() {
	var meshes []*snapshot.Mesh
	for i := range b.world.Meshes {
		if m := &b.world.Meshes[i]; canHold(m) && m.Cluster == b.cluster {
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
		var done []string // meshes installed in one namespace share the objects there
		for _, m := range meshes {
			if _, federated := slices.BinarySearch(e.federation.Meshes, m.ID); !federated || slices.Contains(done, m.Namespace) {
				continue
			}
			done = append(done, m.Namespace)
			b.addImport(e, m)
		}
	}
}

func (b *builder) addImport(e *export, m *snapshot.Mesh) {
	key := e.destination.Key()
	b.add(KindServiceEntry, m.Namespace, e.hostname, key, b.importedEntry(e), e.parents).Federates = key
	b.addTraffic(m.Namespace, e.name, e.destination, b.importedTraffic(e.destination, b.cluster))
}
