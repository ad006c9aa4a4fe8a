package compare

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

// NotFederated is the decision about a call that is impossible because the
// Destination is not federated to the caller's mesh. Only comparisons use it.
const NotFederated reach.Decision = "NOT_FEDERATED"

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

// sameAccess reports whether a Destination has the same callers, connections and
// rules in both results, so that no verdict differs.
func (c *comparer) sameAccess(id int) bool {
	d := &c.world().Destinations[id]
	was, is := c.before.Destinations[id].Federation, c.after.Destinations[id].Federation
	if was != is && (was == nil || is == nil || was.Flat != is.Flat || !slices.Equal(was.Meshes, is.Meshes)) {
		return false
	}
	if !c.sameConnections(id) {
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

// sameConnections reports whether callers connect to a Destination in the same way
// in both results.
func (c *comparer) sameConnections(id int) bool {
	was, is := c.callsIn(c.before), c.callsIn(c.after)
	if d := &c.world().Destinations[id]; !d.IsService() || !was.Vary(d) && !is.Vary(d) && !is.Hides(d) {
		// What decides besides, such as trust domains and the names of hosts, was
		// discovered and is the same. Gateways, which may be in namespaces where the
		// Destination is hidden, are not.
		return true
	}
	for _, callers := range c.callersByMesh() {
		// Both results have the same receivers, but for their rules.
		before, after := &c.before.World.Destinations[id], &c.after.World.Destinations[id]
		now := is.Receivers(after)
		for i, to := range was.Receivers(before) {
			if slices.ContainsFunc(callers.Parts(), func(from reach.Caller) bool {
				return !was.Connect(from, before, to).Equal(is.Connect(from, after, now[i]))
			}) {
				return false
			}
		}
	}
	return true
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
			if fails(before) && fails(after) {
				continue
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
	change.Sources, change.Everyone = sources, c.isEveryone(sources, change.Destination, c.all())
	c.Verdicts = append(c.Verdicts, change)
}

// fails reports whether calls with a decision are known to fail.
func fails(decision reach.Decision) bool {
	return decision != reach.Allowed && decision != reach.Conditional && decision != reach.Unknown
}

// decisions lists all decisions, the most permissive first.
func decisions() []reach.Decision {
	return []reach.Decision{reach.Allowed, reach.Conditional, reach.Unknown, reach.Denied, reach.Unreachable, NotFederated}
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
	reaching := c.reaching(r, id)
	all := len(c.world().Workloads)
	j := judgement{terms: map[string]WorkloadSet{}, callers: map[reach.Decision]WorkloadSet{}}
	for _, decision := range decisions() {
		j.callers[decision] = newWorkloadSet(all)
	}
	for _, from := range c.callersByMesh() {
		if callers := intersection(reaching, from.workloads); !callers.isEmpty() {
			c.decideFrom(r, &j, id, from.Caller, callers)
		}
	}
	j.callers[NotFederated].unite(c.all())
	notFederated := j.callers[NotFederated]
	notFederated.subtract(reaching)
	seen := map[int]bool{}
	for _, pod := range c.callsIn(r).Receivers(&r.World.Destinations[id]) {
		for _, rule := range pod.Rules {
			if !seen[rule.Policy] {
				seen[rule.Policy] = true
				j.policies = append(j.policies, accessID(r, rule.Policy))
			}
		}
	}
	slices.SortFunc(j.policies, compareIDs)
	return j
}

// decideFrom adds the decisions about callers of one mesh in one cluster.
func (c *comparer) decideFrom(r *policy.Result, j *judgement, id int, from reach.Caller, callers WorkloadSet) {
	d := &r.World.Destinations[id]
	allowed, closed, unreachable := callers.clone(), callers.clone(), callers.clone()
	unknown := newWorkloadSet(len(c.world().Workloads))
	for _, part := range from.Parts() {
		for _, pod := range c.callsIn(r).ReceiversFrom(part, d) {
			connection := c.callsIn(r).Connect(part, d, pod)
			if connection.Unknown != nil { // it is so for all pods, or takes precedence
				unknown.unite(callers)
			}
			if len(connection.Open) == 0 {
				allowed = newWorkloadSet(len(c.world().Workloads))
				continue
			}
			unreachable = newWorkloadSet(len(c.world().Workloads))
			a, n := c.judgePods(r, j, d, callers, pod, connection)
			allowed.intersect(a)
			closed.intersect(n)
		}
	}
	denied := closed.clone()
	denied.subtract(unreachable)
	conditional := callers.clone()
	conditional.subtract(allowed)
	conditional.subtract(closed)
	for decision, decided := range map[reach.Decision]WorkloadSet{
		reach.Allowed: allowed, reach.Denied: denied, reach.Conditional: conditional, reach.Unreachable: unreachable, reach.Unknown: unknown,
	} {
		if decision != reach.Unknown {
			decided.subtract(unknown)
		}
		all := j.callers[decision]
		all.unite(decided)
	}
}

// judgePods returns the callers that pods allow unconditionally and those that
// they deny; the others are allowed under conditions, which are recorded as
// terms.
func (c *comparer) judgePods(
	r *policy.Result, j *judgement, called *world.Destination, callers WorkloadSet, pod reach.Receiver, connection *reach.Connection,
) (allowed, denied WorkloadSet) {
	none := newWorkloadSet(len(c.world().Workloads))
	if pod.Bare || pod.Gateway != nil || len(pod.Rules) == 0 {
		switch {
		case !pod.Bare && pod.Gateway == nil && r.DeniesByDefault(pod.Mesh):
			return none, callers.clone()
		case !connection.Whole:
			j.note(policy.Condition{Ports: connection.Open}, callers, none)
			return none, none.clone()
		default:
			return callers.clone(), none
		}
	}
	allowed, denied = none, callers.clone()
	type term struct {
		condition policy.Condition
		callers   WorkloadSet
	}
	var terms []term
	for _, rule := range pod.Rules {
		for _, a := range c.admissionsOf(r, rule) {
			condition, code := c.callsIn(r).Terms(rule, a.grant, called, connection)
			if code != "" {
				continue
			}
			admitted := intersection(a.callers, callers)
			denied.subtract(admitted)
			if condition.IsZero() {
				allowed.unite(admitted)
			} else {
				terms = append(terms, term{condition, admitted})
			}
		}
	}
	for _, t := range terms {
		t.callers.subtract(allowed) // whom something else allows needs no condition
		j.note(t.condition, t.callers, newWorkloadSet(len(c.world().Workloads)))
	}
	return allowed, denied
}

// note records callers that are allowed under a condition; empty is a set for a
// condition that is new.
func (j *judgement) note(condition policy.Condition, callers, empty WorkloadSet) {
	key := condition.Key()
	if _, known := j.terms[key]; !known {
		j.terms[key] = empty.clone()
	}
	all := j.terms[key]
	all.unite(callers)
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

// admission is the callers that one grant of a policy allows, whatever else it
// requires.
type admission struct {
	grant   *selector.Grant
	callers WorkloadSet
}

// admissionKey identifies cached admissions: by policy; with the Destination's mesh if
// who is allowed depends on it.
type admissionKey struct {
	result *policy.Result
	policy int
	mesh   *world.Mesh
}

// admissionsOf returns the callers that a rule allows.
func (c *comparer) admissionsOf(r *policy.Result, rule policy.AccessRule) []admission {
	p := &r.AccessPolicies[rule.Policy]
	d := &c.world().Destinations[rule.Destination]
	key := admissionKey{result: r, policy: rule.Policy}
	if d.Mesh != nil && (p.AdmitsOwnMeshOnly() || p.AsReadBy(d.Mesh)) {
		key.mesh = d.Mesh
	}
	admissions, known := c.admissions[key]
	if !known {
		for _, grant := range p.Grants(d) {
			admissions = append(admissions, admission{&grant, c.admitted(grant)})
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
