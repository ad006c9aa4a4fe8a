package policy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Origin is a cluster and mesh from which requests to a Destination come.
type Origin struct {
	Cluster string
	// Mesh is the position of the mesh to which the Destination is federated; -1
	// for the Destination's own cluster.
	Mesh     int
	Hostname string
	Via      Via
}

// Origins returns the origins of requests to a Destination: its own cluster
// first, then the meshes to which it is federated, in the order of World.Meshes.
// An external service has none.
func (r *Result) Origins(destination int) []Origin {
	d := &r.World.Destinations[destination]
	if !d.IsService() {
		return nil
	}
	origins := []Origin{{Cluster: d.Ref.ClusterName, Mesh: -1, Hostname: d.Hostname, Via: ViaLocal}}
	federation := r.Destinations[destination].Federation
	if federation == nil {
		return origins
	}
	via := ViaGateway
	if federation.Flat {
		via = ViaFlat
	}
	for _, m := range federation.Meshes {
		if cluster := r.World.Meshes[m].Cluster; cluster != d.Ref.ClusterName {
			origins = append(origins, Origin{Cluster: cluster, Mesh: m, Hostname: federation.FederatedHostname(d), Via: via})
		}
	}
	return origins
}

// RoutesFrom returns the ordered routes of requests from a cluster to a
// Destination for all workloads; Route.Source has the workloads of each.
func (r *Result) RoutesFrom(cluster string, destination int) []*Route {
	return r.routesFrom(cluster, destination)
}

// ConnectionFrom returns the connection settings for requests from a cluster
// to a Destination, sorted by field; they are the same for all its workloads.
func (r *Result) ConnectionFrom(cluster string, destination int) []ConnectionSetting {
	return r.Connection(&world.Workload{Cluster: cluster}, destination)
}

// portOfTarget returns the only port of a Service; 0 if it has several or none.
func (r *Result) portOfTarget(ref core.ClusterObjectRef) uint32 {
	return serviceport.Only(r.World.Service(ref))
}

// PodAccess describes who may call pods of a Destination.
type PodAccess struct {
	// Workloads are the positions of the workloads to which it applies,
	// ascending; empty if the pods behind the Destination are not known.
	Workloads []int
	// Open is true if the pods are a gateway that its VirtualMesh keeps open to
	// all callers (D38).
	Open bool
	// DeniesOthers is true if callers that no rule allows are denied.
	DeniesOthers bool
	// Rules are all access rules on the pods, those of the Destination first.
	Rules []AccessRule
}

// AccessTo returns who may call a Destination. Pods make the decision (D33), so
// there is one element for all workloads behind it with the same decision.
func (r *Result) AccessTo(destination int) []PodAccess {
	d := &r.World.Destinations[destination]
	if len(d.Backing) == 0 {
		if !slices.ContainsFunc(r.World.PodsBehind(d), func(p world.Pods) bool { return !p.Bare }) {
			return []PodAccess{{}} // no proxy enforces rules (D50)
		}
		rules := r.RulesOf(destination)
		open := r.OpenGateway(d)
		return []PodAccess{{Open: open, Rules: rules, DeniesOthers: !open && (len(rules) > 0 || r.deniesByDefault(d.Mesh))}}
	}
	var all []PodAccess
	for _, id := range d.Backing {
		w := &r.World.Workloads[id]
		served := r.inboundOf(w, destination, r.RulesFor(w))
		access := PodAccess{Open: r.OpenGatewayOf(w) != nil, DeniesOthers: served.DeniesOthers, Rules: served.Rules}
		k := slices.IndexFunc(all, access.same)
		if k < 0 {
			k, all = len(all), append(all, access)
		}
		all[k].Workloads = append(all[k].Workloads, id)
	}
	return all
}

func (a PodAccess) same(b PodAccess) bool {
	return a.Open == b.Open && a.DeniesOthers == b.DeniesOthers && slices.Equal(a.Rules, b.Rules)
}

// GatewayOf returns the east-west gateway of its mesh that a Destination is; nil
// if it is none.
func (r *Result) GatewayOf(d *world.Destination) *Gateway {
	if d.Mesh == nil {
		return nil
	}
	gateways := r.Meshes[d.Mesh.ID].Gateways
	for i := range gateways {
		if gateways[i].Destination == d.ID {
			return &gateways[i]
		}
	}
	return nil
}

// Exported returns the positions of the Destinations of a mesh that are
// federated to other meshes, ascending.
func (r *Result) Exported(m *world.Mesh) []int {
	return slices.DeleteFunc(r.Members(m), func(id int) bool { return r.Destinations[id].Federation == nil })
}

// Members returns the positions of the Destinations of a mesh, ascending.
func (r *Result) Members(m *world.Mesh) []int {
	var members []int
	for i := range r.World.Destinations {
		if r.World.Destinations[i].Mesh == m {
			members = append(members, i)
		}
	}
	return members
}

// RoutedProtocol returns the protocol that proxies assume for a port, empty if
// they detect it, and whether routes are rendered for it (D22).
func RoutedProtocol(port discoveryv1.KubeServicePort) (protocol serviceport.Protocol, routed bool) {
	return serviceport.ProtocolOf(port), serviceport.IsHTTP(port)
}
