package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// Role is the side of a request on which a policy affects a workload.
type Role string

// The roles.
const (
	RoleSource      Role = "source"
	RoleDestination Role = "destination"
)

// State is how much of a policy is effective for a workload.
type State string

// The states: effective on all relevant Destinations, on some, on none.
const (
	StateApplied State = "APPLIED"
	StatePartial State = "PARTIAL"
	StateInvalid State = "INVALID"
)

// Effect is one policy that affects a workload in one role.
type Effect struct {
	Policy PolicyRef
	Role   Role
	State  State
	// Destinations are those on which it is effective for this workload,
	// ascending; not set in summaries.
	Destinations []int
	// Count is the number of these Destinations.
	Count int
	// Errors are the reasons why it is not effective on the others.
	Errors []string
	// ConnectionsOnly is true if the policy does not select the workload, but its
	// connection settings hold for all callers of the cluster (D57).
	ConnectionsOnly bool
}

// Effects lists every policy that affects a workload: as the source of requests
// to Destinations it can reach, and as one of the pods behind the Destinations it
// serves. A policy that is INVALID as a whole is listed if its selectors match
// the workload. detail adds the Destinations of each effect; without it, the cost
// does not depend on their number. The order is by kind, namespace, name and
// role.
func (r *Result) Effects(w *world.Workload, detail bool) []*Effect {
	if w.Mesh == nil {
		return nil
	}
	traffic, access := r.SourcePolicies(w)
	effects := make([]*Effect, 0, len(traffic)+len(access))
	known := r.effectsFrom(w, detail)
	for _, i := range traffic {
		if effect := r.sourceEffect(known, PolicyRef{KindTrafficPolicy, i}, w); effect != nil {
			effects = append(effects, effect)
		}
	}
	for _, i := range r.ConnectionPolicies(w) {
		if effect := r.connectionEffect(known, i, w); effect != nil {
			effects = append(effects, effect)
		}
	}
	for _, i := range access {
		if effect := r.sourceEffect(known, PolicyRef{KindAccessPolicy, i}, w); effect != nil {
			effects = append(effects, effect)
		}
	}
	effects = append(effects, r.destinationEffects(w)...)
	slices.SortFunc(effects, compareEffects)
	return effects
}

// viewpoint identifies workloads that reach the same Destinations of every
// policy.
type viewpoint struct {
	cluster string
	mesh    int
	detail  bool
}

// sourceEffects caches the effects of policies on the workloads of a viewpoint as
// sources, by the position of the policy; nil until first used.
type sourceEffects struct {
	detail          bool
	traffic, access []*Effect
	// connections are those with ConnectionsOnly.
	connections map[int]*Effect
}

// effectsFrom returns the cached effects for the workload's viewpoint, which the
// caller extends.
func (r *Result) effectsFrom(w *world.Workload, detail bool) *sourceEffects {
	at := viewpoint{w.Cluster, w.Mesh.ID, detail}
	known := r.effects[at]
	if known == nil {
		known = &sourceEffects{
			detail: detail, connections: map[int]*Effect{}, traffic: make([]*Effect, len(r.TrafficPolicies)), access: make([]*Effect, len(r.AccessPolicies)),
		}
		r.effects[at] = known
	}
	return known
}

// sourceEffect returns how a policy affects a workload as source; nil if the
// workload reaches none of its Destinations. All workloads of the viewpoint share
// the result.
func (r *Result) sourceEffect(known *sourceEffects, ref PolicyRef, w *world.Workload) *Effect {
	effects := known.access
	if ref.Kind == KindTrafficPolicy {
		effects = known.traffic
	}
	if effects[ref.Index] == nil {
		effects[ref.Index] = r.newSourceEffect(ref, w, known.detail)
	}
	if effect := effects[ref.Index]; effect.State != "" {
		return effect
	}
	return nil
}

// connectionEffect returns how the connection settings of a policy affect a
// workload that it does not select; nil if they do not. All workloads of the
// viewpoint share the result.
func (r *Result) connectionEffect(known *sourceEffects, policy int, w *world.Workload) *Effect {
	effect, found := known.connections[policy]
	if !found {
		if whole := r.sourceEffect(known, PolicyRef{KindTrafficPolicy, policy}, w); whole != nil && whole.Count > 0 {
			part := *whole
			part.ConnectionsOnly = true
			effect = &part
		}
		known.connections[policy] = effect
	}
	return effect
}

// FieldsOf returns the settings of the policy that affect the workload, sorted.
func (r *Result) FieldsOf(e *Effect) []string {
	if e.ConnectionsOnly {
		return r.TrafficPolicies[e.Policy.Index].connectionFields()
	}
	return r.Fields(e.Policy)
}

// newSourceEffect returns an Effect without State if the policy does not affect
// the workload.
func (r *Result) newSourceEffect(ref PolicyRef, w *world.Workload, detail bool) *Effect {
	app, found := r.application(ref), r.count(ref, w)
	// If references do not resolve, it is not known whether an INVALID policy
	// would reach anything, so it is shown.
	if found.concerned == 0 && (len(app.AllErrors()) == 0 || len(app.Destinations) > 0) {
		return &Effect{}
	}
	effect := newEffect(ref, RoleSource, app, found)
	if !detail {
		effect.Destinations = nil
	}
	return effect
}

// SourcePolicies returns the positions of the policies whose source selector
// matches the workload, regardless of their destinations, ascending. Those of
// TrafficPolicies match sidecars only.
func (r *Result) SourcePolicies(w *world.Workload) (traffic, access []int) {
	traffic = slices.DeleteFunc(r.trafficSources.Candidates(w), func(i int) bool {
		return !r.affects(i, w)
	})
	identity, known := selector.IdentityOf(w)
	access = slices.DeleteFunc(r.accessSources.Candidates(w), func(i int) bool {
		p := &r.AccessPolicies[i]
		return !p.ownMeshOnly() && !slices.ContainsFunc(p.sources, func(g selector.Grant) bool { return g.Admits(identity, known) })
	})
	return traffic, access
}

// HasSource reports whether a policy has a workload as source of requests to
// any of its Destinations.
func (r *Result) HasSource(ref PolicyRef, w *world.Workload) bool {
	if ref.Kind == KindTrafficPolicy {
		return r.affects(ref.Index, w)
	}
	identity, known := selector.IdentityOf(w)
	p := &r.AccessPolicies[ref.Index]
	if !p.ownMeshOnly() {
		return slices.ContainsFunc(p.sources, func(g selector.Grant) bool { return g.Admits(identity, known) })
	}
	return slices.ContainsFunc(p.Destinations, func(id int) bool { return r.mayConcern(ref, w, id) })
}

// tally counts the Destinations that a policy selects and a workload reaches.
type tally struct {
	// concerned is their number, destinations are those on which it is effective.
	concerned    int
	destinations []int
	applied      int
	errors       map[string]bool
}

func (r *Result) count(ref PolicyRef, w *world.Workload) tally {
	var t tally
	app := r.application(ref)
	for _, id := range app.Destinations {
		if !r.Reaches(w, id) || !r.mayConcern(ref, w, id) {
			continue
		}
		t.add(app, id)
	}
	return t
}

// mayConcern reports whether a policy that matches the workload also does so for
// this Destination: an access policy without sourceSelector only allows the
// Destination's own mesh (D31), and meshes may read identities differently
// (AsReadBy).
func (r *Result) mayConcern(ref PolicyRef, w *world.Workload, destination int) bool {
	if ref.Kind == KindTrafficPolicy {
		return true
	}
	if p := &r.AccessPolicies[ref.Index]; !p.ownMeshOnly() && !p.isReadDifferently() {
		return true
	}
	identity, known := selector.IdentityOf(w)
	return slices.ContainsFunc(r.AccessPolicies[ref.Index].Grants(&r.World.Destinations[destination]), func(g selector.Grant) bool {
		return g.Admits(identity, known)
	})
}

func (t *tally) add(app *Application, destination int) {
	t.concerned++
	if errors, rejected := app.Rejected[destination]; rejected {
		if t.errors == nil {
			t.errors = map[string]bool{}
		}
		for _, e := range errors {
			t.errors[e] = true
		}
	} else if app.Valid() {
		t.applied++
		t.destinations = append(t.destinations, destination)
	}
}

// destinationEffects lists the policies on the Destinations that select the
// workload.
func (r *Result) destinationEffects(w *world.Workload) []*Effect {
	tallies := map[PolicyRef]*tally{}
	for _, id := range w.Backs {
		for _, ref := range r.policiesOn(id) {
			if tallies[ref] == nil {
				tallies[ref] = &tally{}
			}
			tallies[ref].add(r.application(ref), id)
		}
	}
	effects := make([]*Effect, 0, len(tallies))
	for ref, t := range tallies {
		effects = append(effects, newEffect(ref, RoleDestination, r.application(ref), *t))
	}
	return effects
}

// policiesOn returns every policy that selects a Destination, including those
// that are INVALID.
func (r *Result) policiesOn(destination int) []PolicyRef {
	var refs []PolicyRef
	for _, i := range r.Destinations[destination].Traffic {
		refs = append(refs, PolicyRef{KindTrafficPolicy, i})
	}
	for _, i := range r.Destinations[destination].Access {
		refs = append(refs, PolicyRef{KindAccessPolicy, i})
	}
	return append(refs, r.InvalidOn(destination)...)
}

func newEffect(ref PolicyRef, role Role, app *Application, t tally) *Effect {
	effect := &Effect{Policy: ref, Role: role, Destinations: t.destinations, Count: t.applied}
	switch {
	case !app.Valid():
		effect.State, effect.Errors = StateInvalid, app.AllErrors()
	case t.concerned == 0:
		effect.State, effect.Errors = StateInvalid, app.Unresolved
	case t.applied == 0:
		effect.State, effect.Errors = StateInvalid, slices.Sorted(maps.Keys(t.errors))
	case len(t.errors) > 0:
		effect.State, effect.Errors = StatePartial, slices.Sorted(maps.Keys(t.errors))
	case len(app.Unresolved) > 0 && role == RoleSource: // which could have selected this workload too
		effect.State, effect.Errors = StatePartial, app.Unresolved
	default:
		effect.State = StateApplied
	}
	return effect
}

// compareEffects orders by kind, namespace and name (as the world's positions
// are), and role. TrafficPolicies come before AccessPolicies: routing reads
// better before access.
func compareEffects(a, b *Effect) int {
	switch {
	case a.Policy.Kind != b.Policy.Kind:
		return strings.Compare(string(b.Policy.Kind), string(a.Policy.Kind))
	case a.Policy.Index != b.Policy.Index:
		return cmp.Compare(a.Policy.Index, b.Policy.Index)
	default:
		return strings.Compare(string(b.Role), string(a.Role)) // source before destination
	}
}

// Inbound is one Destination that selects a workload.
type Inbound struct {
	Destination int
	// DeniesOthers is true if callers that no rule allows are denied: by the
	// VirtualMesh, or because there are rules (D33).
	DeniesOthers bool
	// Rules are all access rules on the workload's pods, those of this
	// Destination first.
	Rules []AccessRule
}

// Inbound lists the Destinations that select a workload, in the order of
// World.Destinations.
func (r *Result) Inbound(w *world.Workload) []Inbound {
	rules := r.RulesFor(w)
	served := make([]Inbound, 0, len(w.Backs))
	for _, id := range w.Backs {
		served = append(served, r.inboundOf(w, id, rules))
	}
	return served
}

func (r *Result) inboundOf(w *world.Workload, destination int, rules []AccessRule) Inbound {
	if !r.HasConnections(w) { // no proxy enforces rules (D50)
		return Inbound{Destination: destination}
	}
	own := r.RulesOf(destination)
	listed := make(map[int]bool, len(own))
	for _, rule := range own {
		listed[rule.Policy] = true
	}
	for _, rule := range rules {
		if rule.Destination != destination && !listed[rule.Policy] {
			listed[rule.Policy] = true
			own = append(own, rule)
		}
	}
	return Inbound{
		Destination: destination, Rules: own,
		DeniesOthers: r.OpenGatewayOf(w) == nil && (len(rules) > 0 || r.deniesByDefault(w.Mesh)),
	}
}
