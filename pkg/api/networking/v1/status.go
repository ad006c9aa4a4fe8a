package v1

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// TrafficPolicyStatus is the result of processing a TrafficPolicy.
type TrafficPolicyStatus struct {
	ObservedGeneration core.Int64         `json:"observedGeneration,omitempty"`
	State              core.ApprovalState `json:"state,omitempty"`
	// Results by Destination, with the key NAME.NAMESPACE followed by a dot.
	Destinations        map[string]core.ApprovalStatus `json:"destinations,omitempty"`
	VirtualDestinations map[string]core.ApprovalStatus `json:"virtualDestinations,omitempty"`
	// Keys of the workloads that it selects as sources.
	Workloads     []string                 `json:"workloads,omitempty"`
	Errors        []string                 `json:"errors,omitempty"`
	GatewayRoutes map[string]GatewayRoutes `json:"gatewayRoutes,omitempty"`
	// Clusters to which its configuration was written.
	Meshctl *core.WrittenStatus `json:"meshctl,omitempty"`
}

// GatewayRoutes are the names of routes of a gateway.
type GatewayRoutes struct {
	Routes []string `json:"routes,omitempty"`
}

// AppliedTrafficPolicy is an effective TrafficPolicy of a Destination, as of its acceptance.
type AppliedTrafficPolicy struct {
	Ref                *core.ObjectRef    `json:"ref,omitempty"`
	ObservedGeneration core.Int64         `json:"observedGeneration,omitempty"`
	Spec               *TrafficPolicySpec `json:"spec,omitempty"`
	Routes             []string           `json:"routes,omitempty"`
}
