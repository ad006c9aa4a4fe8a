package policy

import (
	"cmp"
	"slices"
	"strings"
)

// Impact is what one authored object does to the world: the Comparison of the
// worlds without and with it, and what becomes of the object itself.
type Impact struct {
	*Comparison
	Object ObjectID
	// Presence is empty if the object says the same as before.
	Presence Presence
	// State is that of a policy (APPLIED, PARTIAL, INVALID, IDLE), or of a
	// VirtualMesh (ACCEPTED, INVALID); Errors say why it is INVALID as a whole.
	State  State
	Errors []string
	// Fields are the settings of a policy.
	Fields []string

	// Selected and InForce are the Destinations of a policy, ascending.
	Selected, InForce []int
	// Sources are the workloads whose requests the policy affects, Targets those
	// behind the Destinations that it is in force on, ascending.
	Sources, Targets []int
	// Clusters are those of the Sources and Targets, sorted.
	Clusters []string
	// Losses say on which Destinations the policy is not in force, and why, new or not.
	Losses []RejectionChange
	// Unheard are settings of the policy that do not take effect although it is in
	// force, because other policies decide.
	Unheard []UnheardSetting

	// VirtualMesh is set for a VirtualMesh, and for nothing else.
	VirtualMesh *VirtualMesh
}

// ImpactOf compares the world without and with one authored object, named by
// kind (VirtualMesh, TrafficPolicy, AccessPolicy), namespace and name. The
// results must be about the same discovered objects, as for Compare. It returns
// nil if the object is not in the second world.
func ImpactOf(before, after *Result, kind, namespace, name string) *Impact {
	id := ObjectID{Kind: kind, Namespace: namespace, Name: name}
	k, known := after.find(id)
	if !known {
		return nil
	}
	c := newComparer(before, after)
	c.compare()
	impact := &Impact{Comparison: c.Comparison, Object: id}
	for _, change := range c.Objects {
		if change.Object == id {
			impact.Presence = change.Presence
		}
	}
	if kind == kindVirtualMesh {
		impact.VirtualMesh = &after.VirtualMeshes[k]
		impact.State, impact.Errors = after.virtualMeshState(k)
		return impact
	}
	c.addPolicy(impact, PolicyRef{PolicyKind(kind), k})
	return impact
}

const kindVirtualMesh = "VirtualMesh"

// find returns the position of an authored object among those of its kind.
func (r *Result) find(id ObjectID) (position int, known bool) {
	switch id.Kind {
	case kindVirtualMesh:
		position = slices.IndexFunc(r.VirtualMeshes, func(vm VirtualMesh) bool { return vm.ID() == id })
	case string(KindTrafficPolicy):
		position = slices.IndexFunc(r.TrafficPolicies, func(p TrafficPolicy) bool { return p.ID() == id })
	case string(KindAccessPolicy):
		position = slices.IndexFunc(r.AccessPolicies, func(p AccessPolicy) bool { return p.ID() == id })
	default:
		position = -1
	}
	return position, position >= 0
}

func (c *comparer) addPolicy(impact *Impact, ref PolicyRef) {
	app := c.after.application(ref)
	impact.State, impact.Errors, impact.Fields = app.State(), app.Errors, app.Fields
	impact.Selected, impact.InForce = app.Destinations, app.InForce()
	if !app.Valid() {
		return
	}
	impact.Sources, impact.Targets = c.after.AffectedSources(ref), c.after.AffectedTargets(ref)
	for _, id := range slices.Concat(impact.Sources, impact.Targets) {
		impact.Clusters = appendNew(impact.Clusters, c.world().Workloads[id].Cluster)
	}
	slices.Sort(impact.Clusters)
	impact.Losses = c.after.rejectionsOf(ref)
	if ref.Kind == KindTrafficPolicy {
		impact.Unheard = c.unheard(ref.Index, impact.InForce)
	}
}

// rejectionsOf returns why a policy is not in force on Destinations that it
// selects, one element for all that have it in common.
func (r *Result) rejectionsOf(ref PolicyRef) []RejectionChange {
	all := rejections{map[rejection]bool{}, map[ObjectID][]string{}}
	if ref.Kind == KindAccessPolicy {
		r.addAccessRejections(all, ref.Index)
	}
	if ref.Kind == KindTrafficPolicy {
		for id := range r.TrafficPolicies[ref.Index].Rejected {
			for _, j := range r.Destinations[id].Rejections {
				if j.Policy == ref.Index {
					r.addTrafficRejection(all, j, id)
				}
			}
		}
	}
	return differing(all, rejections{})
}

// UnheardSetting is a setting of a policy that does not take effect on
// Destinations that the policy is in force on.
type UnheardSetting struct {
	Field string
	// Winner is the policy that decides instead, the zero ObjectID if the setting
	// has nothing to apply to, which Reason then says.
	Winner ObjectID
	Reason string
	// Replaced says that the winner makes the setting, too, with another value;
	// otherwise its route takes the requests and leaves the setting out.
	Replaced bool
	// Never says that the setting takes effect on no request at all to the
	// Destinations. Otherwise Match says on which it does not; nil means on those
	// of Sources.
	Never bool
	Match *RequestMatch
	// Destinations are ascending; Sources are the callers of each of them, or, with
	// Everyone or Never, those of any.
	Destinations []int
	Sources      WorkloadSet
	Everyone     bool
}

type unheardKey struct {
	field, match, reason, sources string

	winner          ObjectID
	never, replaced bool
}

// unheard follows the requests that a policy is about, on the Destinations that
// it is in force on, and returns the settings that something else decides.
func (c *comparer) unheard(i int, destinations []int) []UnheardSetting {
	found := map[unheardKey]*UnheardSetting{}
	for _, id := range destinations {
		for _, u := range c.unheardOn(i, id) {
			key := unheardKey{u.Field, u.Match.identity(), u.Reason, "", u.Winner, u.Never, u.Replaced}
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
	all := make([]UnheardSetting, 0, len(found))
	for _, u := range found {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b UnheardSetting) int {
		switch {
		case a.Never != b.Never && a.Never:
			return -1
		case a.Never != b.Never:
			return 1
		}
		if order := strings.Compare(a.Field+"\x00"+a.Match.identity()+"\x00"+a.Reason, b.Field+"\x00"+b.Match.identity()+"\x00"+b.Reason); order != 0 {
			return order
		}
		return cmp.Or(
			compareIDs(a.Winner, b.Winner), slices.Compare(a.Destinations, b.Destinations), slices.Compare(a.Sources.words, b.Sources.words),
		)
	})
	return all
}

// unheardOn returns the settings of a policy that something else decides on one
// Destination.
func (c *comparer) unheardOn(i, id int) []UnheardSetting {
	p := &c.after.TrafficPolicies[i]
	if reason := c.after.portReason(p, id); reason != "" {
		var idle []UnheardSetting
		for _, f := range p.routeFeatures {
			idle = append(idle, UnheardSetting{
				Field: f.Field, Reason: reason, Never: true, Destinations: []int{id}, Sources: newWorkloadSet(len(c.world().Workloads)),
			})
		}
		return idle
	}
	var unheard []UnheardSetting
	heard := map[string]bool{}
	for _, g := range c.callerGroups(id) {
		routes := c.after.routesFrom(g.cluster, id)
		sources, places := distinctSources(routes)
		for _, class := range c.callerClasses(g, sources) {
			if !sourceMatches(p.Resource.Spec.SourceSelector, c.anyCaller(class)) {
				continue
			}
			for _, port := range httpPorts(&c.world().Destinations[id]) {
				if p.allowsPort(port) {
					unheard = append(unheard, c.unheardFrom(heard, i, id, port, routes, class, places)...)
				}
			}
		}
		unheard = append(unheard, c.unheardDefault(i, id, g)...)
	}
	for k := range unheard {
		unheard[k].Never = !heard[unheard[k].Field]
	}
	unheard = withoutRepetition(unheard)
	for k := range unheard {
		unheard[k].Everyone = c.isEveryone(unheard[k].Sources, id)
	}
	return unheard
}

// unheardFrom returns the settings that callers of one class miss, and notes
// those that they get.
func (c *comparer) unheardFrom(
	heard map[string]bool, i, id int, port uint32, routes []*Route, class callerClass, places map[string]int,
) []UnheardSetting {
	p := &c.after.TrafficPolicies[i]
	var unheard []UnheardSetting
	for _, match := range matchesOf(port, class, places, routes) {
		if !slices.ContainsFunc(p.matches, func(m *RequestMatch) bool { return m.contains(match) }) {
			continue
		}
		route := deciding(routes, port, match, class, places)
		if route == nil {
			continue
		}
		for _, f := range p.routeFeatures {
			s, set := route.setting(f.Field)
			if set && (s.Policy == i || c.after.sameValue(s.Value, f.Value)) {
				heard[f.Field] = true
				continue
			}
			u := UnheardSetting{Field: f.Field, Match: match, Replaced: set, Destinations: []int{id}, Sources: class.callers.clone()}
			switch {
			case set:
				u.Winner = c.after.trafficID(s.Policy)
			case route.leader() >= 0:
				u.Winner = c.after.trafficID(route.leader())
			}
			unheard = append(unheard, u)
		}
	}
	return unheard
}

// unheardDefault returns the TLS mode of a policy that asks for the default,
// which claims nothing, where another policy asks for another.
func (c *comparer) unheardDefault(i, id int, g callerGroup) []UnheardSetting {
	var unheard []UnheardSetting
	for _, j := range c.after.overriddenDefaults(c.anyCaller(callerClass{callers: g.callers}), id) {
		if j.Policy == i {
			unheard = append(unheard, UnheardSetting{
				Field: j.Field, Reason: j.Reason, Winner: c.after.trafficID(j.Winner), Replaced: true,
				Destinations: []int{id}, Sources: g.callers.clone(),
			})
		}
	}
	return unheard
}

// withoutRepetition unites elements that differ in their callers only. What
// never takes effect needs no match: one element for each winner says it.
func withoutRepetition(unheard []UnheardSetting) []UnheardSetting {
	var kept []UnheardSetting
	for _, u := range unheard {
		if u.Never {
			u.Match = nil
		}
		k := slices.IndexFunc(kept, func(o UnheardSetting) bool {
			return o.Field == u.Field && o.Winner == u.Winner && o.Reason == u.Reason && o.Replaced == u.Replaced && o.Match.identity() == u.Match.identity()
		})
		if k < 0 {
			kept = append(kept, u)
			continue
		}
		kept[k].Sources.unite(u.Sources)
	}
	return kept
}
