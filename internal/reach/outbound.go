package reach

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
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
// World.Destinations. unlisted counts the other Destinations, to which defaults
// apply, by the decision about calls of the workload.
func (c *Calls) Outbound(w *world.Workload, all bool) (calls []Outbound, unlisted map[Decision]int) {
	unlisted = map[Decision]int{}
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
			unlisted[c.withoutRules(w, d)]++
			continue
		}
		call := Outbound{Destination: id, Access: c.Verdict(w, d), Traffic: traffic}
		call.Hostname, call.Via, _ = c.result.Reach(w, d)
		calls = append(calls, call)
	}
	return calls, unlisted
}

// withoutRules returns the decision about calls of a workload to a Destination
// without AccessPolicies. Unlike Verdict it gives no reason, which costs more.
func (c *Calls) withoutRules(w *world.Workload, d *world.Destination) Decision {
	from := c.CallerOf(w)
	if c.setsTLS(d) || c.hasBare(d) || from.Proxies != discoveryv1.PresenceAll || c.approach(from, d) != nil ||
		slices.ContainsFunc(c.Receivers(d), func(r Receiver) bool { return !accepts(from, r.Mesh) }) {
		return c.Verdict(w, d).Decision // the call may fail before
	}
	decision := Decision("")
	for _, r := range c.Receivers(d) {
		this := Allowed
		if r.Gateway == nil && c.result.DeniesByDefault(r.Mesh) {
			this = Denied
		}
		if decision != "" {
			this = either(decision, this)
		}
		decision = this
	}
	return decision
}

// hasAccessRules reports whether an AccessPolicy applies to a Destination,
// directly or through its pods.
func (c *Calls) hasAccessRules(d *world.Destination) bool {
	return len(c.result.Destinations[d.ID].Access) > 0 || slices.ContainsFunc(d.Backing, func(id int) bool {
		return len(c.result.RulesFor(&c.result.World.Workloads[id])) > 0
	})
}
