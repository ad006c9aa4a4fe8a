package policy

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Feature is one setting of a TrafficPolicy with its effective value: defaults
// are filled in, so that equal effects have equal values.
type Feature struct {
	// Field is the name in the manifest, such as requestTimeout.
	Field string
	// Value is a value of the API's type; it marshals to the manifest form with
	// all defaults filled in.
	Value any
}

// unsupported returns the names of fields that are preserved but have no effect
// on Istio (D29), sorted.
func unsupported(features feature.Features, spec *networkingv1.TrafficPolicySpec) []string {
	var fields []string
	if len(spec.RouteSelector) > 0 {
		fields = append(fields, "spec.routeSelector")
	}
	for _, f := range features {
		if f.Scope == feature.ScopeUnsupported && f.Said(spec.Policy) {
			fields = append(fields, "spec.policy."+f.Field)
		}
	}
	return fields
}

// featuresOf returns the settings of a policy within the scopes, sorted by field.
func featuresOf(features feature.Features, p *networkingv1.TrafficPolicyPolicy, ports feature.PortResolver, scopes ...feature.Scope) []Feature {
	var found []Feature
	for _, f := range features {
		if !slices.Contains(scopes, f.Scope) {
			continue
		}
		if value := f.Value(p, ports); value != nil {
			found = append(found, Feature{f.Field, value})
		}
	}
	slices.SortFunc(found, func(a, b Feature) int { return strings.Compare(a.Field, b.Field) })
	return found
}

// trafficFields returns the names of a policy's settings in the spelling of
// manifests, sorted.
func trafficFields(features feature.Features, p *networkingv1.TrafficPolicyPolicy) []string {
	var fields []string
	for _, f := range features {
		if f.Said(p) {
			fields = append(fields, f.Field)
		}
	}
	slices.Sort(fields)
	return fields
}

// SameValue reports whether two effective values have the same effect.
func (r *Result) SameValue(a, b any) bool { return r.equalities.DeepEqual(a, b) }
