package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// AccessPolicy allows callers to access Destinations.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=accesspolicies,shortName=ap
// +kubebuilder:printcolumn:name=State,type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name=Written,type=string,JSONPath=`.status.meshctl.written`,description="Clusters that have its configuration"
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=`.metadata.creationTimestamp`
type AccessPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	Spec AccessPolicySpec `json:"spec,omitempty,omitzero"`
	// Status reported by a controller. Its schema is open because controllers of other versions
	// write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status AccessPolicyStatus `json:"status,omitempty,omitzero"`
}

// AccessPolicySpec is the configuration of an AccessPolicy.
type AccessPolicySpec struct {
	// Allowed callers; the workloads of the Destination's own mesh if omitted.
	//
	// +kubebuilder:validation:MaxItems=256
	SourceSelector []core.IdentitySelector `json:"sourceSelector,omitempty"`
	// Destinations that they may call; all if omitted.
	//
	// +kubebuilder:validation:MaxItems=256
	DestinationSelector []core.DestinationSelector `json:"destinationSelector,omitempty"`
	// Allowed paths, methods and ports; all if omitted. `*` at the start or end of a path
	// matches any text.
	AllowedPaths   []string `json:"allowedPaths,omitempty"`
	AllowedMethods []string `json:"allowedMethods,omitempty"`
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=65535
	AllowedPorts []uint32 `json:"allowedPorts,omitempty"`
}

// AccessPolicyStatus is the result of processing an AccessPolicy.
type AccessPolicyStatus struct {
	ObservedGeneration core.Int64         `json:"observedGeneration,omitempty"`
	State              core.ApprovalState `json:"state,omitempty"`
	// Results by Destination, with the key NAME.NAMESPACE followed by a dot.
	Destinations        map[string]core.ApprovalStatus `json:"destinations,omitempty"`
	VirtualDestinations map[string]core.ApprovalStatus `json:"virtualDestinations,omitempty"`
	// Keys of the workloads that it selects as sources.
	Workloads []string `json:"workloads,omitempty"`
	Errors    []string `json:"errors,omitempty"`
	// Clusters to which its configuration was written.
	Meshctl *core.WrittenStatus `json:"meshctl,omitempty"`
}
