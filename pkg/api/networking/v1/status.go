package v1

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// TrafficPolicyStatus is what became of a TrafficPolicy.
type TrafficPolicyStatus struct {
	ObservedGeneration core.Int64         `json:"observedGeneration,omitempty"`
	State              core.ApprovalState `json:"state,omitempty"`
	// By the key of the Destination, NAME.NAMESPACE followed by a dot.
	Destinations        map[string]core.ApprovalStatus `json:"destinations,omitempty"`
	VirtualDestinations map[string]core.ApprovalStatus `json:"virtualDestinations,omitempty"`
	// The keys of the workloads it has as source.
	Workloads     []string                 `json:"workloads,omitempty"`
	Errors        []string                 `json:"errors,omitempty"`
	GatewayRoutes map[string]GatewayRoutes `json:"gatewayRoutes,omitempty"`
	// Meshctl says where its configuration was written.
	Meshctl *core.WrittenStatus `json:"meshctl,omitempty"`
}

// GatewayRoutes names routes of a gateway.
type GatewayRoutes struct {
	Routes []string `json:"routes,omitempty"`
}

// AppliedTrafficPolicy is a TrafficPolicy in force on a Destination, as it was
// when it was accepted.
type AppliedTrafficPolicy struct {
	Ref                *core.ObjectRef    `json:"ref,omitempty"`
	ObservedGeneration core.Int64         `json:"observedGeneration,omitempty"`
	Spec               *TrafficPolicySpec `json:"spec,omitempty"`
	Routes             []string           `json:"routes,omitempty"`
}
