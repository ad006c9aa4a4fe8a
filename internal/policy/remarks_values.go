package policy

import (
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/remark"
)

// remarkRoutes reports settings that act on each other where they meet on a
// route, such as a timeout and a longer one for each try (D57). They may
// come from different policies, so the routes are examined.
func (e *evaluator) remarkRoutes() {
	found := map[remark.OfRoute][]string{}
	for id := range e.result.Destinations {
		var values []any
		for _, i := range e.result.Destinations[id].Traffic {
			for _, f := range e.result.TrafficPolicies[i].RouteFeatures {
				values = append(values, f.Value)
			}
		}
		if !remark.Interact(values) {
			continue
		}
		d := &e.world.Destinations[id]
		for _, cluster := range e.result.distinctOrigins(d) {
			for _, route := range e.result.ReachedRoutes(cluster, id) {
				for _, r := range remark.AboutRoute(e.result.settingOf(route)) {
					if keys := found[r]; len(keys) == 0 || keys[len(keys)-1] != d.Key() {
						found[r] = append(keys, d.Key())
					}
				}
			}
		}
	}
	for r, destinations := range found {
		e.report(finding.New(r.Code, e.result.TrafficPolicies[r.Policy].ID(), r.Message+" (on "+text.Bounded(sorted(destinations), 1)+")").Listing(r.Message))
	}
}

// settingOf returns a function for the settings of a route.
func (r *Result) settingOf(route *Route) func(field string) (remark.Setting, bool) {
	return func(field string) (remark.Setting, bool) {
		s, set := route.Setting(field)
		if !set {
			return remark.Setting{}, false
		}
		p := r.TrafficPolicies[s.Policy].Resource
		return remark.Setting{Value: s.Value, Policy: s.Policy, Name: p.Name + "." + p.Namespace}, true
	}
}
