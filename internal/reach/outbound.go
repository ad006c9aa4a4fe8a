package reach

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// Outbound is one Destination as seen by a source workload.
type Outbound struct {
	Destination int
	Hostname    string
	Via         policy.Via
	Access      Verdict
	// Traffic are the traffic policies that apply to this source here, in the
	// order of D11.
	Traffic []int
}

// Outbound lists the Destinations that a workload can reach and that a policy
// affects for it: a traffic policy selects both, or access policies apply to its
// pods. With all, every reachable Destination is listed. The order is that of
// World.Destinations. denied is the number of reachable Destinations that are not
// listed and deny the workload by default.
func (c *Calls) Outbound(w *world.Workload, all bool) (calls []Outbound, denied int) {
	matching, _ := c.result.SourcePolicies(w)
	matching = append(matching, c.result.ConnectionPolicies(w)...)
	slices.Sort(matching)
	for id := range c.result.World.Destinations {
		if !c.result.Reaches(w, id) {
			continue
		}
		d := &c.result.World.Destinations[id]
		var traffic []int
		for _, i := range c.result.Destinations[id].Traffic {
			if _, matches := slices.BinarySearch(matching, i); matches {
				traffic = append(traffic, i)
			}
		}
		if !all && len(traffic) == 0 && !c.hasAccessRules(d) {
			if c.deniesWithoutRules(w, d) {
				denied++
			}
			continue
		}
		call := Outbound{Destination: id, Access: c.Verdict(w, d), Traffic: traffic}
		call.Hostname, call.Via, _ = c.result.Reach(w, d)
		calls = append(calls, call)
	}
	return calls, denied
}

// deniesWithoutRules reports whether a Destination without AccessPolicies denies
// calls of a workload.
func (c *Calls) deniesWithoutRules(w *world.Workload, d *world.Destination) bool {
	if c.SetsTLS(d) || slices.ContainsFunc(c.receivers(d), func(r receiver) bool { return !accepts(Caller{w.Cluster, w.Mesh}, r.mesh) }) {
		return c.Verdict(w, d).Decision == Denied // the call may fail before
	}
	if len(d.Backing) == 0 {
		return !c.result.OpenGateway(d) && c.result.DeniesByDefault(d.Mesh)
	}
	return !slices.ContainsFunc(d.Backing, func(id int) bool {
		pod := &c.result.World.Workloads[id]
		return c.result.OpenGatewayOf(pod) != nil || !c.result.DeniesByDefault(pod.Mesh)
	})
}

// hasAccessRules reports whether an AccessPolicy applies to a Destination,
// directly or through its pods.
func (c *Calls) hasAccessRules(d *world.Destination) bool {
	return len(c.result.Destinations[d.ID].Access) > 0 || slices.ContainsFunc(d.Backing, func(id int) bool {
		return len(c.result.RulesFor(&c.result.World.Workloads[id])) > 0
	})
}
