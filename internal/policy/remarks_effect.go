package policy

import (
	"encoding/json"
	"slices"
)

// routeEffect summarises the settings of the routes of one Destination and their
// policies, so that policies need not look at every route.
type routeEffect struct {
	// owners are the policies with a setting on any route.
	owners map[int]bool
	// values are the distinct values of each field.
	values map[string]*effectValues
}

// effectValues are distinct values of a field: as text, to find equal ones fast,
// and unchanged, to compare their effect.
type effectValues struct {
	texts  map[string]bool
	values []any
}

// maxComparedValues limits the values with which one is compared by effect. A
// Destination written by people never has that many values for one field.
const maxComparedValues = 1000

// effectOn returns the settings of the routes of a Destination.
func (r *Result) effectOn(destination int) *routeEffect {
	if known := r.onRoutes[destination]; known != nil {
		return known
	}
	on := &routeEffect{owners: map[int]bool{}, values: map[string]*effectValues{}}
	for _, cluster := range r.originClusters(&r.World.Destinations[destination]) {
		for _, route := range r.routesFrom(cluster, destination) {
			for field, s := range route.own {
				on.owners[s.Policy] = true
				on.add(field, s.Value)
			}
		}
	}
	r.onRoutes[destination] = on
	return on
}

func (e *routeEffect) add(field string, value any) {
	if e.values[field] == nil {
		e.values[field] = &effectValues{texts: map[string]bool{}}
	}
	v := e.values[field]
	if text := valueText(value); !v.texts[text] {
		v.texts[text] = true
		v.values = append(v.values, value)
	}
}

// has reports whether a field has a value with the same effect on any route.
func (e *routeEffect) has(field string, value any, same func(a, b any) bool) bool {
	v := e.values[field]
	if v == nil {
		return false
	}
	return v.texts[valueText(value)] ||
		slices.ContainsFunc(v.values[:min(len(v.values), maxComparedValues)], func(other any) bool { return same(other, value) })
}

// valueText returns a text that is different for different values.
func valueText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}
