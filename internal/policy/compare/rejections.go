package compare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// RejectionChange is a policy that is not effective on Destinations in one of two
// results.
type RejectionChange struct {
	Policy world.ObjectID
	// Fields are all settings of a TrafficPolicy: if one setting on a Destination
	// is overridden, none of them is effective there.
	Fields []string
	// Field is the conflicting setting; empty if there is no single one.
	Field  string
	Reason string
	// Winner is the policy that is effective instead; the zero ObjectID if there
	// is none.
	Winner       world.ObjectID
	Destinations []int
}

// compareRejections sets Rejected and Restored.
func (c *comparer) compareRejections() {
	was := rejectionsIn(c.before, c.traffic.after, c.access.after)
	is := rejectionsIn(c.after, nil, nil)
	c.Rejected = differing(is, was)
	c.Restored = differing(was, is)
}

// rejection is one reason why a policy is not effective on a Destination.
type rejection struct {
	policy, winner world.ObjectID
	field, reason  string
	destination    int
}

type rejections struct {
	of     map[rejection]bool
	fields map[world.ObjectID][]string
}

// rejectionsIn returns why and where policies are not effective. Given the
// positions of the same policies in the other result, those without a counterpart
// are omitted.
func rejectionsIn(r *policy.Result, traffic, access []int) rejections {
	found := rejections{map[rejection]bool{}, map[world.ObjectID][]string{}}
	for id := range r.Destinations {
		for _, j := range r.Destinations[id].Rejections {
			if traffic == nil || traffic[j.Policy] >= 0 {
				addTrafficRejection(r, found, j, id)
			}
		}
	}
	for i := range r.AccessPolicies {
		if access == nil || access[i] >= 0 {
			addAccessRejections(r, found, i)
		}
	}
	return found
}

func addTrafficRejection(r *policy.Result, to rejections, j policy.Rejection, destination int) {
	entry := rejection{policy: trafficID(r, j.Policy), field: j.Field, reason: j.Reason, destination: destination}
	if j.Winner >= 0 {
		entry.winner = trafficID(r, j.Winner)
	}
	to.of[entry] = true
	to.fields[entry.policy] = r.TrafficPolicies[j.Policy].Fields
}

func addAccessRejections(r *policy.Result, to rejections, i int) {
	for id, reasons := range r.AccessPolicies[i].Rejected {
		for _, reason := range reasons {
			to.of[rejection{policy: accessID(r, i), reason: reason, destination: id}] = true
		}
	}
}

// differing returns the elements of a that are not in b, one per reason. A policy
// that is not effective in both, for different reasons, is not a difference.
func differing(a, b rejections) []RejectionChange {
	type place struct {
		policy      world.ObjectID
		destination int
	}
	rejected := make(map[place]bool, len(b.of))
	for j := range b.of {
		rejected[place{j.policy, j.destination}] = true
	}
	destinations := map[rejection][]int{}
	for j := range a.of {
		if !rejected[place{j.policy, j.destination}] {
			shared := j
			shared.destination = 0
			destinations[shared] = append(destinations[shared], j.destination)
		}
	}
	var changes []RejectionChange
	for j, ids := range destinations {
		slices.Sort(ids)
		changes = append(changes, RejectionChange{
			Policy: j.policy, Fields: a.fields[j.policy], Field: j.field, Reason: j.reason, Winner: j.winner, Destinations: ids,
		})
	}
	slices.SortFunc(changes, func(a, b RejectionChange) int {
		return cmp.Or(compareIDs(a.Policy, b.Policy), strings.Compare(a.Field, b.Field), strings.Compare(a.Reason, b.Reason))
	})
	return changes
}

// compareFindings sets Introduced and Fixed.
func (c *comparer) compareFindings() {
	c.Introduced = findingsBeyond(c.after.Findings, c.before.Findings)
	c.Fixed = findingsBeyond(c.before.Findings, c.after.Findings)
}

// findingsBeyond returns the findings that are not in others. If only the objects
// change that a message lists, the finding is not a new one; other differences have
// the details.
func findingsBeyond(findings, others []finding.Finding) []finding.Finding {
	type key struct {
		code            finding.Code
		object, message string
	}
	keyOf := func(f finding.Finding) key {
		return key{f.Code, f.Object, cmp.Or(f.Constant, f.Message)}
	}
	known := make(map[key]bool, len(others))
	for _, f := range others {
		known[keyOf(f)] = true
	}
	var beyond []finding.Finding
	for _, f := range findings {
		if !known[keyOf(f)] {
			beyond = append(beyond, f)
		}
	}
	return beyond
}
