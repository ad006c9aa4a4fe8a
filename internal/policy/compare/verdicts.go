package compare

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

// Unreachable is the decision about a call that is impossible because the
// Destination is not federated to the caller's mesh. Only comparisons use it.
const Unreachable reach.Decision = "UNREACHABLE"

// VerdictChange is a changed decision about calls to one Destination.
type VerdictChange struct {
	Destination int
	// Before and After are equal for CONDITIONAL calls whose conditions change.
	Before, After reach.Decision
	// Fewer is true for CONDITIONAL calls that lose a condition under which they
	// were allowed; otherwise they only gain conditions.
	Fewer bool
	// Sources are the affected callers; Everyone is true if they are all that can
	// call the Destination in both results.
	Sources  WorkloadSet
	Everyone bool
	// RulesBefore and RulesAfter are the effective AccessPolicies on the pods
	// behind the Destination; if there are none, the default applies.
	RulesBefore, RulesAfter []world.ObjectID
}

// compareVerdicts sets Verdicts. The callers that rules allow are computed once
// per policy and identity, and each Destination only combines the sets.
func (c *comparer) compareVerdicts() {
	for id := range c.after.Destinations {
		if c.sameAccess(id) {
			continue
		}
		c.verdictsOn(id)
	}
}

// sameAccess reports whether a Destination has the same callers and the same
// rules in both results, so that no verdict differs.
func (c *comparer) sameAccess(id int) bool {
	d := &c.world().Destinations[id]
	was, is := c.before.Destinations[id].Federation, c.after.Destinations[id].Federation
	if was != is && (was == nil || is == nil || !slices.Equal(was.Meshes, is.Meshes)) {
		return false
	}
	if len(d.Backing) == 0 {
		return c.before.OpenGateway(d) == c.after.OpenGateway(d) && c.before.DeniesByDefault(d.Mesh) == c.after.DeniesByDefault(d.Mesh) &&
			c.sameRules(c.before.RulesOf(id), c.after.RulesOf(id))
	}
	return !slices.ContainsFunc(d.Backing, func(pod int) bool {
		w := &c.world().Workloads[pod]
		return c.before.DeniesByDefault(w.Mesh) != c.after.DeniesByDefault(w.Mesh) ||
			!c.sameRules(c.before.RulesFor(w), c.after.RulesFor(w)) ||
			(c.before.OpenGatewayOf(w) == nil) != (c.after.OpenGatewayOf(w) == nil)
	})
}

func (c *comparer) sameRules(was, is []policy.AccessRule) bool {
	return slices.EqualFunc(was, is, func(a, b policy.AccessRule) bool {
		return a.Destination == b.Destination && c.access.same(a.Policy, b.Policy)
	})
}

func (c *comparer) verdictsOn(id int) {
	was, is := c.decide(c.before, id), c.decide(c.after, id)
	for _, before := range decisions() {
		for _, after := range decisions() {
			if before == after && before != reach.Conditional {
				continue
			}
			if before != reach.Allowed && before != reach.Conditional && after != reach.Allowed && after != reach.Conditional {
				continue // the call stays impossible
			}
			change := VerdictChange{Destination: id, Before: before, After: after, RulesBefore: was.policies, RulesAfter: is.policies}
			sources := intersection(was.callers[before], is.callers[after])
			if before == after {
				lost, gained := c.missingTerms(was, is), c.missingTerms(is, was)
				gained.subtract(lost)
				gained.intersect(sources)
				c.noteVerdict(change, gained)
				change.Fewer = true
				sources.intersect(lost)
			}
			c.noteVerdict(change, sources)
		}
	}
}

// noteVerdict adds a change for its callers, if there are any.
func (c *comparer) noteVerdict(change VerdictChange, sources WorkloadSet) {
	if sources.isEmpty() {
		return
	}
	change.Sources, change.Everyone = sources, c.isEveryone(sources, change.Destination)
	c.Verdicts = append(c.Verdicts, change)
}

// decisions lists all decisions, the most permissive first.
func decisions() []reach.Decision {
	return []reach.Decision{reach.Allowed, reach.Conditional, reach.Denied, Unreachable}
}

// judgement is the decision of one result about all callers of a Destination.
type judgement struct {
	callers map[reach.Decision]WorkloadSet
	// policies are the effective policies on the pods.
	policies []world.ObjectID
	// terms are the conditions under which a pod allows callers.
	terms map[string]WorkloadSet
}

// decide computes Verdict for all workloads at once.
func (c *comparer) decide(r *policy.Result, id int) judgement {
	d := &c.world().Destinations[id]
	reaching := c.reaching(r, id)
	j := judgement{terms: map[string]WorkloadSet{}}
	var allowed, denied WorkloadSet
	pods := [][]policy.AccessRule{}
	if len(d.Backing) == 0 {
		rules := r.RulesOf(id)
		pods = append(pods, rules)
		allowed, denied = c.judgePods(r, &j, d, reaching, r.OpenGateway(d), rules, d.Mesh)
	}
	for i, pod := range d.Backing {
		w := &c.world().Workloads[pod]
		rules := r.RulesFor(w)
		pods = append(pods, rules)
		a, n := c.judgePods(r, &j, d, reaching, r.OpenGatewayOf(w) != nil, rules, w.Mesh)
		if i == 0 {
			allowed, denied = a, n
			continue
		}
		allowed.intersect(a)
		denied.intersect(n)
	}
	conditional := reaching.clone()
	conditional.subtract(allowed)
	conditional.subtract(denied)
	unreachable := c.all()
	unreachable.subtract(reaching)
	j.callers = map[reach.Decision]WorkloadSet{reach.Allowed: allowed, reach.Denied: denied, reach.Conditional: conditional, Unreachable: unreachable}
	seen := map[int]bool{}
	for _, rules := range pods {
		for _, rule := range rules {
			if !seen[rule.Policy] {
				seen[rule.Policy] = true
				j.policies = append(j.policies, accessID(r, rule.Policy))
			}
		}
	}
	slices.SortFunc(j.policies, compareIDs)
	return j
}

// judgePods returns the callers that pods allow unconditionally and those that
// they deny; the others are allowed under conditions, which are recorded as
// terms.
func (c *comparer) judgePods(
	r *policy.Result, j *judgement, called *world.Destination, reaching WorkloadSet, open bool, rules []policy.AccessRule, mesh *world.Mesh,
) (allowed, denied WorkloadSet) {
	none := newWorkloadSet(len(c.world().Workloads))
	if open || len(rules) == 0 {
		if !open && r.DeniesByDefault(mesh) {
			return none, reaching.clone()
		}
		return reaching.clone(), none
	}
	allowed, denied = none, reaching.clone()
	for _, rule := range rules {
		for _, a := range c.admissionsOf(r, rule, called) {
			callers := intersection(a.callers, reaching)
			denied.subtract(callers)
			if a.terms == "" {
				allowed.unite(callers)
				continue
			}
			if _, known := j.terms[a.terms]; !known {
				j.terms[a.terms] = newWorkloadSet(len(c.world().Workloads))
			}
			j.terms[a.terms].unite(callers)
		}
	}
	return allowed, denied
}

// missingTerms returns the callers that lose a condition under which they were
// allowed.
func (c *comparer) missingTerms(was, is judgement) WorkloadSet {
	missing := newWorkloadSet(len(c.world().Workloads))
	for terms, callers := range was.terms {
		only := callers.clone()
		only.subtract(is.terms[terms])
		missing.unite(only)
	}
	return missing
}

// admission is the callers that one grant of a policy allows, and under which
// terms; "" for none.
type admission struct {
	callers WorkloadSet
	terms   string
}

// admissionKey identifies cached admissions: by policy; with the trust domain if
// it allows the Destination's own mesh; with the pods' ports of the called
// Destination if it is restricted to ports.
type admissionKey struct {
	result      *policy.Result
	policy      int
	trustDomain string
	ports       string
}

// admissionsOf returns the callers of a Destination that a rule allows.
func (c *comparer) admissionsOf(r *policy.Result, rule policy.AccessRule, called *world.Destination) []admission {
	p := &r.AccessPolicies[rule.Policy]
	d := &c.world().Destinations[rule.Destination]
	key := admissionKey{result: r, policy: rule.Policy}
	if d.Mesh != nil && (p.AdmitsOwnMeshOnly() || p.AsReadBy(d.Mesh)) {
		key.trustDomain = d.Mesh.TrustDomain
	}
	operation, possible := reach.In(r).OperationOn(rule, called)
	if !possible {
		return nil
	}
	if len(operation.Ports) > 0 {
		key.ports = fmt.Sprint(operation.Ports)
	}
	admissions, known := c.admissions[key]
	if !known {
		for _, grant := range p.Grants(d) {
			condition := operation
			condition.Request = grant.Request
			terms := ""
			if !condition.IsZero() {
				terms = condition.Key()
			}
			admissions = append(admissions, admission{c.admitted(grant), terms})
		}
		c.admissions[key] = admissions
	}
	return admissions
}

// identityClass is the workloads with one identity.
type identityClass struct {
	identity  selector.Identity
	known     bool
	workloads []int
}

func (c *comparer) admitted(grant selector.Grant) WorkloadSet {
	c.classifyIdentities()
	admitted := newWorkloadSet(len(c.world().Workloads))
	for _, class := range c.identities {
		if grant.Admits(class.identity, class.known) {
			for _, id := range class.workloads {
				admitted.add(id)
			}
		}
	}
	return admitted
}

func (c *comparer) classifyIdentities() {
	if c.identities != nil {
		return
	}
	places := map[selector.Identity]int{}
	for i := range c.world().Workloads {
		w := &c.world().Workloads[i]
		if w.Mesh == nil {
			continue
		}
		identity, known := selector.IdentityOf(w)
		k, seen := places[identity]
		if !seen {
			k = len(c.identities)
			places[identity] = k
			c.identities = append(c.identities, identityClass{identity: identity, known: known})
		}
		c.identities[k].workloads = append(c.identities[k].workloads, i)
	}
}
