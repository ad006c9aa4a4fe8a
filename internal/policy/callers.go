package policy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// IsIngress reports whether a workload is an ingress gateway: as its pods show,
// else if the labels of a Service in front of it say so (D56).
func (r *Result) IsIngress(w *world.Workload) bool {
	if gateway, known := w.IsGateway(); known {
		return gateway
	}
	return slices.ContainsFunc(w.Backs, func(id int) bool { return IsIngressGateway(&r.World.Destinations[id]) })
}

// HasConnections reports whether connection settings hold for a workload: they are
// configuration of its proxies.
func (r *Result) HasConnections(w *world.Workload) bool {
	return w.Proxies() != discoveryv1.PresenceNone
}

// FollowsRoutes reports whether requests of a workload follow the routes of
// TrafficPolicies. Their VirtualServices name no gateway, and are for sidecars
// only (D56).
func (r *Result) FollowsRoutes(w *world.Workload) bool {
	return r.HasConnections(w) && !r.IsIngress(w)
}

// affects reports whether a TrafficPolicy affects requests of a workload as its
// sourceSelector says.
func (r *Result) affects(policy int, w *world.Workload) bool {
	return selector.MatchesWorkload(r.TrafficPolicies[policy].Resource.Spec.SourceSelector, w) && r.FollowsRoutes(w)
}
