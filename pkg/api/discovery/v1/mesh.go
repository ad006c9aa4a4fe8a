package v1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Mesh is a service mesh control plane that discovery found.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=meshes
type Mesh struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	Spec MeshSpec `json:"spec,omitempty,omitzero"`
	// Status reported by a controller. Its schema is open because controllers of other versions
	// write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status MeshStatus `json:"status,omitempty,omitzero"`
}

// TrustDomainAnnotation is the annotation of a Mesh with its accepted trust domain: the one it
// was first discovered with, or one accepted since. Certificates are issued only for this
// trust domain.
const TrustDomainAnnotation = "discovery.meshctl.io/trust-domain"

// MeshSpec is what discovery found, by type of mesh.
//
// +kubebuilder:validation:XValidation:rule="[has(self.istio), has(self.awsAppMesh), has(self.linkerd), has(self.consulConnect), has(self.osm)].filter(x, x).size() <= 1",message="istio, awsAppMesh, linkerd, consulConnect and osm cannot be combined"
type MeshSpec struct {
	Istio                   *IstioMesh            `json:"istio,omitempty"`
	AWSAppMesh              *AWSAppMesh           `json:"awsAppMesh,omitempty"`
	Linkerd                 *LinkerdMesh          `json:"linkerd,omitempty"`
	ConsulConnect           *ConsulConnectMesh    `json:"consulConnect,omitempty"`
	OSM                     *OSM                  `json:"osm,omitempty"`
	AgentInfo               *apiextensionsv1.JSON `json:"agentInfo,omitempty"`
	IssuedCertificateStatus *apiextensionsv1.JSON `json:"issuedCertificateStatus,omitempty"`
	// Facts that meshctl's discovery adds, of Istio meshes.
	Meshctl *MeshFacts `json:"meshctl,omitempty"`
}

// MeshInstallation is the location of a control plane.
type MeshInstallation struct {
	Namespace string            `json:"namespace,omitempty"`
	Cluster   string            `json:"cluster,omitempty"`
	PodLabels map[string]string `json:"podLabels,omitempty"`
	Version   string            `json:"version,omitempty"`
	Region    string            `json:"region,omitempty"`
}

// IstioMesh is an Istio control plane.
type IstioMesh struct {
	Installation *MeshInstallation `json:"installation,omitempty"`
	// `cluster.local` if omitted.
	TrustDomain          string `json:"trustDomain,omitempty"`
	IstiodServiceAccount string `json:"istiodServiceAccount,omitempty"`
	// Deprecated: gateways are discovered among the Destinations; this list is a fallback.
	IngressGateways []IngressGatewayInfo `json:"ingressGateways,omitempty"`
	// Whether the proxies resolve hostnames that DNS servers do not know.
	SmartDNSProxyingEnabled bool `json:"smartDnsProxyingEnabled,omitempty"`
	// Namespace of mesh-wide configuration; the namespace of the installation if omitted.
	RootNamespace string `json:"rootNamespace,omitempty"`
}

// IngressGatewayInfo is an ingress gateway of an Istio mesh.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.dnsName) && has(self.ip))",message="dnsName and ip cannot be combined"
type IngressGatewayInfo struct {
	Name            string            `json:"name,omitempty"`
	Namespace       string            `json:"namespace,omitempty"`
	WorkloadLabels  map[string]string `json:"workloadLabels,omitempty"`
	ExternalAddress string            `json:"externalAddress,omitempty"`
	DNSName         *string           `json:"dnsName,omitempty"`
	IP              *string           `json:"ip,omitempty"`
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	ExternalTLSPort uint32 `json:"externalTlsPort,omitempty"`
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	TLSContainerPort uint32 `json:"tlsContainerPort,omitempty"`
}

// AWSAppMesh is a mesh of AWS App Mesh.
type AWSAppMesh struct {
	AWSName      string   `json:"awsName,omitempty"`
	Region       string   `json:"region,omitempty"`
	AWSAccountID string   `json:"awsAccountId,omitempty"`
	ARN          string   `json:"arn,omitempty"`
	Clusters     []string `json:"clusters,omitempty"`
}

// LinkerdMesh is a Linkerd control plane.
type LinkerdMesh struct {
	Installation  *MeshInstallation `json:"installation,omitempty"`
	ClusterDomain string            `json:"clusterDomain,omitempty"`
}

// ConsulConnectMesh is a Consul control plane.
type ConsulConnectMesh struct {
	Installation *MeshInstallation `json:"installation,omitempty"`
}

// OSM is an Open Service Mesh control plane.
type OSM struct {
	Installation *MeshInstallation `json:"installation,omitempty"`
}

// MeshStatus is what applies to a mesh.
type MeshStatus struct {
	ObservedGeneration             core.Int64                   `json:"observedGeneration,omitempty"`
	AppliedVirtualMesh             *AppliedVirtualMesh          `json:"appliedVirtualMesh,omitempty"`
	AppliedVirtualDestinations     []apiextensionsv1.JSON       `json:"appliedVirtualDestinations,omitempty"`
	AppliedEastWestIngressGateways []core.AppliedIngressGateway `json:"appliedEastWestIngressGateways,omitempty"`
}

// AppliedVirtualMesh is the effective VirtualMesh of a mesh, as of its acceptance.
type AppliedVirtualMesh struct {
	Ref                *core.ObjectRef               `json:"ref,omitempty"`
	ObservedGeneration core.Int64                    `json:"observedGeneration,omitempty"`
	Spec               *networkingv1.VirtualMeshSpec `json:"spec,omitempty"`
}
