package policy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// What the configuration of meshes is made from, besides what is asked about
// workloads: the engine's decisions, read only.

// RoutesByPort returns the routes of requests from a cluster to a Destination
// like RoutesFrom, each for one port only, in the order of all of them
// (semantics 5.1).
func (r *Result) RoutesByPort(cluster string, destination int) []*Route {
	routes := r.routesFrom(cluster, destination)
	if !slices.ContainsFunc(routes, func(route *Route) bool { return len(route.Ports) > 1 }) {
		return routes
	}
	var single []*Route
	for _, route := range routes {
		for i := range route.Ports {
			one := *route
			one.Ports = route.Ports[i : i+1]
			single = append(single, &one)
		}
	}
	slices.SortFunc(single, compareRoutes)
	return single
}

// NamedClusters returns the clusters that the policy's sourceSelector names,
// sorted; for requests from all others it says the same.
func (p *TrafficPolicy) NamedClusters() []string { return p.namedClusters }

// EffectiveOn reports whether a policy that selects a Destination is effective
// there.
func (a *Application) EffectiveOn(destination int) bool {
	_, rejected := a.Rejected[destination]
	return a.Valid() && !rejected
}

// DefaultTLSMode returns what clients use unless a policy says otherwise
// (semantics 5.3, D39).
func (r *Result) DefaultTLSMode() networkingv1.TLSMode { return clientTLSMode(r.World) }

// HostnameSuffix returns what federated hostnames of the VirtualMesh end with
// (semantics 3.5).
func (v *VirtualMesh) HostnameSuffix() string { return hostnameSuffix(v) }

// DeniesByDefault reports whether the VirtualMesh of a mesh turns away callers
// whom no AccessPolicy admits.
func (r *Result) DeniesByDefault(m *world.Mesh) bool { return r.deniesByDefault(m) }

// StaysOpen reports whether a Destination is a gateway that its VirtualMesh
// keeps open to everybody (semantics D38).
func (r *Result) StaysOpen(destination int) bool {
	return r.OpenGateway(&r.World.Destinations[destination])
}
