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
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// SettingChange is a changed setting of requests or connections.
type SettingChange struct {
	Field string
	// Match are the affected requests; nil for all, and for connection settings.
	Match *selector.RequestMatch
	// Before and After are nil if the setting is not made.
	Before, After *EffectiveSetting
	// By is the policy whose route now takes the requests without the setting;
	// only set if After is nil.
	By world.ObjectID
	// Destinations are ascending; Sources are the callers of each of them, or, with
	// Everyone, all that can call one of them in both results and for which such
	// settings hold at all.
	Destinations []int
	Sources      WorkloadSet
	Everyone     bool

	// connection is true if the setting is one of connections.
	connection bool
}

// EffectiveSetting is an effective setting.
type EffectiveSetting struct {
	Value any
	// By is the TrafficPolicy or VirtualMesh that makes it.
	By world.ObjectID
}

// settingKey identifies changes that several Destinations share.
type settingKey struct {
	field, match  string
	before, after world.ObjectID
	by            world.ObjectID
}

// compareSettings sets Settings. For every Destination whose effective policies
// differ, it follows the requests of each class of callers in both results.
// Destinations share an element if the same callers are affected, or all callers
// of each.
func (c *comparer) compareSettings() {
	type group struct {
		settingKey
		sources string
	}
	found := map[group]*SettingChange{}
	for id := range c.after.Destinations {
		if c.sameTraffic(id) {
			continue
		}
		here := map[settingKey]*SettingChange{}
		for _, g := range c.callerGroups(id) {
			c.compareRoutesOf(here, id, g)
			c.compareConnectionsOf(here, id, g)
		}
		for key, change := range here {
			at := group{settingKey: key}
			if change.Everyone = c.isEveryone(change.Sources, id, c.concerned(change.connection)); !change.Everyone {
				at.sources = change.Sources.Key()
			}
			if known := found[at]; known != nil {
				known.Destinations = append(known.Destinations, id)
				known.Sources.unite(change.Sources)
				continue
			}
			change.Destinations = []int{id}
			found[at] = change
		}
	}
	for _, change := range found {
		c.Settings = append(c.Settings, *change)
	}
	slices.SortFunc(c.Settings, compareSettingChanges)
}

func compareSettingChanges(a, b SettingChange) int {
	return cmp.Or(
		strings.Compare(a.Field, b.Field), strings.Compare(a.Match.Key(), b.Match.Key()),
		compareIDs(a.Before.id(), b.Before.id()), compareIDs(a.After.id(), b.After.id()), compareIDs(a.By, b.By),
		slices.Compare(a.Destinations, b.Destinations), slices.Compare(a.Sources.words, b.Sources.words),
	)
}

func (s *EffectiveSetting) id() world.ObjectID {
	if s == nil {
		return world.ObjectID{}
	}
	return s.By
}

// sameTraffic reports whether the same policies are effective on a Destination in
// both results, so that its settings are equal.
func (c *comparer) sameTraffic(destination int) bool {
	was, is := c.before.Destinations[destination].Federation, c.after.Destinations[destination].Federation
	return c.traffic.sameList(effectiveTraffic(c.before, destination), effectiveTraffic(c.after, destination)) &&
		c.after.SameValue(was.TCPKeepalive(), is.TCPKeepalive())
}

// effectiveTraffic returns the traffic policies that are effective on a Destination, in
// the order of D11.
func effectiveTraffic(r *policy.Result, destination int) []int {
	return slices.DeleteFunc(slices.Clone(r.Destinations[destination].Traffic), func(i int) bool {
		return r.TrafficPolicies[i].RejectedOn(destination)
	})
}

func (c *comparer) compareRoutesOf(here map[settingKey]*SettingChange, destination int, g callerGroup) {
	was, is := c.before.RoutesFrom(g.cluster, destination), c.after.RoutesFrom(g.cluster, destination)
	sources, lists := bySource(was, is)
	for _, class := range c.callerClasses(g, sources) {
		for _, port := range serviceport.HTTP(&c.world().Destinations[destination]) {
			// A change for all requests is not repeated for some of them.
			reported := map[settingKey]bool{}
			before, after := lists[0].takenBy(class, port), lists[1].takenBy(class, port)
			for _, match := range matchesOf(before, after) {
				for _, change := range c.compareRoutes(before.deciding(match), after.deciding(match)) {
					general := change.key()
					if reported[general] {
						continue
					}
					if match == nil {
						reported[general] = true
					}
					change.Match = match
					c.note(here, change, class.callers)
				}
			}
		}
	}
}

// compareRoutes returns the changed settings between two routes; either may be
// nil.
func (c *comparer) compareRoutes(was, is *policy.Route) []SettingChange {
	before, after := map[string]*EffectiveSetting{}, map[string]*EffectiveSetting{}
	var by world.ObjectID
	if was != nil {
		for _, s := range was.Settings {
			before[s.Field] = &EffectiveSetting{s.Value, trafficID(c.before, s.Policy)}
		}
	}
	if is != nil {
		for _, s := range is.Settings {
			after[s.Field] = &EffectiveSetting{s.Value, trafficID(c.after, s.Policy)}
		}
		if leader := is.Leader(); leader >= 0 {
			by = trafficID(c.after, leader)
		}
	}
	return c.compareEffective(before, after, by)
}

// compareEffective returns the changed settings by field.
func (c *comparer) compareEffective(before, after map[string]*EffectiveSetting, by world.ObjectID) []SettingChange {
	var changes []SettingChange
	for field, was := range before {
		is := after[field]
		switch {
		case is == nil:
			changes = append(changes, SettingChange{Field: field, Before: was, By: by})
		case !c.after.SameValue(was.Value, is.Value):
			changes = append(changes, SettingChange{Field: field, Before: was, After: is})
		}
	}
	for field, is := range after {
		if before[field] == nil {
			changes = append(changes, SettingChange{Field: field, After: is})
		}
	}
	return changes
}

// compareConnectionsOf compares the connection settings of callers.
func (c *comparer) compareConnectionsOf(here map[settingKey]*SettingChange, destination int, g callerGroup) {
	for _, port := range serviceport.All(&c.world().Destinations[destination]) {
		before := c.connectionOf(c.before, g.cluster, destination, port)
		after := c.connectionOf(c.after, g.cluster, destination, port)
		for _, change := range c.compareEffective(before, after, world.ObjectID{}) {
			if change.Field == feature.MTLS && c.isDefaultMode(change.Before) && c.isDefaultMode(change.After) {
				continue // an explicit default has no effect
			}
			change.connection = true
			if callers := intersection(g.callers, c.concerned(true)); !callers.isEmpty() {
				c.note(here, change, callers)
			}
		}
	}
}

// connectionOf returns the settings of connections to one port, by field.
func (c *comparer) connectionOf(r *policy.Result, cluster string, destination int, port uint32) map[string]*EffectiveSetting {
	effective := map[string]*EffectiveSetting{}
	for _, s := range r.ConnectionFrom(cluster, destination) {
		if !policy.AllowsPort(s.Ports, port) || effective[s.Field] != nil {
			continue
		}
		setting := &EffectiveSetting{Value: s.Value}
		if s.VirtualMesh != nil {
			setting.By = s.VirtualMesh.ID()
		} else {
			setting.By = trafficID(r, s.Policy)
		}
		effective[s.Field] = setting
	}
	return effective
}

// isDefaultMode reports whether a TLS mode is the one used without any policy.
func (c *comparer) isDefaultMode(s *EffectiveSetting) bool {
	if s == nil {
		return true
	}
	mtls, ok := s.Value.(*networkingv1.MTLS)
	return ok && mtls.Istio != nil && mtls.Istio.TLSMode == c.after.DefaultTLSMode()
}

func (s SettingChange) key() settingKey {
	return settingKey{s.Field, s.Match.Key(), s.Before.id(), s.After.id(), s.By}
}

// note adds callers to a change of one Destination.
func (c *comparer) note(here map[settingKey]*SettingChange, change SettingChange, sources WorkloadSet) {
	key := change.key()
	if here[key] == nil {
		change.Sources = newWorkloadSet(len(c.world().Workloads))
		here[key] = &change
	}
	here[key].Sources.unite(sources)
}
