package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// RejectedFor returns the settings of policies that are not effective for
// requests of a workload to a Destination, sorted by policy and field.
func (r *Result) RejectedFor(w *world.Workload, destination int) []Rejection {
	var rejected []Rejection
	for _, rejection := range r.Destinations[destination].Rejections {
		if r.affects(rejection.Policy, w) {
			rejected = append(rejected, rejection)
		}
	}
	rejected = append(rejected, r.shadowedSettings(w, destination)...)
	rejected = append(rejected, r.idleSettings(w, destination)...)
	rejected = append(rejected, r.OverriddenDefaults(w, destination)...)
	for _, ref := range r.invalid {
		if ref.Kind != KindTrafficPolicy {
			continue
		}
		p := &r.TrafficPolicies[ref.Index]
		if selector.Set(p.Destinations).Contains(destination) && selector.MatchesWorkload(p.Resource.Spec.SourceSelector, w) {
			for _, reason := range p.Errors {
				rejected = append(rejected, Rejection{Policy: ref.Index, Reason: reason, Winner: -1})
			}
		}
	}
	slices.SortFunc(rejected, func(a, b Rejection) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), strings.Compare(a.Field, b.Field), strings.Compare(a.Reason, b.Reason))
	})
	return slices.Compact(rejected)
}

// shadowedSettings returns the settings of routes that are never used for
// requests of the workload, unless the route that is used has the same settings.
func (r *Result) shadowedSettings(w *world.Workload, destination int) []Rejection {
	routes := r.splitRoutes(w, destination)
	effective := map[Rejection]bool{} // policies and fields that are effective for some request
	var rejected []Rejection
	for _, route := range routes.taken {
		rejected = append(rejected, route.rejected...)
		for _, s := range route.Settings {
			effective[Rejection{Policy: s.Policy, Field: s.Field}] = true
		}
	}
	return append(rejected, r.lostRoutes(routes.overtaken, effective)...)
}

// lostRoutes returns the settings of routes that are preceded by others, unless
// those have the same settings. effective are policies and fields that are
// effective for some request.
func (r *Result) lostRoutes(overtaken map[*Route]*Route, effective map[Rejection]bool) []Rejection {
	var lost []Rejection
	for route, first := range overtaken {
		for field, s := range route.own {
			value, set := first.Setting(field)
			if set && (value.Policy == s.Policy || r.SameValue(value.Value, s.Value)) {
				continue
			}
			winner := first.Leader()
			name := r.TrafficPolicies[winner].Resource
			reason := fmt.Sprintf("overridden by the more specific route of TrafficPolicy %s.%s", name.Name, name.Namespace)
			if first.Match.Key() != route.Match.Key() && first.Match != nil {
				reason = fmt.Sprintf("never reached, because the route of TrafficPolicy %s.%s comes first and matches all of its requests", name.Name, name.Namespace)
			}
			if effective[Rejection{Policy: s.Policy, Field: field}] {
				reason = "for some of its requests " + reason
			}
			lost = append(lost, Rejection{Policy: s.Policy, Field: field, Winner: winner, Reason: reason})
		}
	}
	return lost
}

// idleSettings returns the route settings without an HTTP port to apply to
// (D22).
func (r *Result) idleSettings(w *world.Workload, destination int) []Rejection {
	var idle []Rejection
	for _, i := range r.Destinations[destination].Traffic {
		p := &r.TrafficPolicies[i]
		if p.RejectedOn(destination) || len(p.RouteFeatures) == 0 || !r.affects(i, w) {
			continue
		}
		if reason := r.PortReason(p, destination); reason != "" {
			for _, f := range p.RouteFeatures {
				idle = append(idle, Rejection{Policy: i, Field: f.Field, Reason: reason, Winner: -1})
			}
		}
	}
	return idle
}

// OverriddenDefaults returns the policies that ask for the default TLS mode,
// which never conflicts, if another policy asks for another mode.
func (r *Result) OverriddenDefaults(w *world.Workload, destination int) []Rejection {
	connection := r.Connection(w, destination)
	k := slices.IndexFunc(connection, func(s ConnectionSetting) bool { return s.Field == feature.MTLS })
	if k < 0 {
		return nil
	}
	var overridden []Rejection
	winner := connection[k].Policy
	for _, i := range r.Destinations[destination].Traffic {
		p := &r.TrafficPolicies[i]
		mode := p.tlsMode
		if i == winner || mode == nil || p.RejectedOn(destination) || r.SameValue(mode.Value, connection[k].Value) ||
			!selector.MatchesWorkload(p.Resource.Spec.SourceSelector, w) {
			continue
		}
		name := r.TrafficPolicies[winner].Resource
		overridden = append(overridden, Rejection{
			Policy: i, Field: feature.MTLS, Winner: winner,
			Reason: fmt.Sprintf("overridden by TrafficPolicy %s.%s: this policy sets the default TLS mode, the other one does not", name.Name, name.Namespace),
		})
	}
	return overridden
}

// PortReason returns why the route settings of a policy apply to no port of a
// Destination; "" if they apply to one.
func (r *Result) PortReason(p *TrafficPolicy, destination int) string {
	ports := serviceport.HTTP(&r.World.Destinations[destination])
	switch {
	case len(ports) == 0:
		return noHTTPPort
	case !slices.ContainsFunc(ports, func(port uint32) bool { return AllowsPort(p.Resource.Spec.DestinationPorts, port) }):
		return noSelectedPort
	default:
		return ""
	}
}
