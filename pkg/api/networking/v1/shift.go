package v1

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// MultiDestination splits requests between Destinations by weight.
//
// +kubebuilder:validation:XValidation:rule="!has(self.destinations) || size(self.destinations) < 2 || self.destinations.map(d, has(d.weight) ? d.weight : 0).sum() == 100",message="the weights of several destinations must sum to 100"
type MultiDestination struct {
	// +kubebuilder:validation:MaxItems=128
	Destinations []WeightedDestination `json:"destinations,omitempty"`
}

// WeightedDestination receives a part of the requests.
//
// +kubebuilder:validation:XValidation:rule="[has(self.kubeService), has(self.virtualDestination), has(self.staticDestination), has(self.clusterHeader)].filter(x, x).size() == 1",message="exactly one of kubeService, virtualDestination, staticDestination and clusterHeader is required"
type WeightedDestination struct {
	// Percentage of the requests; optional for a single destination.
	//
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Weight             *uint32             `json:"weight,omitempty"`
	KubeService        *KubeDestination    `json:"kubeService,omitempty"`
	VirtualDestination *VirtualDestination `json:"virtualDestination,omitempty"`
	StaticDestination  *core.ObjectRef     `json:"staticDestination,omitempty"`
	ClusterHeader      *string             `json:"clusterHeader,omitempty"`
	Options            *DestinationOptions `json:"options,omitempty"`
}

// KubeDestination is a Kubernetes Service, or a subset of its pods.
type KubeDestination struct {
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
	// +kubebuilder:validation:MinLength=1
	Namespace string `json:"namespace"`
	// +kubebuilder:validation:MinLength=1
	ClusterName string `json:"clusterName"`
	// Labels of the pods in the subset; all pods if omitted.
	Subset map[string]string `json:"subset,omitempty"`
	// Required only if the Service has several ports.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port uint32 `json:"port,omitempty"`
}

// VirtualDestination names a virtual destination. It is preserved but not supported.
type VirtualDestination struct {
	Name      string            `json:"name,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	Subset    map[string]string `json:"subset,omitempty"`
}

// DestinationOptions apply to only one of the destinations.
type DestinationOptions struct {
	HeaderManipulation *HeaderManipulation `json:"headerManipulation,omitempty"`
}
