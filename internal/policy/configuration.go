package policy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// This file has the read-only results that renderers need besides those about
// workloads.

// RoutesByPort returns the routes of RoutesFrom, each for a single port, in their
// order.
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

// NamedClusters returns the clusters in the policy's sourceSelector, sorted.
// Requests from all other clusters are treated alike.
func (p *TrafficPolicy) NamedClusters() []string { return p.namedClusters }

// EffectiveOn reports whether a policy is effective on a selected Destination.
func (a *Application) EffectiveOn(destination int) bool {
	_, rejected := a.Rejected[destination]
	return a.Valid() && !rejected
}

// DefaultTLSMode returns the client-side TLS mode without any policy (D39).
func (r *Result) DefaultTLSMode() networkingv1.TLSMode { return clientTLSMode(r.World) }

// LeavesTLSMode reports whether proxies choose the TLS mode for each pod of a
// Destination that no policy sets a mode for, unless they call it through gateways:
// without Settings, and if any of the pods has no proxy (D50).
func (r *Result) LeavesTLSMode(d *world.Destination) bool {
	return r.World.Settings == nil && d.Mesh != nil && d.Mesh.Type == world.MeshIstio && d.IsService() && r.World.HasBarePods(d)
}

// HostnameSuffix returns the suffix of federated hostnames of the VirtualMesh.
func (v *VirtualMesh) HostnameSuffix() string { return hostnameSuffix(v) }

// DeniesByDefault reports whether the pods of a mesh deny callers that no
// AccessPolicy allows.
func (r *Result) DeniesByDefault(m *world.Mesh) bool { return r.deniesByDefault(m) }

// StaysOpen reports whether a Destination is a gateway that its VirtualMesh keeps
// open to all callers (D38).
func (r *Result) StaysOpen(destination int) bool {
	return r.OpenGateway(&r.World.Destinations[destination])
}

// SetsTLSMode reports whether a policy sets the client-side TLS mode, be it to the
// default.
func (p *TrafficPolicy) SetsTLSMode() bool { return p.tlsMode != nil }
