package reach

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Caller is who calls: workloads that connect to everybody in the same way. Callers
// are comparable.
type Caller struct {
	Cluster string
	// Mesh is nil if it is not known.
	Mesh *world.Mesh
	// Namespace is that of the callers if a Service of their cluster is visible there,
	// but not in all namespaces; "" for all other namespaces.
	Namespace string
	// Proxies says how many of the pods have a proxy (D50).
	Proxies discoveryv1.Presence
	// gateway is true if their proxies are gateways.
	gateway bool
	// routed is true if the caller's proxy chose the Destination by a route, so that
	// nobody looks up its name.
	routed bool
	names  resolution
}

// CallerOf returns a workload as a caller.
func (c *Calls) CallerOf(w *world.Workload) Caller {
	caller := Caller{Cluster: w.Cluster, Mesh: w.Mesh, Proxies: w.Proxies(), names: resolutionOf(w)}
	caller.gateway, _ = w.IsGateway()
	if c.namedNamespaces()[namespace{w.Cluster, w.Namespace}] {
		caller.Namespace = w.Namespace
	}
	return caller
}

// Parts returns the callers by whether they have a proxy: one element, or one for
// the pods with a proxy and one for the others.
func (c Caller) Parts() []Caller {
	if c.Proxies != discoveryv1.PresenceSome {
		return []Caller{c}
	}
	with, without := c, c
	with.Proxies, without.Proxies, without.names = discoveryv1.PresenceAll, discoveryv1.PresenceNone, withoutProxy
	return []Caller{with, without}
}

// bare reports whether none of the callers has a proxy.
func (c Caller) bare() bool { return c.Proxies == discoveryv1.PresenceNone }

// namespace is a namespace of a cluster.
type namespace struct{ cluster, name string }

// namedNamespaces returns the namespaces in which Services are visible that are not
// visible in all of them.
func (c *Calls) namedNamespaces() map[namespace]bool {
	if c.visibleIn == nil {
		c.visibleIn = map[namespace]bool{}
		for i := range c.result.World.Destinations {
			d := &c.result.World.Destinations[i]
			if !d.IsService() {
				continue
			}
			names, all := d.VisibleNamespaces()
			if !all { // routes may reveal it in its own namespace
				names = append(slices.Clip(names), d.Ref.Namespace)
			}
			for _, name := range names {
				c.visibleIn[namespace{d.Ref.ClusterName, name}] = true
			}
		}
	}
	return c.visibleIn
}

// trustDomain returns the trust domain of the callers' certificates; "" if they
// have none of Istio's.
func (c Caller) trustDomain() string {
	if c.bare() || c.Mesh == nil || c.Mesh.Type != world.MeshIstio {
		return ""
	}
	return c.Mesh.TrustDomain
}
