package impact

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

// accessChanges groups Destinations whose decision changes for the same callers
// and the same reason.
func (v viewer) accessChanges(changes []compare.VerdictChange) []AccessChange {
	type key struct {
		before, after   reach.Decision
		reason, sources string
		everyone, fewer bool
	}
	type group struct {
		compare.VerdictChange
		reason       string
		destinations []int
	}
	var groups []*group
	places := map[key]*group{}
	for _, c := range changes {
		at := key{before: c.Before, after: c.After, reason: v.accessReason(c), everyone: c.Everyone, fewer: c.Fewer}
		if !c.Everyone { // all callers differ by Destination
			at.sources = c.Sources.Key()
		}
		if places[at] == nil {
			places[at] = &group{VerdictChange: c, reason: at.reason}
			groups = append(groups, places[at])
		}
		places[at].Sources = places[at].Sources.Union(c.Sources)
		places[at].destinations = append(places[at].destinations, c.Destination)
	}
	views := make([]AccessChange, 0, len(groups))
	for _, g := range groups {
		views = append(views, AccessChange{
			Before: shown(g.Before), After: shown(g.After), Fewer: g.Fewer, Reason: g.reason, Destinations: describe.DestinationKeys(v.world, g.destinations),
			Callers: v.callers(g.Sources, g.Everyone), byDefault: len(g.RulesAfter) == 0,
			federation: g.Before == compare.NotFederated || g.After == compare.NotFederated,
		})
	}
	slices.SortStableFunc(views, func(a, b AccessChange) int {
		pairs := func(c AccessChange) int { return c.SourceCount * len(c.Destinations) }
		return pairs(b) - pairs(a)
	})
	return views
}

// accessReason returns the reason of the new decision, in words that apply to
// every Destination in the same situation.
func (v viewer) accessReason(c compare.VerdictChange) string {
	switch c.After {
	case compare.NotFederated:
		return "no longer federated to their mesh"
	case reach.Unreachable, reach.Unknown:
		return v.verdictOf(c).Reason
	case reach.Conditional:
		return v.terms(c)
	case reach.Denied:
		switch verdict := v.verdictOf(c); {
		case verdict.Code == reach.CodeNoIdentity || verdict.Code == reach.CodeOnlyHTTP:
			return verdict.Reason
		case len(c.RulesAfter) == 0:
			return v.defaultReason(c.Destination, "denies")
		case len(c.RulesBefore) == 0:
			return v.firstPolicies(c.RulesAfter, &v.world.Destinations[c.Destination])
		default:
			return "no AccessPolicy there allows them"
		}
	case reach.Allowed:
	}
	switch {
	case c.Before == compare.NotFederated && len(c.RulesAfter) == 0:
		return "federated to their mesh"
	case len(c.RulesAfter) == 0 && len(c.RulesBefore) > 0:
		return "no AccessPolicy is effective there now"
	case len(c.RulesAfter) == 0:
		return v.defaultReason(c.Destination, "allows")
	}
	return v.verdictOf(c).Reason
}

// verdictOf returns the new verdict about calls of the first of the callers.
func (v viewer) verdictOf(c compare.VerdictChange) reach.Verdict {
	return v.calls.Verdict(&v.world.Workloads[c.Sources.First(1)[0]], &v.world.Destinations[c.Destination])
}

// shown returns a decision as it is shown: a call to what is not federated is one
// that cannot be made.
func shown(d reach.Decision) reach.Decision {
	if d == compare.NotFederated {
		return reach.Unreachable
	}
	return d
}

// defaultReason names the VirtualMesh whose default applies without an
// AccessPolicy.
func (v viewer) defaultReason(destination int, does string) string {
	d := &v.world.Destinations[destination]
	if d.Mesh == nil {
		return "its mesh is not known"
	}
	vm := v.result.DenyingByDefault(d.Mesh)
	if vm == nil {
		vm = v.result.Meshes[d.Mesh.ID].VirtualMesh
	}
	if vm == nil {
		return "its mesh does not belong to a VirtualMesh"
	}
	return "VirtualMesh " + describe.ObjectRef{Namespace: vm.Resource.Namespace, Name: vm.Resource.Name}.String() + " " + does + " by default (globalAccessPolicy " + string(vm.GlobalAccessPolicy()) + ")"
}

// firstPolicies returns the callers that the first AccessPolicies on a Destination allow;
// before, all callers were allowed.
func (v viewer) firstPolicies(policies []world.ObjectID, d *world.Destination) string {
	var names, allowed []string
	for _, id := range policies {
		names = append(names, id.Name+"."+id.Namespace)
		p := &v.result.AccessPolicies[v.access[id]]
		if elsewhere := !slices.Contains(p.Destinations, d.ID); elsewhere || v.calls.Admits(v.access[id], d) {
			allowed = append(allowed, describe.IdentitySelectorTexts(p.Resource.Spec.SourceSelector)...)
		}
	}
	slices.Sort(allowed)
	who := "only " + anyOf(slices.Compact(allowed))
	if len(allowed) == 0 {
		who = "nobody"
	}
	if len(names) == 1 {
		return firstPolicy(names[0]) + " allows " + who
	}
	return "the first AccessPolicies there, " + andMore(names) + ", allow " + who
}

func firstPolicy(name string) string { return "the first AccessPolicy there, " + name + "," }

// terms returns the conditions under which callers are now allowed.
func (v viewer) terms(c compare.VerdictChange) string {
	verdict := describe.AccessOf(v.result, v.verdictOf(c))
	if len(verdict.Policies) == 0 || strings.HasPrefix(verdict.Reason, "depends on the pod") {
		return verdict.Why()
	}
	_, conditions, _ := strings.Cut(verdict.Why(), ": only ")
	if len(verdict.Policies) == 1 {
		return "AccessPolicy " + verdict.Policies[0].String() + " allows only " + conditions
	}
	return "AccessPolicies " + andMore(describe.RefNames(verdict.Policies)) + " allow only " + conditions
}

// anyOf joins alternatives, at most three.
func anyOf(alternatives []string) string {
	const most = 3
	if len(alternatives) > most {
		return strings.Join(alternatives[:most-1], ", ") + " and others"
	}
	return strings.Join(alternatives, " or ")
}
