package policy

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// split separates routes that requests can take from those that are always
// preceded by another one, and holds that one for each (D57).
type split struct {
	taken     []*Route
	overtaken map[*Route]*Route
}

// splitRoutes splits the routes whose source includes a workload. Workloads with
// the same routes share the result.
func (r *Result) splitRoutes(w *world.Workload, destination int) split {
	if !r.FollowsRoutes(w) {
		return split{}
	}
	composed := r.composedRoutes(w.Cluster, destination)
	positions := composed.including(w)
	key := fmt.Sprint(positions)
	known, cached := composed.splits[key]
	if !cached {
		routes := make([]*Route, 0, len(positions))
		for _, i := range positions {
			routes = append(routes, composed.routes[i])
		}
		known = splitOf(routes)
		if composed.splits == nil {
			composed.splits = map[string]split{}
		}
		composed.splits[key] = known
	}
	return known
}

// splitOf splits ordered routes of the same callers.
func splitOf(routes []*Route) split {
	byPort := map[uint32][]*selector.RequestMatch{}
	places := map[uint32][]*Route{}
	for _, route := range routes {
		port := route.Ports[0]
		byPort[port], places[port] = append(byPort[port], route.Match), append(places[port], route)
	}
	sets := make(map[uint32]*selector.MatchSet, len(byPort))
	for port, matches := range byPort {
		sets[port] = selector.NewMatchSet(matches)
	}
	found := split{overtaken: map[*Route]*Route{}}
	for _, route := range routes {
		port := route.Ports[0]
		if first := places[port][sets[port].First(route.Match)]; first != route {
			found.overtaken[route] = first
			continue
		}
		found.taken = append(found.taken, route)
	}
	return found
}

// shadowed returns the routes of requests from a cluster that no caller ever
// reaches, because an earlier one for all of their callers matches everything
// that they match.
func (r *Result) shadowed(cluster string, destination int) map[*Route]*Route {
	routes := r.routesFrom(cluster, destination)
	bySource := map[string][]*Route{"": nil}
	for _, route := range routes {
		bySource[route.Source.Key()] = append(bySource[route.Source.Key()], route)
	}
	all := bySource[""]
	found := map[*Route]*Route{}
	for key, own := range bySource {
		if len(own)+len(all) < 2 {
			continue
		}
		candidates := own
		if key != "" { // in the order of the routes
			candidates = slices.Concat(all, own)
			slices.SortFunc(candidates, compareRoutes)
		}
		for route, first := range splitOf(candidates).overtaken {
			if route.Source.Key() == key {
				found[route] = first
			}
		}
	}
	return found
}

// ReachedRoutes returns the routes of RoutesFrom without those that no caller
// ever reaches.
func (r *Result) ReachedRoutes(cluster string, destination int) []*Route {
	shadowed := r.shadowed(cluster, destination)
	return slices.DeleteFunc(slices.Clone(r.routesFrom(cluster, destination)), func(route *Route) bool { return shadowed[route] != nil })
}

// effectiveFrom returns the policies and fields that are effective for some
// requests from a cluster.
func (r *Result) effectiveFrom(cluster string, destination int) map[Rejection]bool {
	effective := map[Rejection]bool{}
	for _, route := range r.ReachedRoutes(cluster, destination) {
		for _, s := range route.Settings {
			effective[Rejection{Policy: s.Policy, Field: s.Field}] = true
		}
	}
	return effective
}

// shadow is a route whose settings never apply, and the one before it.
type shadow struct {
	policy, winner int
	match, by      string
}

// remarkShadows reports routes that are never reached (D57).
func (e *evaluator) remarkShadows() {
	found := map[shadow][]string{}
	for id := range e.result.Destinations {
		if !e.mayShadow(id) {
			continue
		}
		d := &e.world.Destinations[id]
		for _, cluster := range e.result.distinctOrigins(d) {
			for route, first := range e.result.shadowed(cluster, id) {
				if first.Match.Key() == route.Match.Key() {
					continue // which is a conflict
				}
				for field, s := range route.own {
					if value, set := first.Setting(field); set && (value.Policy == s.Policy || e.result.SameValue(value.Value, s.Value)) {
						continue
					}
					of := shadow{s.Policy, first.Leader(), " with " + route.Match.Text(), first.Match.Text()}
					if route.Match == nil {
						of.match = ""
					}
					if keys := found[of]; len(keys) == 0 || keys[len(keys)-1] != d.Key() {
						found[of] = append(keys, d.Key())
					}
				}
			}
		}
	}
	for of, destinations := range found {
		winner := e.result.TrafficPolicies[of.winner].Resource
		message := fmt.Sprintf("no request%s gets the settings of the policy: the route of TrafficPolicy %s.%s for %s comes first and matches all of them",
			of.match, winner.Name, winner.Namespace, of.by)
		e.report(finding.New(finding.CodeNeverReached, e.result.TrafficPolicies[of.policy].ID(), message+" (on "+text.Bounded(destinations, 1)+")").Listing(message))
	}
}

// distinctOrigins returns clusters from which requests to a Destination can come,
// one of those for which all policies have the same sources.
func (r *Result) distinctOrigins(d *world.Destination) []string {
	var distinct []string
	others := false
	for _, cluster := range r.originClusters(d) {
		named := slices.ContainsFunc(r.Destinations[d.ID].Traffic, func(i int) bool { return r.TrafficPolicies[i].scopeOf(cluster) != "" })
		if named || !others {
			distinct = append(distinct, cluster)
		}
		others = others || !named
	}
	return distinct
}

// mayShadow reports whether a policy on a Destination has a match that a match of
// another one contains. It avoids composing the routes of most Destinations.
func (e *evaluator) mayShadow(destination int) bool {
	var matches []*selector.RequestMatch
	for _, i := range e.result.Destinations[destination].Traffic {
		p := &e.result.TrafficPolicies[i]
		if len(p.RouteFeatures) == 0 || slices.Contains(p.matches, nil) && len(p.Resource.Spec.SourceSelector) == 0 {
			continue // routes for all requests of all callers come last
		}
		matches = append(matches, p.matches...)
	}
	if len(e.result.Destinations[destination].Traffic) > 1 && slices.ContainsFunc(matches, func(m *selector.RequestMatch) bool { return m.Contains(nil) }) {
		return true
	}
	if len(matches) < 2 {
		return false
	}
	set := selector.NewMatchSet(matches)
	return slices.ContainsFunc(matches, func(m *selector.RequestMatch) bool { return matches[set.First(m)].Key() != m.Key() })
}
