package policy

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PolicyKind is the kind of a policy resource.
type PolicyKind string

// The kinds of policies.
const (
	KindTrafficPolicy PolicyKind = "TrafficPolicy"
	KindAccessPolicy  PolicyKind = "AccessPolicy"
)

// PolicyRef identifies a policy of either kind by its position in the world.
type PolicyRef struct {
	Kind  PolicyKind
	Index int
}

// Application describes where a policy applies.
type Application struct {
	// Errors are the reasons why the policy is INVALID as a whole (schema,
	// wildcards, contradictions); it then applies nowhere.
	Errors []string
	// Unresolved are the references that do not resolve. The policy is INVALID
	// because of them, but effective for its other references (D69).
	Unresolved []string
	// Destinations are the selected Destinations, ascending, including those on
	// which it is INVALID. For an INVALID policy they are those that its
	// selectors would select.
	Destinations []int
	// Rejected holds the reasons why it is INVALID on single Destinations.
	Rejected map[int][]string
	// Fields are the names of its settings, sorted.
	Fields []string
}

// Valid reports whether the policy is valid as a whole.
func (a *Application) Valid() bool { return len(a.Errors) == 0 }

// AllErrors returns the reasons why the policy is INVALID, as a whole or for some
// of its references.
func (a *Application) AllErrors() []string { return slices.Concat(a.Errors, a.Unresolved) }

// reject records why the policy is INVALID on one Destination.
func (a *Application) reject(destination int, reason string) {
	if a.Rejected == nil {
		a.Rejected = map[int][]string{}
	}
	a.Rejected[destination] = append(a.Rejected[destination], reason)
}

func (r *Result) application(ref PolicyRef) *Application {
	if ref.Kind == KindTrafficPolicy {
		return &r.TrafficPolicies[ref.Index].Application
	}
	return &r.AccessPolicies[ref.Index].Application
}

// Meta returns the metadata of a policy.
func (r *Result) Meta(ref PolicyRef) *metav1.ObjectMeta {
	if ref.Kind == KindTrafficPolicy {
		return &r.TrafficPolicies[ref.Index].Resource.ObjectMeta
	}
	return &r.AccessPolicies[ref.Index].Resource.ObjectMeta
}

// Fields returns the names of a policy's settings, sorted.
func (r *Result) Fields(ref PolicyRef) []string { return r.application(ref).Fields }
