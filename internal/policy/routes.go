package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// Route is one class of requests to a Destination with its settings: requests
// from a source that match, on some ports. Routes are tried in order, and the
// first match is used.
type Route struct {
	Source selector.SourceMatch
	// Match is nil if every request matches.
	Match *selector.RequestMatch
	// Ports are port numbers of the Destination's Service, ascending.
	Ports []uint32
	// Settings are sorted by field. The default route, which only keeps requests
	// without a policy from failing (D20), has none.
	Settings []Setting

	// order is the position of the first policy of the route among those of the
	// Destination (D11).
	order int
	// own are the settings of policies with exactly this match, by field.
	own map[string]Setting
	// rejected are settings of later policies with the same match.
	rejected []Rejection
}

// Setting is one effective setting with its policy.
type Setting struct {
	Feature
	// Policy is the position of the TrafficPolicy.
	Policy int
	// Inherited is true if the setting comes from a broader policy that contains
	// this route (D19).
	Inherited bool
}

// routesFrom returns the ordered routes of a Destination for requests from one
// cluster. Policies that are INVALID on the Destination are ignored.
func (r *Result) routesFrom(cluster string, destination int) []*Route {
	return r.composedRoutes(cluster, destination).routes
}

// composed are the routes of a Destination for requests from one cluster.
type composed struct {
	routes []*Route
	// sources indexes their sources; nil until first used.
	sources *selector.SourceSet
	// splits caches splitRoutes by the positions of the routes.
	splits map[string]split
}

func (r *Result) composedRoutes(cluster string, destination int) *composed {
	key := routesKey{cluster, destination}
	if r.routes[key] == nil {
		r.routes[key] = &composed{routes: r.composeRoutes(cluster, destination)}
	}
	return r.routes[key]
}

// including returns the positions of the routes whose source includes a workload,
// ascending.
func (c *composed) including(w *world.Workload) []int {
	if c.sources == nil {
		sources := make([]selector.SourceMatch, 0, len(c.routes))
		for _, route := range c.routes {
			sources = append(sources, route.Source)
		}
		c.sources = selector.NewSourceSet(sources)
	}
	return c.sources.Including(w)
}

type routesKey struct {
	cluster     string
	destination int
}

func (r *Result) composeRoutes(cluster string, destination int) []*Route {
	d := &r.World.Destinations[destination]
	var routes []*Route
	for _, class := range r.portClasses(d) {
		routes = append(routes, r.composePorts(cluster, destination, class)...)
	}
	slices.SortFunc(routes, compareRoutes)
	return routes
}

// portClasses groups the HTTP ports of a Destination by the policies that may
// apply to them, so that equal ports share their routes.
func (r *Result) portClasses(d *world.Destination) [][]uint32 {
	var classes [][]uint32
	var members [][]int
	for _, port := range serviceport.HTTP(d) {
		var policies []int
		for _, i := range r.Destinations[d.ID].Traffic {
			if p := &r.TrafficPolicies[i]; len(p.RouteFeatures) > 0 && !p.RejectedOn(d.ID) && p.AllowsPort(port) {
				policies = append(policies, i)
			}
		}
		k := slices.IndexFunc(members, func(m []int) bool { return slices.Equal(m, policies) })
		if k < 0 {
			members, classes = append(members, policies), append(classes, []uint32{port})
			continue
		}
		classes[k] = append(classes[k], port)
	}
	return classes
}

// AllowsPort reports whether a list of ports includes the port; an empty list
// includes all.
func AllowsPort(ports []uint32, port uint32) bool {
	return len(ports) == 0 || slices.Contains(ports, port)
}

// composePorts composes the routes for ports to which the same policies apply.
func (r *Result) composePorts(cluster string, destination int, ports []uint32) []*Route {
	var routes []*Route
	index := map[[2]string]*Route{}
	for order, i := range r.Destinations[destination].Traffic {
		p := &r.TrafficPolicies[i]
		if p.RejectedOn(destination) || len(p.RouteFeatures) == 0 || !AllowsPort(p.Resource.Spec.DestinationPorts, ports[0]) {
			continue
		}
		for _, source := range r.sources(i, cluster) {
			for _, match := range p.matches {
				key := [2]string{source.Key(), match.Key()}
				route := index[key]
				if route == nil {
					route = &Route{Source: source, Match: match, Ports: ports, order: order, own: map[string]Setting{}}
					index[key] = route
					routes = append(routes, route)
				}
				for _, f := range p.RouteFeatures {
					route.set(f, i, r)
				}
			}
		}
	}
	if len(routes) == 0 {
		return nil
	}
	slices.SortFunc(routes, compareRoutes)
	inherit(routes)
	if last := routes[len(routes)-1]; last.Match != nil || last.Source.Key() != "" {
		routes = append(routes, &Route{Ports: ports, order: len(r.Destinations[destination].Traffic)})
	}
	return routes
}

// set gives the route a setting of one of its own policies, unless an earlier one
// has made it. Policies with equal matches would conflict; here the matches only
// overlap, so both stay effective elsewhere.
func (route *Route) set(f Feature, policy int, r *Result) {
	earlier, taken := route.own[f.Field]
	if !taken {
		route.own[f.Field] = Setting{Feature: f, Policy: policy}
		return
	}
	if !r.SameValue(earlier.Value, f.Value) {
		winner := r.TrafficPolicies[earlier.Policy].Resource
		route.rejected = append(route.rejected, Rejection{
			Policy: policy, Field: f.Field, Winner: earlier.Policy,
			Reason: fmt.Sprintf("overridden for some of its requests by TrafficPolicy %s.%s, which also sets %s", winner.Name, winner.Namespace, f.Field),
		})
	}
}

// inherit adds settings that the routes' own policies do not make from broader
// routes: those without request match whose source contains the route's, the most
// specific first (D19). The routes must be sorted.
func inherit(routes []*Route) {
	var broad []*Route
	var sources []selector.SourceMatch
	for _, route := range routes {
		if route.Match == nil {
			broad, sources = append(broad, route), append(sources, route.Source)
		}
	}
	set := selector.NewSourceSet(sources)
	// Routes with the same source inherit the same settings.
	known := map[string]map[string]Setting{}
	for _, route := range routes {
		key := route.Source.Key()
		inherited := known[key]
		if inherited == nil {
			inherited = map[string]Setting{}
			for _, i := range set.Containing(route.Source) {
				for field, setting := range broad[i].own {
					if _, taken := inherited[field]; !taken {
						setting.Inherited = true
						inherited[field] = setting
					}
				}
			}
			known[key] = inherited
		}
		effective := maps.Clone(inherited)
		maps.Copy(effective, route.own)
		for _, field := range sortedFields(effective) {
			route.Settings = append(route.Settings, effective[field])
		}
	}
}

// RoutesFor returns the ordered routes that requests of a workload to a
// Destination can take: those whose source includes the workload, except routes
// that an earlier one always precedes, because it matches everything that they
// match.
func (r *Result) RoutesFor(w *world.Workload, destination int) []*Route {
	return r.splitRoutes(w, destination).taken
}

// sources returns the sources in a cluster that a policy's sourceSelector
// selects.
func (r *Result) sources(policy int, cluster string) []selector.SourceMatch {
	p := &r.TrafficPolicies[policy]
	cluster = p.scopeOf(cluster)
	found, known := p.sourcesByCluster[cluster]
	if !known {
		found = selector.SourcesIn(cluster, p.Resource.Spec.SourceSelector)
		p.sourcesByCluster[cluster] = found
	}
	return found
}

// Setting returns the route's setting for a field.
func (route *Route) Setting(field string) (Setting, bool) {
	k := slices.IndexFunc(route.Settings, func(s Setting) bool { return s.Field == field })
	if k < 0 {
		return Setting{}, false
	}
	return route.Settings[k], true
}

// Leader returns the policy for which a route exists. The default route has none,
// but is always the last.
func (route *Route) Leader() int {
	leader := -1
	for _, s := range route.own {
		if leader < 0 || s.Policy < leader {
			leader = s.Policy
		}
	}
	return leader
}
