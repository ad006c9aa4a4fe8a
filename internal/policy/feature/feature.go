// Package feature is the table of TrafficPolicy features: one row for each field
// of spec.policy. A row defines how the field is read, compared, shown and
// explained. Rendering to Istio implements Requests and Connections, which have a
// method for every row that Istio realises; tests of this package verify that
// flags and questions match the table.
package feature

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Scope is what a feature applies to.
type Scope string

const (
	// ScopeRequests is for route features, which apply to the requests that a
	// policy matches.
	ScopeRequests Scope = "requests"
	// ScopeConnections is for features of all connections from a cluster to a
	// Destination.
	ScopeConnections Scope = "connections"
	// ScopeUnsupported is for fields that are preserved, but have no effect on
	// Istio (D29).
	ScopeUnsupported Scope = "unsupported"
)

// Feature is one row of the table.
type Feature struct {
	// Field is the name in the manifest, below spec.policy.
	Field string
	Scope Scope
	// Title and About name and describe the feature in a few words; empty if
	// Istio cannot realise it.
	Title, About string

	// said reports whether a policy sets the field; nil if policies do not have
	// it.
	said func(*networkingv1.TrafficPolicyPolicy) bool
	// effective returns the value with defaults filled in; nil if it has no
	// effect.
	effective func(*networkingv1.TrafficPolicyPolicy, PortResolver) any
	// lines formats a value; nil for the general form.
	lines func(value any) []string
	// notes says what a value means beyond its words; nil if nothing.
	notes func(value any) []string
	// targets returns the Services in a value; nil if it cannot contain any.
	targets func(value any) []Target

	visitRequests    func(Requests, any)
	visitConnections func(Connections, any)
}

// PortResolver returns the only port of a Service; 0 if it has several or none.
type PortResolver func(core.ClusterObjectRef) uint32

// Target is a Service to which requests are sent.
type Target struct {
	// At is the path of the target below the field, such as ".destinations[0]".
	At      string
	Service core.ClusterObjectRef
	// Port is 0 if it is not known.
	Port uint32
	// Subset are labels of the pods; none for all.
	Subset map[string]string
}

// Requests has a method for every request feature.
type Requests interface {
	HeaderManipulation(*networkingv1.HeaderManipulation)
	CORSPolicy(*networkingv1.CORSPolicy)
	FaultInjection(*networkingv1.FaultInjection)
	TrafficShift(*networkingv1.MultiDestination)
	Mirror(*networkingv1.Mirror)
	RequestTimeout(*core.Duration)
	Retries(*networkingv1.RetryPolicy)
}

// Connections has a method for every connection feature.
type Connections interface {
	ConnectionPoolSettings(*networkingv1.ConnectionPoolSettings)
	MTLS(*networkingv1.MTLS)
	OutlierDetection(*networkingv1.OutlierDetection)
	TCPKeepalive(*core.TCPKeepalive)
}

// Said reports whether a policy, which may be nil, sets the field, even to a
// value without effect.
func (f Feature) Said(p *networkingv1.TrafficPolicyPolicy) bool {
	return p != nil && f.said != nil && f.said(p)
}

// Value returns the effective value of a policy, which may be nil: a pointer to
// the API's type with defaults filled in, so that equal effects have equal
// values, or nil if there is none. Missing ports of targets come from the
// resolver.
func (f Feature) Value(p *networkingv1.TrafficPolicyPolicy, ports PortResolver) any {
	if !f.Said(p) {
		return nil
	}
	return f.effective(p, ports)
}

// Authored reports whether policies can set the feature with an effect.
func (f Feature) Authored() bool { return f.said != nil && f.Scope != ScopeUnsupported }

// Lines describes a value in a few words, one part per line.
func (f Feature) Lines(value any) []string {
	if f.lines == nil {
		return Flatten(value)
	}
	return f.lines(value)
}

// Notes says what a value means for requests beyond what Lines says, one part per
// line.
func (f Feature) Notes(value any) []string {
	if f.notes == nil {
		return nil
	}
	return f.notes(value)
}

// NamesServices reports whether a value can contain target Services.
func (f Feature) NamesServices() bool { return f.targets != nil }

// Targets returns the Services to which a value sends requests.
func (f Feature) Targets(value any) []Target {
	if f.targets == nil || value == nil {
		return nil
	}
	return f.targets(value)
}

// VisitRequests calls the method of the feature with the value if it is a request
// feature.
func (f Feature) VisitRequests(v Requests, value any) {
	if f.visitRequests != nil {
		f.visitRequests(v, value)
	}
}

// VisitConnections is VisitRequests for connection features.
func (f Feature) VisitConnections(v Connections, value any) {
	if f.visitConnections != nil {
		f.visitConnections(v, value)
	}
}

// Features is the table, or a part of it.
type Features []Feature

// Of returns the feature of a field; the zero Feature if there is none.
func (all Features) Of(field string) Feature {
	for i := range all {
		if all[i].Field == field {
			return all[i]
		}
	}
	return Feature{}
}

// NoPorts resolves no ports: only explicit ports are kept.
func NoPorts(core.ClusterObjectRef) uint32 { return 0 }
