package policy

import (
	"cmp"
	"slices"
	"strings"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// SettingChange is a setting of requests or connections that differs between
// two results.
type SettingChange struct {
	Field string
	// Match are the requests concerned, nil for all, and for a setting of
	// connections.
	Match *RequestMatch
	// Before and After are nil where the setting is not made.
	Before, After *EffectiveSetting
	// By is the policy whose route takes the requests now and leaves the setting
	// out; the zero ObjectID unless After is nil.
	By ObjectID
	// Destinations are ascending; Sources are the callers of any of them, Everyone
	// says that they are all who could and can call them.
	Destinations []int
	Sources      WorkloadSet
	Everyone     bool
}

// EffectiveSetting is a setting that takes effect.
type EffectiveSetting struct {
	Value any
	// By is the TrafficPolicy that makes it, or a VirtualMesh.
	By ObjectID
}

// settingKey identifies what Destinations have in common.
type settingKey struct {
	field, match  string
	before, after ObjectID
	by            ObjectID
}

// compareSettings fills in Settings: for every Destination whose policies in
// force differ, the requests of each class of callers are followed in both
// results.
func (c *comparer) compareSettings() {
	found := map[settingKey]*settingGroup{}
	for id := range c.after.Destinations {
		if c.sameTraffic(id) {
			continue
		}
		for _, g := range c.callerGroups(id) {
			c.compareRoutesOf(found, id, g)
			c.compareConnectionsOf(found, id, g)
		}
	}
	for _, group := range found {
		c.leave(group)
		c.Settings = append(c.Settings, group.SettingChange)
	}
	slices.SortFunc(c.Settings, compareSettingChanges)
}

func compareSettingChanges(a, b SettingChange) int {
	return cmp.Or(
		strings.Compare(a.Field, b.Field), strings.Compare(a.Match.identity(), b.Match.identity()),
		compareIDs(a.Before.id(), b.Before.id()), compareIDs(a.After.id(), b.After.id()), compareIDs(a.By, b.By),
	)
}

func (s *EffectiveSetting) id() ObjectID {
	if s == nil {
		return ObjectID{}
	}
	return s.By
}

// sameTraffic reports whether the same policies are in force on a Destination
// in both results, so that its settings cannot differ.
func (c *comparer) sameTraffic(destination int) bool {
	was, is := c.before.Destinations[destination].Federation, c.after.Destinations[destination].Federation
	return c.traffic.sameList(c.before.inForce(destination), c.after.inForce(destination)) &&
		c.after.sameValue(was.keepalive(), is.keepalive())
}

// inForce returns the traffic policies that are not INVALID on a Destination,
// in the order of D11.
func (r *Result) inForce(destination int) []int {
	return slices.DeleteFunc(slices.Clone(r.Destinations[destination].Traffic), func(i int) bool {
		return r.TrafficPolicies[i].rejectedOn(destination)
	})
}

func (c *comparer) compareRoutesOf(found map[settingKey]*settingGroup, destination int, g callerGroup) {
	was, is := c.before.routesFrom(g.cluster, destination), c.after.routesFrom(g.cluster, destination)
	sources, places := distinctSources(was, is)
	for _, class := range c.callerClasses(g, sources) {
		for _, port := range httpPorts(&c.world().Destinations[destination]) {
			// What differs for all requests is not repeated for some of them.
			told := map[settingKey]bool{}
			for _, match := range matchesOf(port, class, places, was, is) {
				for _, change := range c.compareRoutes(deciding(was, port, match, class, places), deciding(is, port, match, class, places)) {
					general := change.key()
					if told[general] {
						continue
					}
					if match == nil {
						told[general] = true
					}
					change.Match = match
					c.note(found, change, destination, class.callers)
				}
			}
		}
	}
}

// compareRoutes returns the settings of two routes that differ; either may be
// nil.
func (c *comparer) compareRoutes(was, is *Route) []SettingChange {
	before, after := map[string]*EffectiveSetting{}, map[string]*EffectiveSetting{}
	var by ObjectID
	if was != nil {
		for _, s := range was.Settings {
			before[s.Field] = &EffectiveSetting{s.Value, c.before.trafficID(s.Policy)}
		}
	}
	if is != nil {
		for _, s := range is.Settings {
			after[s.Field] = &EffectiveSetting{s.Value, c.after.trafficID(s.Policy)}
		}
		if leader := is.leader(); leader >= 0 {
			by = c.after.trafficID(leader)
		}
	}
	return c.compareEffective(before, after, by)
}

// compareEffective returns the settings, by field, that differ.
func (c *comparer) compareEffective(before, after map[string]*EffectiveSetting, by ObjectID) []SettingChange {
	var changes []SettingChange
	for field, was := range before {
		is := after[field]
		switch {
		case is == nil:
			changes = append(changes, SettingChange{Field: field, Before: was, By: by})
		case !c.after.sameValue(was.Value, is.Value):
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

// compareConnectionsOf compares what holds for the connections of callers.
func (c *comparer) compareConnectionsOf(found map[settingKey]*settingGroup, destination int, g callerGroup) {
	for _, port := range servicePorts(&c.world().Destinations[destination]) {
		before := c.connectionOf(c.before, g.cluster, destination, port)
		after := c.connectionOf(c.after, g.cluster, destination, port)
		for _, change := range c.compareEffective(before, after, ObjectID{}) {
			if change.Field == fieldMTLS && c.isDefaultMode(change.Before) && c.isDefaultMode(change.After) {
				continue // asking for the default changes nothing
			}
			c.note(found, change, destination, g.callers)
		}
	}
}

// connectionOf returns the settings of connections to one port, by field.
func (c *comparer) connectionOf(r *Result, cluster string, destination int, port uint32) map[string]*EffectiveSetting {
	effective := map[string]*EffectiveSetting{}
	for _, s := range r.ConnectionFrom(cluster, destination) {
		if !listAllowsPort(s.Ports, port) || effective[s.Field] != nil {
			continue
		}
		setting := &EffectiveSetting{Value: s.Value}
		if s.VirtualMesh != nil {
			setting.By = s.VirtualMesh.ID()
		} else {
			setting.By = r.trafficID(s.Policy)
		}
		effective[s.Field] = setting
	}
	return effective
}

// isDefaultMode reports whether connections use the TLS mode that they use
// without any policy.
func (c *comparer) isDefaultMode(s *EffectiveSetting) bool {
	if s == nil {
		return true
	}
	mtls, ok := s.Value.(*networkingv1.MTLS)
	return ok && mtls.Istio != nil && mtls.Istio.TLSMode == clientTLSMode(c.world())
}

func (s SettingChange) key() settingKey {
	return settingKey{s.Field, s.Match.identity(), s.Before.id(), s.After.id(), s.By}
}

// settingGroup is what Destinations have in common, while it is being put
// together.
type settingGroup struct {
	SettingChange
	// here are the callers of the last of the Destinations.
	here WorkloadSet
}

// note adds a change of one Destination to what others have in common with it.
func (c *comparer) note(found map[settingKey]*settingGroup, change SettingChange, destination int, sources WorkloadSet) {
	key := change.key()
	group := found[key]
	if group == nil {
		all := len(c.world().Workloads)
		change.Sources, change.Everyone = newWorkloadSet(all), true
		group = &settingGroup{change, newWorkloadSet(all)}
		found[key] = group
	}
	if n := len(group.Destinations); n == 0 || group.Destinations[n-1] != destination {
		c.leave(group)
		group.Destinations = append(group.Destinations, destination)
	}
	group.here.unite(sources)
}

// leave closes the account of the last Destination of a group.
func (c *comparer) leave(group *settingGroup) {
	if n := len(group.Destinations); n > 0 {
		group.Everyone = group.Everyone && c.isEveryone(group.here, group.Destinations[n-1])
		group.Sources.unite(group.here)
		clear(group.here.words)
	}
}
