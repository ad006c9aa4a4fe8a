package v1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// VirtualMesh groups meshes for shared trust, federation and access control.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=virtualmeshes,shortName=vmesh
// +kubebuilder:printcolumn:name=State,type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name=Written,type=string,JSONPath=`.status.meshctl.written`,description="Clusters that have its configuration"
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=`.metadata.creationTimestamp`
type VirtualMesh struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	Spec VirtualMeshSpec `json:"spec,omitempty,omitzero"`
	// Status reported by a controller. Its schema is open because controllers of other versions
	// write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status VirtualMeshStatus `json:"status,omitempty,omitzero"`
}

// VirtualMeshSpec is the configuration of a VirtualMesh.
type VirtualMeshSpec struct {
	// The meshes to group. A mesh belongs to at most one VirtualMesh.
	//
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:XValidation:rule="has(self.name) && self.name != ''",message="name is required",reason="FieldValueRequired",fieldPath=".name"
	// +kubebuilder:validation:items:XValidation:rule="has(self.__namespace__) && self.__namespace__ != ''",message="namespace is required",reason="FieldValueRequired",fieldPath=".namespace"
	Meshes []core.ObjectRef `json:"meshes,omitempty"`
	// How the meshes trust each other.
	MTLSConfig *MTLSConfig `json:"mtlsConfig,omitempty"`
	// Which Destinations are exposed to other meshes, and how.
	Federation *Federation `json:"federation,omitempty"`
	// Default for requests to which no AccessPolicy applies.
	GlobalAccessPolicy GlobalAccessPolicy `json:"globalAccessPolicy,omitempty"`
}

// MTLSConfig says how the meshes of a VirtualMesh trust each other.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.shared) && has(self.limited))",message="shared and limited cannot be combined"
type MTLSConfig struct {
	// A common root certificate for all meshes.
	Shared *SharedTrust `json:"shared,omitempty"`
	// Trust between gateways only. Not supported yet.
	Limited *LimitedTrust `json:"limited,omitempty"`
	// Restart workloads automatically when certificates change. Not recommended for production.
	AutoRestartPods bool `json:"autoRestartPods,omitempty"`
	// Who confirms the steps of a rotation.
	RotationVerificationMethod *certificatesv1.CertificateRotationVerificationMethod `json:"rotationVerificationMethod,omitempty"`
	RotationStrategy           certificatesv1.CertificateRotationStrategy            `json:"rotationStrategy,omitempty"`
}

// LimitedTrust has no options.
type LimitedTrust struct{}

// SharedTrust is the source of the common root certificate.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.rootCertificateAuthority) && has(self.intermediateCertificateAuthority))",message="rootCertificateAuthority and intermediateCertificateAuthority cannot be combined"
type SharedTrust struct {
	RootCertificateAuthority         *RootCertificateAuthority                        `json:"rootCertificateAuthority,omitempty"`
	IntermediateCertificateAuthority *certificatesv1.IntermediateCertificateAuthority `json:"intermediateCertificateAuthority,omitempty"`
	// Options of the intermediate certificate of each mesh.
	IntermediateCertOptions *certificatesv1.CommonCertOptions `json:"intermediateCertOptions,omitempty"`
}

// RootCertificateAuthority is the common root CA; generated if no source is given.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.generated) && has(self.secret))",message="generated and secret cannot be combined"
type RootCertificateAuthority struct {
	// Generate a self-signed root with these options.
	Generated *certificatesv1.CommonCertOptions `json:"generated,omitempty"`
	// Use the root in this Secret.
	//
	// +kubebuilder:validation:XValidation:rule="has(self.name) && self.name != ''",message="name is required",reason="FieldValueRequired",fieldPath=".name"
	// +kubebuilder:validation:XValidation:rule="has(self.__namespace__) && self.__namespace__ != ''",message="namespace is required",reason="FieldValueRequired",fieldPath=".namespace"
	Secret *core.ObjectRef `json:"secret,omitempty"`
}

// Federation exposes Destinations to the other meshes of a VirtualMesh.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.ingressGatewaySelectors) && has(self.eastWestIngressGatewaySelectors))",message="ingressGatewaySelectors and its older spelling eastWestIngressGatewaySelectors cannot be combined"
type Federation struct {
	// Services through which requests from other clusters enter.
	//
	// +kubebuilder:validation:MaxItems=64
	IngressGatewaySelectors []IngressGatewaySelector `json:"ingressGatewaySelectors,omitempty"`
	// Deprecated: the previous name of ingressGatewaySelectors.
	//
	// +kubebuilder:validation:MaxItems=64
	EastWestIngressGatewaySelectors []IngressGatewaySelector `json:"eastWestIngressGatewaySelectors,omitempty"`
	// Deprecated: use `selectors: [{}]`. Expose all Destinations to every mesh.
	Permissive *core.Empty `json:"permissive,omitempty"`
	// Send requests directly to the pods of other clusters, not through gateways.
	FlatNetwork bool `json:"flatNetwork,omitempty"`
	// Suffix of federated hostnames; `global` if omitted.
	HostnameSuffix string `json:"hostnameSuffix,omitempty"`
	// Which Destinations are exposed to which meshes; none if omitted.
	//
	// +kubebuilder:validation:MaxItems=64
	Selectors []FederationSelector `json:"selectors,omitempty"`
	// Keepalive of connections between clusters.
	TCPKeepalive           *core.TCPKeepalive      `json:"tcpKeepalive,omitempty"`
	TLSEnforcementSettings *TLSEnforcementSettings `json:"tlsEnforcementSettings,omitempty"`
}

// GatewaySelectors returns the gateway selectors from either spelling; nil for
// nil.
func (f *Federation) GatewaySelectors() []IngressGatewaySelector {
	switch {
	case f == nil:
		return nil
	case len(f.IngressGatewaySelectors) > 0:
		return f.IngressGatewaySelectors
	default:
		return f.EastWestIngressGatewaySelectors
	}
}

// FederationSelector exposes the selected Destinations to the named meshes.
type FederationSelector struct {
	// Destinations to expose; all if omitted.
	//
	// +kubebuilder:validation:MaxItems=64
	DestinationSelectors []core.DestinationSelector `json:"destinationSelectors,omitempty"`
	// Meshes to expose them to; all meshes of the VirtualMesh if omitted.
	//
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:XValidation:rule="has(self.name) && self.name != ''",message="name is required",reason="FieldValueRequired",fieldPath=".name"
	// +kubebuilder:validation:items:XValidation:rule="has(self.__namespace__) && self.__namespace__ != ''",message="namespace is required",reason="FieldValueRequired",fieldPath=".namespace"
	Meshes []core.ObjectRef `json:"meshes,omitempty"`
}

// IngressGatewaySelector selects the Services that act as ingress gateways.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.portName) && has(self.overrideHostInfo))",message="portName and overrideHostInfo cannot be combined"
type IngressGatewaySelector struct {
	// Candidates; all Destinations of a mesh if omitted.
	//
	// +kubebuilder:validation:MaxItems=64
	DestinationSelectors []core.DestinationSelector `json:"destinationSelectors,omitempty"`
	// Name of the TLS port; `tls` if omitted.
	PortName *string `json:"portName,omitempty"`
	// Connect to this address instead of that of the Service.
	OverrideHostInfo *HostInfo `json:"overrideHostInfo,omitempty"`
}

// HostInfo is an address to which other clusters connect.
type HostInfo struct {
	// A DNS name or IP address.
	//
	// +kubebuilder:validation:MinLength=1
	Addr string `json:"addr"`
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port uint32 `json:"port"`
}

// TLSEnforcementSettings configure which connections servers accept.
type TLSEnforcementSettings struct {
	EnforcementMode EnforcementMode `json:"enforcementMode,omitempty"`
}

// EnforcementMode is a server-side TLS mode.
//
// +kubebuilder:validation:Enum=UNSET;DISABLE;PERMISSIVE;STRICT
type EnforcementMode string

// Enforcement modes; UNSET is the default.
const (
	EnforcementModeUnset      EnforcementMode = "UNSET"
	EnforcementModeDisable    EnforcementMode = "DISABLE"
	EnforcementModePermissive EnforcementMode = "PERMISSIVE"
	EnforcementModeStrict     EnforcementMode = "STRICT"
)

// OrDefault returns the mode, UNSET if it is unset.
func (m EnforcementMode) OrDefault() EnforcementMode { return cmp.Or(m, EnforcementModeUnset) }

// GlobalAccessPolicy is the default for requests to which no AccessPolicy applies.
//
// +kubebuilder:validation:Enum=MESH_DEFAULT;ENABLED;DISABLED
type GlobalAccessPolicy string

// Global access policies: MESH_DEFAULT (the default) leaves it to the mesh, ENABLED denies,
// DISABLED allows.
const (
	GlobalAccessPolicyMeshDefault GlobalAccessPolicy = "MESH_DEFAULT"
	GlobalAccessPolicyEnabled     GlobalAccessPolicy = "ENABLED"
	GlobalAccessPolicyDisabled    GlobalAccessPolicy = "DISABLED"
)

// OrDefault returns the policy, MESH_DEFAULT if it is unset.
func (p GlobalAccessPolicy) OrDefault() GlobalAccessPolicy {
	return cmp.Or(p, GlobalAccessPolicyMeshDefault)
}

// VirtualMeshStatus is the result of processing a VirtualMesh.
type VirtualMeshStatus struct {
	ObservedGeneration core.Int64         `json:"observedGeneration,omitempty"`
	State              core.ApprovalState `json:"state,omitempty"`
	Errors             []string           `json:"errors,omitempty"`
	// Results by Mesh, with the key NAME.NAMESPACE followed by a dot.
	Meshes map[string]core.ApprovalStatus `json:"meshes,omitempty"`
	// Results by Destination, with the key NAME.NAMESPACE followed by a dot.
	Destinations map[string]core.ApprovalStatus `json:"destinations,omitempty"`
	// History of certificate rotations.
	Conditions          []certificatesv1.CertificateRotationCondition `json:"conditions,omitempty"`
	DeployedSharedTrust *SharedTrust                                  `json:"deployedSharedTrust,omitempty"`
	// Meshctl says where its configuration was written, and what was accepted.
	Meshctl *VirtualMeshRecord `json:"meshctl,omitempty"`
}

// VirtualMeshRecord is what meshctl records about a VirtualMesh. An extension of
// meshctl's.
type VirtualMeshRecord struct {
	core.WrittenStatus `json:",inline"`
	// TrustDomains are the accepted trust domains of its meshes, by the key of the Mesh,
	// NAME.NAMESPACE followed by a dot. They outlive the Mesh: a member that leaves and
	// comes back has the trust domain that it had, or the new one must be accepted. Only
	// meshes that spec.meshes no longer lists are forgotten.
	TrustDomains map[string]string `json:"trustDomains,omitempty"`
}

// TrustDomainKey is the key of a mesh in VirtualMeshRecord.TrustDomains.
func TrustDomainKey(mesh core.ObjectRef) string { return mesh.Name + "." + mesh.Namespace + "." }

// RecordedTrustDomains returns the accepted trust domains that the status has; nil
// if it has none.
func (s *VirtualMeshStatus) RecordedTrustDomains() map[string]string {
	if s.Meshctl == nil {
		return nil
	}
	return s.Meshctl.TrustDomains
}
