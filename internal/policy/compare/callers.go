package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// callerGroup is a set of callers of a Destination whose requests take the same
// routes as far as clusters matter: those of one cluster, or of several that no
// policy distinguishes.
type callerGroup struct {
	// cluster is a representative of the clusters.
	cluster  string
	clusters []string
	callers  WorkloadSet
	// key identifies the callers.
	key string
}

// callerGroups returns the callers that can reach a Destination in both
// results, the Destination's own cluster first.
func (c *comparer) callerGroups(destination int) []callerGroup {
	named := map[string]bool{}
	for _, r := range []*policy.Result{c.before, c.after} {
		for _, i := range r.Destinations[destination].Traffic {
			for _, cluster := range r.TrafficPolicies[i].NamedClusters() {
				named[cluster] = true
			}
		}
	}
	was := c.before.Origins(destination)
	origins := slices.DeleteFunc(c.after.Origins(destination), func(o policy.Origin) bool {
		return !slices.ContainsFunc(was, func(w policy.Origin) bool { return w.Cluster == o.Cluster && w.Mesh == o.Mesh })
	})
	var alike [][]policy.Origin // the first element is the Destination's own cluster
	others := -1
	for i, o := range origins {
		switch {
		case i == 0 || named[o.Cluster]:
			alike = append(alike, []policy.Origin{o})
		case others < 0:
			others = len(alike)
			alike = append(alike, []policy.Origin{o})
		default:
			alike[others] = append(alike[others], o)
		}
	}
	var groups []callerGroup
	for _, group := range alike {
		if g := c.newCallerGroup(group); !g.callers.isEmpty() {
			groups = append(groups, g)
		}
	}
	return groups
}

func (c *comparer) newCallerGroup(origins []policy.Origin) callerGroup {
	c.locateWorkloads()
	g := callerGroup{cluster: origins[0].Cluster}
	var key strings.Builder
	for _, o := range origins {
		g.clusters = append(g.clusters, o.Cluster)
		key.WriteString(o.Cluster + "/" + strconv.Itoa(o.Mesh) + " ")
	}
	g.key = key.String()
	callers, known := c.callers[g.key]
	if !known {
		callers = newWorkloadSet(len(c.world().Workloads))
		for _, o := range origins {
			if o.Mesh < 0 {
				callers.unite(c.inCluster[o.Cluster])
			} else {
				callers.unite(c.inMesh[o.Mesh])
			}
		}
		c.callers[g.key] = callers
	}
	g.callers = callers
	return g
}

// callerClass is the callers of a group that the same sources include.
type callerClass struct {
	callers WorkloadSet
	// within are the positions of these sources, ascending.
	within []int
}

// callerClasses divides the callers of a group by the sources that include them.
// Callers that no source includes are omitted.
func (c *comparer) callerClasses(g callerGroup, sources []selector.SourceMatch) []callerClass {
	var key strings.Builder
	key.WriteString(g.key)
	for _, s := range sources {
		key.WriteString("\x00" + s.Key())
	}
	classes, known := c.classes[key.String()]
	if !known {
		classes = c.newCallerClasses(g, sources)
		c.classes[key.String()] = classes
	}
	return classes
}

func (c *comparer) newCallerClasses(g callerGroup, sources []selector.SourceMatch) []callerClass {
	var classes []callerClass
	places := map[string]int{}
	set := selector.NewSourceSet(sources)
	for _, id := range intersection(g.callers, c.concerned(false)).Positions() {
		within := set.Including(&c.world().Workloads[id])
		if len(within) == 0 {
			continue
		}
		key := fmt.Sprint(within)
		place, known := places[key]
		if !known {
			place = len(classes)
			places[key] = place
			classes = append(classes, callerClass{newWorkloadSet(len(c.world().Workloads)), within})
		}
		classes[place].callers.add(id)
	}
	return classes
}

// routeList holds the routes of a Destination, indexed by their source.
type routeList struct {
	routes []*policy.Route
	// from holds the positions of routes by the position of their source.
	from [][]int
}

// bySource returns the distinct sources of routes, and the lists indexed by them.
func bySource(lists ...[]*policy.Route) (sources []selector.SourceMatch, filed []routeList) {
	places := map[string]int{}
	filed = make([]routeList, len(lists))
	for k, routes := range lists {
		filed[k].routes = routes
		for i, route := range routes {
			key := route.Source.Key()
			place, known := places[key]
			if !known {
				place = len(sources)
				places[key] = place
				sources = append(sources, route.Source)
			}
			for len(filed[k].from) <= place {
				filed[k].from = append(filed[k].from, nil)
			}
			filed[k].from[place] = append(filed[k].from[place], i)
		}
	}
	return sources, filed
}

// takenRoutes are the routes that requests from a class of callers to a port can
// take.
type takenRoutes struct {
	routes  []*policy.Route
	matches *selector.MatchSet
}

// takenBy returns the routes of a list that callers of a class can take, in order.
func (l routeList) takenBy(class callerClass, port uint32) takenRoutes {
	var positions []int
	for _, source := range class.within {
		if source < len(l.from) {
			positions = append(positions, l.from[source]...)
		}
	}
	slices.Sort(positions)
	var taken takenRoutes
	var matches []*selector.RequestMatch
	for _, i := range positions {
		if route := l.routes[i]; slices.Contains(route.Ports, port) {
			taken.routes, matches = append(taken.routes, route), append(matches, route.Match)
		}
	}
	taken.matches = selector.NewMatchSet(matches)
	return taken
}

// deciding returns the first route that takes all requests of a match; nil if
// there is none.
func (t takenRoutes) deciding(match *selector.RequestMatch) *policy.Route {
	if k := t.matches.First(match); k >= 0 {
		return t.routes[k]
	}
	return nil
}

// matchesOf returns the distinct matches of routes, that of all requests first.
func matchesOf(lists ...takenRoutes) []*selector.RequestMatch {
	matches := []*selector.RequestMatch{nil}
	seen := map[string]bool{"": true}
	for _, list := range lists {
		for _, route := range list.routes {
			if id := route.Match.Key(); !seen[id] {
				seen[id] = true
				matches = append(matches, route.Match)
			}
		}
	}
	return matches
}

// anyCaller returns an arbitrary workload of the class.
func (c *comparer) anyCaller(class callerClass) *world.Workload {
	return &c.world().Workloads[class.callers.first()]
}
