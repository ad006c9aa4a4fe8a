// Package feature is the table of what a TrafficPolicy can do: one row for each
// field of its policy. A row says how the field is read and made comparable, and
// how it is shown and explained. Rendering to Istio implements Requests and
// Connections, which have a method for every row that Istio realises; flags and
// questions are held to the table by the tests of this package.
package feature

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Scope says what a feature is about.
type Scope string

const (
	// ScopeRequests is for features of routes: they belong to the requests that a
	// policy matches.
	ScopeRequests Scope = "requests"
	// ScopeConnections is for features of all connections from a cluster to a
	// Destination (semantics 4).
	ScopeConnections Scope = "connections"
	// ScopeUnsupported is for fields that are read and kept, but have no effect on
	// Istio (semantics D29).
	ScopeUnsupported Scope = "unsupported"
)

// Feature is one row of the table.
type Feature struct {
	// Field is the name in the manifest, below spec.policy.
	Field string
	Scope Scope
	// Title and About name the feature and say what it does, in a few words;
	// empty if Istio does not realise it.
	Title, About string

	// said reports whether a policy has the field; nil if policies have no such
	// field of their own.
	said func(*networkingv1.TrafficPolicyPolicy) bool
	// effective returns the value with its defaults, nil if it asks for nothing.
	effective func(*networkingv1.TrafficPolicyPolicy, PortResolver) any
	// lines shows a value; nil for the general form.
	lines func(value any) []string
	// targets are the Services that a value names; nil if it cannot name any.
	targets func(value any) []Target

	visitRequests    func(Requests, any)
	visitConnections func(Connections, any)
}

// PortResolver returns the port of a Service that has only one, else 0.
type PortResolver func(core.ClusterObjectRef) uint32

// Target is a Service that requests are sent to.
type Target struct {
	// At is where the value names it, below the field, such as ".destinations[0]".
	At      string
	Service core.ClusterObjectRef
	// Port is 0 if it is not known.
	Port uint32
}

// Requests has a method for every feature of requests.
type Requests interface {
	HeaderManipulation(*networkingv1.HeaderManipulation)
	CORSPolicy(*networkingv1.CORSPolicy)
	FaultInjection(*networkingv1.FaultInjection)
	TrafficShift(*networkingv1.MultiDestination)
	Mirror(*networkingv1.Mirror)
	RequestTimeout(*core.Duration)
	Retries(*networkingv1.RetryPolicy)
}

// Connections has a method for every feature of connections.
type Connections interface {
	ConnectionPoolSettings(*networkingv1.ConnectionPoolSettings)
	MTLS(*networkingv1.MTLS)
	OutlierDetection(*networkingv1.OutlierDetection)
	TCPKeepalive(*core.TCPKeepalive)
}

// Said reports whether a policy, which may be nil, has the field, even if it asks
// for nothing with it.
func (f Feature) Said(p *networkingv1.TrafficPolicyPolicy) bool {
	return p != nil && f.said != nil && f.said(p)
}

// Value returns what a policy, which may be nil, asks for, with the defaults
// filled in so that equal effects have equal values: a pointer to the API's type,
// or nil if it asks for nothing. Ports of targets that the policy leaves out are
// those of the resolver.
func (f Feature) Value(p *networkingv1.TrafficPolicyPolicy, ports PortResolver) any {
	if !f.Said(p) {
		return nil
	}
	return f.effective(p, ports)
}

// Authored reports whether users ask for the feature in policies, with an effect.
func (f Feature) Authored() bool { return f.said != nil && f.Scope != ScopeUnsupported }

// Lines says in a few words what a value does, one part a line.
func (f Feature) Lines(value any) []string {
	if f.lines == nil {
		return Flatten(value)
	}
	return f.lines(value)
}

// NamesServices reports whether the feature sends requests to Services that it
// names.
func (f Feature) NamesServices() bool { return f.targets != nil }

// Targets returns the Services that a value sends requests to.
func (f Feature) Targets(value any) []Target {
	if f.targets == nil || value == nil {
		return nil
	}
	return f.targets(value)
}

// VisitRequests calls the method of the feature with the value, if it is one of
// requests.
func (f Feature) VisitRequests(v Requests, value any) {
	if f.visitRequests != nil {
		f.visitRequests(v, value)
	}
}

// VisitConnections is VisitRequests for features of connections.
func (f Feature) VisitConnections(v Connections, value any) {
	if f.visitConnections != nil {
		f.visitConnections(v, value)
	}
}

// Features is the table, or a part of it.
type Features []Feature

// Of returns the feature of a field; the zero Feature, which can do nothing, if
// there is none.
func (all Features) Of(field string) Feature {
	for i := range all {
		if all[i].Field == field {
			return all[i]
		}
	}
	return Feature{}
}

// NoPorts resolves no ports: values keep those that they name.
func NoPorts(core.ClusterObjectRef) uint32 { return 0 }
