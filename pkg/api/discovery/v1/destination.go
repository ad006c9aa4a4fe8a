package v1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Destination is a service that workloads can call.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=destinations
type Destination struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	Spec DestinationSpec `json:"spec,omitempty,omitzero"`
	// Status reported by a controller. Its schema is open because controllers of other versions
	// write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status DestinationStatus `json:"status,omitempty,omitzero"`
}

// DestinationSpec is what discovery found.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.kubeService) && has(self.externalService))",message="kubeService and externalService cannot be combined"
type DestinationSpec struct {
	KubeService     *KubeService     `json:"kubeService,omitempty"`
	ExternalService *ExternalService `json:"externalService,omitempty"`
	Mesh            *core.ObjectRef  `json:"mesh,omitempty"`
	// Facts that meshctl's discovery adds.
	Meshctl *DestinationFacts `json:"meshctl,omitempty"`
}

// KubeService is a Kubernetes Service.
type KubeService struct {
	Ref *core.ClusterObjectRef `json:"ref,omitempty"`
	// Labels by which the Service selects its pods.
	WorkloadSelectorLabels map[string]string `json:"workloadSelectorLabels,omitempty"`
	// Labels of the Service itself.
	Labels map[string]string `json:"labels,omitempty"`
	Ports  []KubeServicePort `json:"ports,omitempty"`
	// Pod labels that distinguish the backing workloads, by key.
	Subsets           map[string]Subset `json:"subsets,omitempty"`
	Region            string            `json:"region,omitempty"`
	EndpointSubsets   []EndpointsSubset `json:"endpointSubsets,omitempty"`
	ExternalAddresses []ExternalAddress `json:"externalAddresses,omitempty"`
	ServiceType       ServiceType       `json:"serviceType,omitempty"`
}

// ServiceType is how a Service is exposed.
//
// +kubebuilder:validation:Enum=CLUSTER_IP;NODE_PORT;LOAD_BALANCER;EXTERNAL_NAME
type ServiceType string

// Service types; CLUSTER_IP is the default.
const (
	ServiceTypeClusterIP    ServiceType = "CLUSTER_IP"
	ServiceTypeNodePort     ServiceType = "NODE_PORT"
	ServiceTypeLoadBalancer ServiceType = "LOAD_BALANCER"
	ServiceTypeExternalName ServiceType = "EXTERNAL_NAME"
)

// OrDefault returns the type, CLUSTER_IP if it is unset.
func (t ServiceType) OrDefault() ServiceType { return cmp.Or(t, ServiceTypeClusterIP) }

// ExternalAddress is an address of a Service outside its cluster.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.dnsName) && has(self.ip))",message="dnsName and ip cannot be combined"
type ExternalAddress struct {
	DNSName *string `json:"dnsName,omitempty"`
	IP      *string `json:"ip,omitempty"`
}

// KubeServicePort is a port of a Service.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.targetPortName) && has(self.targetPortNumber))",message="targetPortName and targetPortNumber cannot be combined"
type KubeServicePort struct {
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	Port           uint32  `json:"port,omitempty"`
	Name           string  `json:"name,omitempty"`
	Protocol       string  `json:"protocol,omitempty"`
	AppProtocol    string  `json:"appProtocol,omitempty"`
	TargetPortName *string `json:"targetPortName,omitempty"`
	// 0 means the same as port.
	//
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	TargetPortNumber *uint32 `json:"targetPortNumber,omitempty"`
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	NodePort uint32 `json:"nodePort,omitempty"`
}

// Subset lists the values of one pod label.
type Subset struct {
	Values []string `json:"values,omitempty"`
}

// EndpointsSubset is a group of endpoints with the same ports.
type EndpointsSubset struct {
	Endpoints []Endpoint     `json:"endpoints,omitempty"`
	Ports     []EndpointPort `json:"ports,omitempty"`
}

// Endpoint is one pod of a Service.
type Endpoint struct {
	IPAddress   string            `json:"ipAddress,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	SubLocality *SubLocality      `json:"subLocality,omitempty"`
}

// SubLocality is a place within a region.
type SubLocality struct {
	Zone    string `json:"zone,omitempty"`
	SubZone string `json:"subZone,omitempty"`
}

// EndpointPort is a port of endpoints.
type EndpointPort struct {
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	Port        uint32 `json:"port,omitempty"`
	Name        string `json:"name,omitempty"`
	Protocol    string `json:"protocol,omitempty"`
	AppProtocol string `json:"appProtocol,omitempty"`
}

// ExternalService is a service outside of all meshes.
type ExternalService struct {
	Name      string                  `json:"name,omitempty"`
	Hosts     []string                `json:"hosts,omitempty"`
	Addresses []string                `json:"addresses,omitempty"`
	Ports     []ExternalServicePort   `json:"ports,omitempty"`
	Endpoints []ExternalEndpoint      `json:"endpoints,omitempty"`
	ExportTo  []ExportTo              `json:"exportTo,omitempty"`
	Options   *ExternalServiceOptions `json:"options,omitempty"`
}

// ExternalServicePort is a port of an external service.
type ExternalServicePort struct {
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	Number   uint32 `json:"number,omitempty"`
	Name     string `json:"name,omitempty"`
	Protocol string `json:"protocol,omitempty"`
}

// ExternalEndpoint is an address of an external service, with port numbers by
// port name.
type ExternalEndpoint struct {
	Address string            `json:"address,omitempty"`
	Ports   map[string]uint32 `json:"ports,omitempty"`
}

// ExportTo limits where an external service is visible.
type ExportTo struct {
	Clusters   []string `json:"clusters,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"`
}

// ExternalServiceOptions are options of an external service.
type ExternalServiceOptions struct {
	AutoHostRewrite *bool `json:"autoHostRewrite,omitempty"`
}

// DestinationStatus is what applies to a Destination.
type DestinationStatus struct {
	ObservedGeneration     core.Int64                          `json:"observedGeneration,omitempty"`
	AppliedTrafficPolicies []networkingv1.AppliedTrafficPolicy `json:"appliedTrafficPolicies,omitempty"`
	AppliedAccessPolicies  []AppliedAccessPolicy               `json:"appliedAccessPolicies,omitempty"`
	LocalFQDN              string                              `json:"localFqdn,omitempty"`
	AppliedFederation      *AppliedFederation                  `json:"appliedFederation,omitempty"`
	RequiredSubsets        []RequiredSubsets                   `json:"requiredSubsets,omitempty"`
}

// AppliedAccessPolicy is an effective AccessPolicy of a Destination, as of its acceptance.
type AppliedAccessPolicy struct {
	Ref                *core.ObjectRef                `json:"ref,omitempty"`
	ObservedGeneration core.Int64                     `json:"observedGeneration,omitempty"`
	Spec               *networkingv1.AccessPolicySpec `json:"spec,omitempty"`
}

// AppliedFederation lists the meshes to which a Destination is exposed.
type AppliedFederation struct {
	FederatedHostname string             `json:"federatedHostname,omitempty"`
	FederatedToMeshes []core.ObjectRef   `json:"federatedToMeshes,omitempty"`
	FlatNetwork       bool               `json:"flatNetwork,omitempty"`
	VirtualMeshRef    *core.ObjectRef    `json:"virtualMeshRef,omitempty"`
	TCPKeepalive      *core.TCPKeepalive `json:"tcpKeepalive,omitempty"`
}

// RequiredSubsets are the subsets of a Destination that a resource routes to.
//
// +kubebuilder:validation:XValidation:rule="[has(self.trafficPolicyRef), has(self.virtualGatewayRef), has(self.virtualHostRef), has(self.routeTableRef)].filter(x, x).size() <= 1",message="the references cannot be combined"
type RequiredSubsets struct {
	TrafficPolicyRef    *core.ObjectRef                   `json:"trafficPolicyRef,omitempty"`
	VirtualGatewayRef   *core.ObjectRef                   `json:"virtualGatewayRef,omitempty"`
	VirtualHostRef      *core.ObjectRef                   `json:"virtualHostRef,omitempty"`
	RouteTableRef       *core.ObjectRef                   `json:"routeTableRef,omitempty"`
	ObservedGeneration  core.Int64                        `json:"observedGeneration,omitempty"`
	TrafficShift        *networkingv1.MultiDestination    `json:"trafficShift,omitempty"`
	WeightedDestination *networkingv1.WeightedDestination `json:"weightedDestination,omitempty"`
}
