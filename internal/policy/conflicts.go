package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// Rejection is a setting that is not effective on a Destination.
type Rejection struct {
	// Policy is the position of the TrafficPolicy with the setting.
	Policy int
	// Field is the setting; empty for the policy as a whole.
	Field  string
	Reason string
	// Winner is the position of the policy that is effective instead; -1 if there
	// is none.
	Winner int
}

// judgeTraffic decides for every Destination which of its policies are INVALID
// there, because they cannot be realised or lose a conflict (D19).
// Policies are judged in the order of D11.
func (e *evaluator) judgeTraffic() {
	lost := map[Rejection][]string{}
	claims := claims{result: e.result, scopes: map[string]int{}, held: map[heldPort]holder{}, reasons: map[conflict]string{}}
	reach := map[reachKey][]Rejection{}
	for id := range e.result.Destinations {
		decided := &e.result.Destinations[id]
		if len(decided.Traffic) == 0 {
			continue
		}
		d := &e.world.Destinations[id]
		origins := e.origins(id)
		claims.begin(e.distinctOrigins(decided.Traffic, origins, d), serviceport.All(d))
		impossible, losers := map[int][]Rejection{}, map[int]bool{}
		for _, i := range decided.Traffic {
			rejections := e.unrealisable(i, d)
			if len(rejections) == 0 {
				rejections = e.unreachableTargets(reach, i, d, origins)
			}
			if len(rejections) > 0 {
				impossible[i] = rejections
			} else if !claims.record(i) {
				losers[i] = true
			}
		}
		for _, i := range decided.Traffic {
			rejections := impossible[i]
			if losers[i] {
				// Policies that were accepted after it count too: from now on
				// they take precedence.
				rejections = claims.conflicts(i, claims.requested(i))
			}
			for _, r := range rejections {
				e.result.TrafficPolicies[i].reject(id, r.Reason)
				decided.Rejections = append(decided.Rejections, r)
				lost[r] = append(lost[r], d.Key())
			}
		}
	}
	e.reportLost(lost)
}

// reportLost reports one finding per reason, for all affected Destinations.
func (e *evaluator) reportLost(lost map[Rejection][]string) {
	for r, destinations := range lost {
		code := finding.CodeUnrealisable
		if r.Winner >= 0 {
			code = finding.CodeConflict
		}
		slices.Sort(destinations)
		where := text.Bounded(destinations, 1)
		e.report(finding.New(code, e.result.TrafficPolicies[r.Policy].ID(), r.Reason+" (on "+where+")").Listing(r.Reason))
	}
}

// origins returns the meshes that requests to a Destination can come from: its
// own mesh and those to which it is federated.
func (e *evaluator) origins(destination int) []*world.Mesh {
	var origins []*world.Mesh
	if own := e.world.Destinations[destination].Mesh; own != nil {
		origins = append(origins, own)
	}
	if f := e.result.Destinations[destination].Federation; f != nil {
		for _, m := range f.Meshes {
			origins = append(origins, &e.world.Meshes[m])
		}
	}
	return origins
}

// distinctOrigins removes origins whose cluster makes no difference: clusters
// that no sourceSelector of the policies names are equivalent, so one of them
// suffices.
func (e *evaluator) distinctOrigins(policies []int, origins []*world.Mesh, d *world.Destination) []string {
	named := map[string]bool{}
	for _, i := range policies {
		for _, cluster := range e.result.TrafficPolicies[i].namedClusters {
			named[cluster] = true
		}
	}
	// Requests can come from the own cluster even if the mesh is not known.
	sources := []string{d.Ref.ClusterName}
	for _, m := range origins {
		sources = append(sources, m.Cluster)
	}
	var clusters []string
	seen, other := map[string]bool{}, false
	for _, cluster := range sources {
		alike := !named[cluster]
		if seen[cluster] || alike && other {
			continue
		}
		seen[cluster], other = true, other || alike
		clusters = append(clusters, cluster)
	}
	return clusters
}

// claim identifies a setting that only one policy can make: a route feature of
// one source and request match, or a connection feature of one cluster.
type claim struct {
	field, cluster string
	// match is the number of the source and request match; 0 for connections.
	match int
}

// claims records which policy makes which setting on one Destination.
type claims struct {
	result *Result
	// scopes numbers the matches of all policies from 1; equal ones have the same
	// number.
	scopes map[string]int
	// clusters are the clusters from which requests can come.
	clusters []string
	// ports are the ports of the Destination's Service.
	ports []uint32
	// held has the first holder of each claim on each port. Later holders have
	// the same value.
	held map[heldPort]holder
	// holders is the number of holders so far.
	holders int
	// reasons caches the messages about conflicts, which repeat on many
	// Destinations.
	reasons map[conflict]string
}

// conflict is a setting of a policy that another one overrides.
type conflict struct {
	lost          claim
	loser, winner int
}

type heldPort struct {
	claim claim
	port  uint32
}

// holder is a policy and its index among the holders.
type holder struct{ policy, place int }

// begin resets the claims for another Destination.
func (c *claims) begin(clusters []string, ports []uint32) {
	c.clusters, c.ports, c.holders = clusters, ports, 0
	clear(c.held)
}

// record records the claims of a policy and reports whether it could: a policy
// with higher precedence may have the same setting with a different value. A
// policy that loses one setting gets none.
func (c *claims) record(i int) bool {
	wanted := c.requested(i)
	if len(c.conflicts(i, wanted)) > 0 {
		return false
	}
	c.holders++
	ports := c.portsOf(i)
	for _, w := range wanted {
		for _, port := range ports {
			at := heldPort{w.claim, port}
			if _, taken := c.held[at]; !taken {
				c.held[at] = holder{i, c.holders}
			}
		}
	}
	return true
}

// conflicts returns the conflicts of a policy's claims, sorted by field.
func (c *claims) conflicts(i int, wanted []requestedClaim) []Rejection {
	var rejections []Rejection
	ports := c.portsOf(i)
	for _, w := range wanted {
		var first holder
		for _, port := range ports {
			h, taken := c.held[heldPort{w.claim, port}]
			if !taken || first.place > 0 && first.place <= h.place {
				continue
			}
			if value, _ := c.result.TrafficPolicies[h.policy].feature(w.claim.field); !c.result.SameValue(value, w.value) {
				first = h
			}
		}
		if first.place > 0 {
			reason := c.reason(conflict{claim{field: w.claim.field, cluster: w.claim.cluster}, i, first.policy})
			rejections = append(rejections, Rejection{Policy: i, Field: w.claim.field, Winner: first.policy, Reason: reason})
		}
	}
	slices.SortFunc(rejections, func(a, b Rejection) int { return strings.Compare(a.Field+a.Reason, b.Field+b.Reason) })
	return slices.Compact(rejections)
}

// portsOf returns the ports of the Service to which a policy applies.
func (c *claims) portsOf(i int) []uint32 {
	wanted := c.result.TrafficPolicies[i].Resource.Spec.DestinationPorts
	if len(wanted) == 0 {
		return c.ports
	}
	var ports []uint32
	for _, port := range c.ports {
		if slices.Contains(wanted, port) {
			ports = append(ports, port)
		}
	}
	return ports
}

func (c *claims) reason(x conflict) string {
	loser, winner := &c.result.TrafficPolicies[x.loser], &c.result.TrafficPolicies[x.winner]
	from := ""
	if len(loser.namedClusters)+len(winner.namedClusters) > 0 {
		from = " from cluster " + x.lost.cluster
	} else {
		x.lost.cluster = ""
	}
	reason, known := c.reasons[x]
	if !known {
		reason = fmt.Sprintf("%s of TrafficPolicy %s.%s conflicts with TrafficPolicy %s.%s, which sets another value for the same requests%s and takes precedence",
			x.lost.field, loser.Resource.Name, loser.Resource.Namespace, winner.Resource.Name, winner.Resource.Namespace, from)
		c.reasons[x] = reason
	}
	return reason
}

type requestedClaim struct {
	claim claim
	value any
}

// requested returns the claims of a policy on the Destination by origin, because a
// selector that names clusters has different sources in each.
func (c *claims) requested(i int) []requestedClaim {
	p := &c.result.TrafficPolicies[i]
	wanted := make([]requestedClaim, 0, len(c.clusters)*(len(p.RouteFeatures)+len(p.connectionFeatures)))
	for _, cluster := range c.clusters {
		if len(c.result.sources(i, cluster)) == 0 {
			continue
		}
		match := c.scope(p, i, cluster)
		for _, f := range p.RouteFeatures {
			wanted = append(wanted, requestedClaim{claim{f.Field, cluster, match}, f.Value})
		}
		for _, f := range p.connectionFeatures {
			wanted = append(wanted, requestedClaim{claim{field: f.Field, cluster: cluster}, f.Value})
		}
	}
	return wanted
}

// scope returns the number of a policy's match for requests from a cluster.
func (c *claims) scope(p *TrafficPolicy, i int, cluster string) int {
	within := p.scopeOf(cluster)
	if number, known := p.matchNumbers[within]; known {
		return number
	}
	key := p.matchKey(c.result.sources(i, cluster))
	number, known := c.scopes[key]
	if !known {
		number = len(c.scopes) + 1
		c.scopes[key] = number
	}
	p.matchNumbers[within] = number
	return number
}

// matchKey is equal for policies with the same match.
func (p *TrafficPolicy) matchKey(sources []selector.SourceMatch) string {
	var b strings.Builder
	for _, s := range sources {
		b.WriteString(s.Key() + "\x00")
	}
	for _, m := range p.matches {
		b.WriteString("\x01" + m.Key())
	}
	return b.String()
}

// feature returns the effective value of a policy's field.
func (p *TrafficPolicy) feature(field string) (any, bool) {
	for _, f := range slices.Concat(p.RouteFeatures, p.connectionFeatures) {
		if f.Field == field {
			return f.Value, true
		}
	}
	return nil, false
}

// AllowsPort reports whether the policy applies to a port of a Service. Ports
// that the Service does not have are ignored.
func (p *TrafficPolicy) AllowsPort(port uint32) bool {
	return AllowsPort(p.Resource.Spec.DestinationPorts, port)
}

func sortedFields(settings map[string]Setting) []string {
	return slices.Sorted(maps.Keys(settings))
}
