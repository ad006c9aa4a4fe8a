package compare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// Impact is the effect of one authored object: the Differences between the worlds
// without and with it, and the result for the object itself.
type Impact struct {
	*Differences
	Object world.ObjectID
	// Presence is empty if the object is unchanged.
	Presence Presence
	// State is the state of a policy (APPLIED, PARTIAL, INVALID, IDLE) or of a
	// VirtualMesh (ACCEPTED, INVALID); Errors are the reasons if it is INVALID as
	// a whole.
	State  policy.State
	Errors []string
	// Fields are the settings of a policy.
	Fields []string

	// Selected are the Destinations that a policy selects, Effective those on
	// which it is effective, ascending.
	Selected, Effective []int
	// Sources are the workloads whose requests the policy affects, Targets those
	// behind the Destinations on which it is effective, ascending.
	Sources, Targets []int
	// Admitting are the Destinations to which an AccessPolicy allows any request,
	// ascending.
	Admitting []int
	// Clusters are the clusters of Sources and Targets, sorted.
	Clusters []string
	// Losses are the reasons why the policy is not effective on Destinations, new
	// or not.
	Losses []RejectionChange
	// Ineffective are settings that other policies override although the policy
	// is effective.
	Ineffective []IneffectiveSetting

	// VirtualMesh is only set for a VirtualMesh.
	VirtualMesh *policy.VirtualMesh
}

// ImpactOf compares the world without and with one authored object, named by kind
// (VirtualMesh, TrafficPolicy, AccessPolicy), namespace and name. As for Results,
// discovered objects must be the same in both results. It returns nil if the
// object is not in the second world.
func ImpactOf(before, after *policy.Result, kind, namespace, name string) *Impact {
	id := world.ObjectID{Kind: kind, Namespace: namespace, Name: name}
	k, known := find(after, id)
	if !known {
		return nil
	}
	c := newComparer(before, after)
	c.compare()
	impact := &Impact{Differences: c.Differences, Object: id}
	for _, change := range c.Objects {
		if change.Object == id {
			impact.Presence = change.Presence
		}
	}
	if kind == kindVirtualMesh {
		impact.VirtualMesh = &after.VirtualMeshes[k]
		impact.State, impact.Errors = virtualMeshState(after, k)
		return impact
	}
	c.addPolicy(impact, policy.PolicyRef{Kind: policy.PolicyKind(kind), Index: k})
	return impact
}

const kindVirtualMesh = "VirtualMesh"

// find returns the position of an authored object among those of its kind.
func find(r *policy.Result, id world.ObjectID) (position int, known bool) {
	switch id.Kind {
	case kindVirtualMesh:
		position = slices.IndexFunc(r.VirtualMeshes, func(vm policy.VirtualMesh) bool { return vm.ID() == id })
	case string(policy.KindTrafficPolicy):
		position = slices.IndexFunc(r.TrafficPolicies, func(p policy.TrafficPolicy) bool { return p.ID() == id })
	case string(policy.KindAccessPolicy):
		position = slices.IndexFunc(r.AccessPolicies, func(p policy.AccessPolicy) bool { return p.ID() == id })
	default:
		position = -1
	}
	return position, position >= 0
}

func (c *comparer) addPolicy(impact *Impact, ref policy.PolicyRef) {
	app := c.after.ApplicationOf(ref)
	impact.State, impact.Errors, impact.Fields = app.State(), app.AllErrors(), app.Fields
	impact.Selected, impact.Effective = app.Destinations, app.EffectiveDestinations()
	if !app.Valid() {
		return
	}
	impact.Sources, impact.Admitting = c.callsIn(c.after).AffectedSources(ref)
	impact.Targets = c.after.AffectedTargets(ref)
	for _, id := range slices.Concat(impact.Sources, impact.Targets) {
		impact.Clusters = append(impact.Clusters, c.world().Workloads[id].Cluster)
	}
	slices.Sort(impact.Clusters)
	impact.Clusters = slices.Compact(impact.Clusters)
	impact.Losses = rejectionsOf(c.after, ref)
	if ref.Kind == policy.KindTrafficPolicy {
		impact.Ineffective = c.ineffective(ref.Index, impact.Effective)
	}
}

// rejectionsOf returns why a policy is not effective on selected Destinations,
// one element per reason.
func rejectionsOf(r *policy.Result, ref policy.PolicyRef) []RejectionChange {
	all := rejections{map[rejection]bool{}, map[world.ObjectID][]string{}}
	if ref.Kind == policy.KindAccessPolicy {
		addAccessRejections(r, all, ref.Index)
	}
	if ref.Kind == policy.KindTrafficPolicy {
		for id := range r.TrafficPolicies[ref.Index].Rejected {
			for _, j := range r.Destinations[id].Rejections {
				if j.Policy == ref.Index {
					addTrafficRejection(r, all, j, id)
				}
			}
		}
	}
	return differing(all, rejections{})
}

// IneffectiveSetting is a setting of a policy that is not effective on
// Destinations on which the policy is.
type IneffectiveSetting struct {
	Field string
	// Winner is the policy that is effective instead, or the zero ObjectID if the
	// setting has nothing to apply to; Reason is set then.
	Winner world.ObjectID
	Reason string
	// Replaced is true if the winner makes the same setting with another value;
	// otherwise its route takes the requests without the setting.
	Replaced bool
	// Never is true if the setting is not effective on any request to the
	// Destinations. Otherwise it is not on requests of Match; nil means all
	// requests from Sources.
	Never bool
	Match *selector.RequestMatch
	// Destinations are ascending. Sources are the callers of each of them or,
	// with Everyone or Never, of any.
	Destinations []int
	Sources      WorkloadSet
	Everyone     bool
}

type ineffectiveKey struct {
	field, match, reason, sources string

	winner          world.ObjectID
	never, replaced bool
}

// ineffective follows the requests that a policy matches, on the Destinations on
// which it is effective, and returns the settings that are overridden.
func (c *comparer) ineffective(i int, destinations []int) []IneffectiveSetting {
	found := map[ineffectiveKey]*IneffectiveSetting{}
	for _, id := range destinations {
		for _, u := range c.ineffectiveOn(i, id) {
			key := ineffectiveKey{u.Field, u.Match.Key(), u.Reason, "", u.Winner, u.Never, u.Replaced}
			if !u.Everyone && !u.Never {
				key.sources = u.Sources.Key()
			}
			known := found[key]
			if known == nil {
				known = &u
				found[key] = known
				continue
			}
			if known.Destinations[len(known.Destinations)-1] != id {
				known.Destinations = append(known.Destinations, id)
			}
			known.Sources.unite(u.Sources)
			known.Everyone = known.Everyone && u.Everyone
		}
	}
	all := make([]IneffectiveSetting, 0, len(found))
	for _, u := range found {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b IneffectiveSetting) int {
		switch {
		case a.Never != b.Never && a.Never:
			return -1
		case a.Never != b.Never:
			return 1
		}
		if order := strings.Compare(a.Field+"\x00"+a.Match.Key()+"\x00"+a.Reason, b.Field+"\x00"+b.Match.Key()+"\x00"+b.Reason); order != 0 {
			return order
		}
		return cmp.Or(
			compareIDs(a.Winner, b.Winner), slices.Compare(a.Destinations, b.Destinations), slices.Compare(a.Sources.words, b.Sources.words),
		)
	})
	return all
}

// ineffectiveOn returns the overridden settings of a policy on one Destination.
func (c *comparer) ineffectiveOn(i, id int) []IneffectiveSetting {
	p := &c.after.TrafficPolicies[i]
	if reason := c.after.PortReason(p, id); reason != "" {
		var idle []IneffectiveSetting
		for _, f := range p.RouteFeatures {
			idle = append(idle, IneffectiveSetting{
				Field: f.Field, Reason: reason, Never: true, Destinations: []int{id}, Sources: newWorkloadSet(len(c.world().Workloads)),
			})
		}
		return idle
	}
	var ineffective []IneffectiveSetting
	effectiveFields := map[string]bool{}
	for _, g := range c.callerGroups(id) {
		sources, lists := bySource(c.after.RoutesFrom(g.cluster, id))
		for _, class := range c.callerClasses(g, sources) {
			if !selector.MatchesWorkload(p.Resource.Spec.SourceSelector, c.anyCaller(class)) {
				continue
			}
			for _, port := range serviceport.HTTP(&c.world().Destinations[id]) {
				if p.AllowsPort(port) {
					ineffective = append(ineffective, c.ineffectiveFrom(effectiveFields, i, id, lists[0].takenBy(class, port), class.callers)...)
				}
			}
		}
		ineffective = append(ineffective, c.ineffectiveDefault(i, id, g)...)
	}
	for k := range ineffective {
		ineffective[k].Never = !effectiveFields[ineffective[k].Field]
	}
	ineffective = withoutRepetition(ineffective)
	for k := range ineffective {
		ineffective[k].Everyone = c.isEveryone(ineffective[k].Sources, id, c.concerned(ineffective[k].Field == feature.MTLS))
	}
	return ineffective
}

// ineffectiveFrom returns the settings that callers of one class do not get, and notes
// those that they get.
func (c *comparer) ineffectiveFrom(effectiveFields map[string]bool, i, id int, routes takenRoutes, callers WorkloadSet) []IneffectiveSetting {
	p := &c.after.TrafficPolicies[i]
	var ineffective []IneffectiveSetting
	for _, match := range matchesOf(routes) {
		if !p.CoversRequests(match) {
			continue
		}
		route := routes.deciding(match)
		if route == nil {
			continue
		}
		for _, f := range p.RouteFeatures {
			s, set := route.Setting(f.Field)
			if set && (s.Policy == i || c.after.SameValue(s.Value, f.Value)) {
				effectiveFields[f.Field] = true
				continue
			}
			u := IneffectiveSetting{Field: f.Field, Match: match, Replaced: set, Destinations: []int{id}, Sources: callers.clone()}
			switch {
			case set:
				u.Winner = trafficID(c.after, s.Policy)
			case route.Leader() >= 0:
				u.Winner = trafficID(c.after, route.Leader())
			}
			ineffective = append(ineffective, u)
		}
	}
	return ineffective
}

// ineffectiveDefault returns the TLS mode of a policy that asks for the default
// mode, which never conflicts, if another policy asks for another mode.
func (c *comparer) ineffectiveDefault(i, id int, g callerGroup) []IneffectiveSetting {
	callers := intersection(g.callers, c.concerned(true))
	if callers.isEmpty() {
		return nil
	}
	var ineffective []IneffectiveSetting
	for _, j := range c.after.OverriddenDefaults(c.anyCaller(callerClass{callers: callers}), id) {
		if j.Policy == i {
			ineffective = append(ineffective, IneffectiveSetting{
				Field: j.Field, Reason: j.Reason, Winner: trafficID(c.after, j.Winner), Replaced: true,
				Destinations: []int{id}, Sources: callers,
			})
		}
	}
	return ineffective
}

// withoutRepetition merges elements that differ in their callers only. Settings
// that are never effective need no match: one element per winner suffices.
func withoutRepetition(ineffective []IneffectiveSetting) []IneffectiveSetting {
	var kept []IneffectiveSetting
	places := map[ineffectiveKey]int{}
	for _, u := range ineffective {
		if u.Never {
			u.Match = nil
		}
		key := ineffectiveKey{field: u.Field, match: u.Match.Key(), reason: u.Reason, winner: u.Winner, replaced: u.Replaced}
		if k, known := places[key]; known {
			kept[k].Sources.unite(u.Sources)
			continue
		}
		places[key] = len(kept)
		kept = append(kept, u)
	}
	return kept
}
