package reach

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// revealing identifies a Destination to which routes lead in a cluster.
type revealing struct {
	cluster     string
	destination int
}

// portOfUnknownHosts is the only port on which Istio lets a VirtualService route hosts
// that the proxy does not know, if the proxy listens for HTTP there.
const portOfUnknownHosts = 80

// revealed returns the ports of a hidden Service that proxies in its own namespace
// route nevertheless. Istio looks up the hosts to which routes lead in the namespace of
// the proxy without regard to exportTo, so that the proxy can follow a route of the
// Service.
func (c *Calls) revealed(from Caller, d *world.Destination) []uint32 {
	if isRemote(from, d) || from.Namespace != d.Ref.Namespace || from.bare() || from.gateway || !c.routesUnknownHost(from, d, portOfUnknownHosts) {
		return nil
	}
	if c.reveals == nil {
		c.reveals = map[revealing]bool{}
		c.collectRevealed()
	}
	if c.reveals[revealing{from.Cluster, d.ID}] {
		return []uint32{portOfUnknownHosts}
	}
	return nil
}

// routesUnknownHost reports whether the callers' proxies route requests to a port of a
// Service that they do not know.
func (c *Calls) routesUnknownHost(from Caller, d *world.Destination, port uint32) bool {
	return port == portOfUnknownHosts && slices.Contains(serviceport.HTTP(d), port) && c.listensForHTTP(from) &&
		slices.ContainsFunc(c.result.RoutesFrom(from.Cluster, d.ID), func(r *policy.Route) bool {
			return len(r.Settings) > 0 && slices.Contains(r.Ports, port)
		})
}

// listensForHTTP reports whether the callers' proxies listen for HTTP on the port of
// unknown hosts, because they know a Service with that port.
func (c *Calls) listensForHTTP(from Caller) bool {
	listens, known := c.listening[from]
	if known {
		return listens
	}
	caller := &world.Workload{Cluster: from.Cluster, Mesh: from.Mesh}
	for i := range c.result.World.Destinations {
		d := &c.result.World.Destinations[i]
		if !slices.Contains(serviceport.HTTP(d), portOfUnknownHosts) || !c.result.Reaches(caller, i) {
			continue
		}
		knows := true
		if !isRemote(from, d) {
			knows, _ = d.IsVisibleIn(from.Namespace)
		}
		if knows {
			listens = true
			break
		}
	}
	if c.listening == nil {
		c.listening = map[Caller]bool{}
	}
	c.listening[from] = listens
	return listens
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
}

// revealTargets adds where a route to a Destination leads within a cluster.
func (c *Calls) revealTargets(cluster string, d *world.Destination, route *policy.Route, features feature.Features) {
	shifted := false
	add := func(target *world.Destination, namespace string, ports ...uint32) {
		if target != nil && target.Ref.ClusterName == cluster && (namespace == "" || namespace == target.Ref.Namespace) && slices.Contains(ports, portOfUnknownHosts) {
			c.reveals[revealing{cluster, target.ID}] = true
		}
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
