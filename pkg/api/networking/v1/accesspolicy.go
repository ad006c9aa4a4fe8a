package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// AccessPolicy lets callers use Destinations.
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
	// What a controller reports. Its schema is open, because controllers of other
	// versions write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status AccessPolicyStatus `json:"status,omitempty,omitzero"`
}

// AccessPolicySpec is what the user asks for.
type AccessPolicySpec struct {
	// Who may call; the workloads of the Destination's own mesh if omitted
	// (semantics D31).
	//
	// +kubebuilder:validation:MaxItems=256
	SourceSelector []core.IdentitySelector `json:"sourceSelector,omitempty"`
	// What they may call; every Destination if omitted.
	//
	// +kubebuilder:validation:MaxItems=256
	DestinationSelector []core.DestinationSelector `json:"destinationSelector,omitempty"`
	// Every path, method and port if omitted. `*` at either end of a path
	// stands for anything.
	AllowedPaths   []string `json:"allowedPaths,omitempty"`
	AllowedMethods []string `json:"allowedMethods,omitempty"`
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=65535
	AllowedPorts []uint32 `json:"allowedPorts,omitempty"`
}

// AccessPolicyStatus is what became of an AccessPolicy.
type AccessPolicyStatus struct {
	ObservedGeneration core.Int64         `json:"observedGeneration,omitempty"`
	State              core.ApprovalState `json:"state,omitempty"`
	// By the key of the Destination, NAME.NAMESPACE followed by a dot.
	Destinations        map[string]core.ApprovalStatus `json:"destinations,omitempty"`
	VirtualDestinations map[string]core.ApprovalStatus `json:"virtualDestinations,omitempty"`
	// The keys of the workloads it has as source.
	Workloads []string `json:"workloads,omitempty"`
	Errors    []string `json:"errors,omitempty"`
	// Meshctl says where its configuration was written.
	Meshctl *core.WrittenStatus `json:"meshctl,omitempty"`
}
