// Package v1 holds the Settings resource.
//
// +kubebuilder:object:generate=true
// +groupName=settings.mesh.gloo.solo.io
package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// GroupName is the name of the API group.
const GroupName = "settings.mesh.gloo.solo.io"

// GroupVersion returns the API group and version of the resources.
func GroupVersion() schema.GroupVersion { return schema.GroupVersion{Group: GroupName, Version: "v1"} }

// Settings holds defaults for all virtual meshes.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=settings,singular=settings
type Settings struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	Spec SettingsSpec `json:"spec,omitempty,omitzero"`
	// Status reported by a controller. Its schema is open because controllers of other versions
	// write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status SettingsStatus `json:"status,omitempty,omitzero"`
}

// SettingsSpec is the configuration of the Settings.
type SettingsSpec struct {
	// How clients connect, unless a TrafficPolicy overrides it.
	MTLS                       *networkingv1.MTLS `json:"mtls,omitempty"`
	NetworkingExtensionServers []GRPCServer       `json:"networkingExtensionServers,omitempty"`
	Discovery                  *DiscoverySettings `json:"discovery,omitempty"`
	Relay                      *RelaySettings     `json:"relay,omitempty"`
}

// RelaySettings configure agents. They are preserved but not used by meshctl.
type RelaySettings struct {
	Enabled bool        `json:"enabled,omitempty"`
	Server  *GRPCServer `json:"server,omitempty"`
}

// DiscoverySettings configure discovery.
type DiscoverySettings struct {
	Istio *IstioDiscovery `json:"istio,omitempty"`
}

// IstioDiscovery configures how Istio's ingress gateways are recognised.
type IstioDiscovery struct {
	// Detectors by cluster name; `*` applies to all other clusters.
	IngressGatewayDetectors map[string]IngressGatewayDetector `json:"ingressGatewayDetectors,omitempty"`
}

// IngressGatewayDetector is a rule to recognise ingress gateways.
type IngressGatewayDetector struct {
	GatewayWorkloadLabels map[string]string `json:"gatewayWorkloadLabels,omitempty"`
	GatewayTLSPortName    string            `json:"gatewayTlsPortName,omitempty"`
}

// GRPCServer is the address of a server.
type GRPCServer struct {
	Address                    string `json:"address,omitempty"`
	Insecure                   bool   `json:"insecure,omitempty"`
	ReconnectOnNetworkFailures bool   `json:"reconnectOnNetworkFailures,omitempty"`
}

// SettingsStatus is the result of processing the Settings.
type SettingsStatus struct {
	ObservedGeneration core.Int64         `json:"observedGeneration,omitempty"`
	State              core.ApprovalState `json:"state,omitempty"`
	Errors             []string           `json:"errors,omitempty"`
}
