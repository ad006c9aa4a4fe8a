package reach

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// revealing identifies the ports of a Destination that routes reveal to callers.
type revealing struct {
	cluster     string
	destination int
}

// revealed returns the ports of a hidden Service, ascending, that proxies in its own
// namespace know nevertheless: those to which a route leads that they have. Istio
// looks up the hosts of routes in the namespace of the proxy without regard to
// exportTo.
func (c *Calls) revealed(from Caller, d *world.Destination) []uint32 {
	if isRemote(from, d) || from.Namespace != d.Ref.Namespace || from.bare() || from.gateway {
		return nil
	}
	if c.reveals == nil {
		c.reveals = map[revealing][]uint32{}
		c.collectRevealed()
	}
	return c.reveals[revealing{from.Cluster, d.ID}]
}

// collectRevealed collects what the routes of all Destinations reveal in the clusters
// that have hidden Services.
func (c *Calls) collectRevealed() {
	hiding := map[string]bool{}
	for i := range c.result.World.Destinations {
		if d := &c.result.World.Destinations[i]; d.IsService() && c.Hides(d) {
			hiding[d.Ref.ClusterName] = true
		}
	}
	features := feature.All()
	for cluster := range hiding {
		for i := range c.result.World.Destinations {
			d := &c.result.World.Destinations[i]
			if !d.IsService() || len(c.result.Destinations[i].Traffic) == 0 {
				continue
			}
			routes := c.result.RoutesFrom(cluster, i)
			if !slices.ContainsFunc(routes, func(r *policy.Route) bool { return len(r.Settings) > 0 }) {
				continue // nothing is rendered
			}
			for _, route := range routes {
				c.revealTargets(cluster, d, route, features)
			}
		}
	}
	for key, ports := range c.reveals {
		slices.Sort(ports)
		c.reveals[key] = slices.Compact(ports)
	}
}

// revealTargets adds where a route to a Destination leads within a cluster.
func (c *Calls) revealTargets(cluster string, d *world.Destination, route *policy.Route, features feature.Features) {
	shifted := false
	add := func(target *world.Destination, namespace string, ports ...uint32) {
		if target == nil || target.Ref.ClusterName != cluster || namespace != "" && namespace != target.Ref.Namespace {
			return
		}
		key := revealing{cluster, target.ID}
		c.reveals[key] = append(c.reveals[key], ports...)
	}
	for _, s := range route.Settings {
		targets := features.Of(s.Field).Targets(s.Value)
		shifted = shifted || s.Field == feature.TrafficShift && len(targets) > 0
		for _, t := range targets {
			target := c.result.World.Service(t.Service)
			port := t.Port
			if port == 0 {
				port = serviceport.Only(target)
			}
			add(target, route.Source.Namespace, port)
		}
	}
	if !shifted {
		add(d, route.Source.Namespace, route.Ports...)
	}
}
