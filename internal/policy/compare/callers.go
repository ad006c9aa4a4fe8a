package compare

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// callerGroup are the callers of a Destination whose requests take the same
// routes as far as clusters matter: those of one cluster, or of several that
// no policy tells apart.
type callerGroup struct {
	// cluster stands for all of them.
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
	var alike [][]policy.Origin // the first is the own cluster
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

// callerClass are the callers of a group that the same of some sources include.
type callerClass struct {
	callers WorkloadSet
	// within is by position in the list of sources.
	within []bool
}

// callerClasses tells the callers of a group apart by which of the sources
// include them. Those that none includes are left out.
func (c *comparer) callerClasses(g callerGroup, sources []selector.SourceMatch) []callerClass {
	key := g.key
	for _, s := range sources {
		key += "\x00" + s.Key()
	}
	classes, known := c.classes[key]
	if !known {
		classes = c.newCallerClasses(g, sources)
		c.classes[key] = classes
	}
	return classes
}

func (c *comparer) newCallerClasses(g callerGroup, sources []selector.SourceMatch) []callerClass {
	classes := []callerClass{{g.callers, nil}}
	for _, s := range sources {
		included := c.callersFrom(g, s)
		var refined []callerClass
		for _, class := range classes {
			inside := intersection(class.callers, included)
			outside := class.callers.clone()
			outside.subtract(inside)
			for i, part := range []WorkloadSet{inside, outside} {
				if !part.isEmpty() {
					refined = append(refined, callerClass{part, append(slices.Clone(class.within), i == 0)})
				}
			}
		}
		classes = refined
	}
	return slices.DeleteFunc(classes, func(class callerClass) bool { return !slices.Contains(class.within, true) })
}

// callersFrom returns the callers of a group that a source includes, perhaps
// with others.
func (c *comparer) callersFrom(g callerGroup, s selector.SourceMatch) WorkloadSet {
	if s.Namespace == "" && len(s.Labels) == 0 {
		return g.callers
	}
	var namespaces []string
	if s.Namespace != "" {
		namespaces = []string{s.Namespace}
	}
	included := newWorkloadSet(len(c.world().Workloads))
	for _, id := range c.world().WorkloadsWithin(g.clusters, namespaces, s.Labels) {
		included.add(id)
	}
	return included
}

// distinctSources returns the sources of routes, each once, and the place of
// each by its key.
func distinctSources(routes ...[]*policy.Route) (sources []selector.SourceMatch, places map[string]int) {
	places = map[string]int{}
	for _, list := range routes {
		for _, route := range list {
			key := route.Source.Key()
			if _, known := places[key]; !known {
				places[key] = len(sources)
				sources = append(sources, route.Source)
			}
		}
	}
	return sources, places
}

// deciding returns the first of the routes that takes all requests of a match
// on a port from callers within the marked sources, nil if there is none.
func deciding(routes []*policy.Route, port uint32, match *selector.RequestMatch, class callerClass, places map[string]int) *policy.Route {
	k := slices.IndexFunc(routes, func(route *policy.Route) bool {
		return slices.Contains(route.Ports, port) && class.within[places[route.Source.Key()]] && route.Match.Contains(match)
	})
	if k < 0 {
		return nil
	}
	return routes[k]
}

// matchesOf returns the matches of the routes on a port that callers within the
// marked sources can take, each once, the one of all requests first.
func matchesOf(port uint32, class callerClass, places map[string]int, lists ...[]*policy.Route) []*selector.RequestMatch {
	matches := []*selector.RequestMatch{nil}
	seen := map[string]bool{"": true}
	for _, routes := range lists {
		for _, route := range routes {
			id := route.Match.Key()
			if !seen[id] && slices.Contains(route.Ports, port) && class.within[places[route.Source.Key()]] {
				seen[id] = true
				matches = append(matches, route.Match)
			}
		}
	}
	return matches
}

// anyCaller returns one workload of the class.
func (c *comparer) anyCaller(class callerClass) *world.Workload {
	return &c.world().Workloads[class.callers.first()]
}
