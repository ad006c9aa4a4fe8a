package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Facts are what discovery reads about Istio beyond the fields that other tools
// write, too. All of them are optional: an absent fact is not known, and an empty
// list is known to be empty. Hence lists have omitzero, which keeps
// empty ones, and switches are pointers.

// MeshFacts are what an istiod and its mesh configuration say. Defaults of Istio
// are filled in.
type MeshFacts struct {
	// The revision of the control plane; `default` if it has none.
	//
	// +kubebuilder:validation:MaxLength=255
	Revision string `json:"revision,omitempty"`
	// Trust domains that stand for the mesh's own, in principals and when the
	// certificate of a client is checked.
	//
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.all(d, d.matches('^[a-z0-9._-]+$'))",message="a trust domain may have lower-case letters, digits, dots, dashes and underscores only"
	// +optional
	TrustDomainAliases []string `json:"trustDomainAliases,omitzero"`
	// Trust domains of the CA certificates that the mesh configuration lists: their
	// clients are accepted, too.
	//
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.all(d, d.matches('^[a-z0-9._-]+$'))",message="a trust domain may have lower-case letters, digits, dots, dashes and underscores only"
	// +optional
	CACertificateTrustDomains []string `json:"caCertificateTrustDomains,omitzero"`
	// The proxies accept clients of every trust domain
	// (PILOT_SKIP_VALIDATE_TRUST_DOMAIN).
	SkipValidateTrustDomain *bool `json:"skipValidateTrustDomain,omitempty"`
	// The control plane reloads a changed root certificate (ISTIO_MULTIROOT_MESH).
	MultiRootMesh *bool `json:"multiRootMesh,omitempty"`
	// Gateways select pods of their own namespace only
	// (PILOT_SCOPE_GATEWAY_TO_NAMESPACE).
	ScopeGatewayToNamespace *bool `json:"scopeGatewayToNamespace,omitempty"`
	// Where calls to hosts go that the mesh does not know.
	OutboundTrafficPolicy OutboundTrafficPolicy `json:"outboundTrafficPolicy,omitempty"`
	// Proxies use mutual TLS with pods that support it, without a DestinationRule.
	EnableAutoMTLS *bool `json:"enableAutoMtls,omitempty"`
	// The namespaces that the control plane reads, as alternatives; empty: all.
	//
	// +kubebuilder:validation:MaxItems=256
	// +optional
	DiscoverySelectors []metav1.LabelSelector `json:"discoverySelectors,omitzero"`
	// The names of the networks of meshNetworks.
	//
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=255
	// +optional
	Networks []string `json:"networks,omitzero"`
	// The clusters that the control plane reads through remote secrets: Istio joins
	// the mesh with them itself.
	//
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=255
	// +optional
	RemoteClusters []string `json:"remoteClusters,omitzero"`
	// The retries of routes without retries of their own. Empty if the mesh
	// configuration has none: Istio's own default then applies.
	DefaultHTTPRetryPolicy *DefaultRetryPolicy `json:"defaultHttpRetryPolicy,omitempty"`
	// To which namespaces Services, VirtualServices and DestinationRules are visible
	// that do not say so themselves: `*` is every one, `.` their own, `~` none.
	//
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=255
	// +optional
	DefaultServiceExportTo []string `json:"defaultServiceExportTo,omitzero"`
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=255
	// +optional
	DefaultVirtualServiceExportTo []string `json:"defaultVirtualServiceExportTo,omitzero"`
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=255
	// +optional
	DefaultDestinationRuleExportTo []string `json:"defaultDestinationRuleExportTo,omitzero"`
	// By default, proxies capture the DNS requests of their pods.
	DNSCapture *bool `json:"dnsCapture,omitempty"`
}

// OutboundTrafficPolicy says where calls to unknown hosts go.
//
// +kubebuilder:validation:Enum=ALLOW_ANY;REGISTRY_ONLY
type OutboundTrafficPolicy string

// The outbound traffic policies; ALLOW_ANY is Istio's default.
const (
	OutboundAllowAny     OutboundTrafficPolicy = "ALLOW_ANY"
	OutboundRegistryOnly OutboundTrafficPolicy = "REGISTRY_ONLY"
)

// DefaultRetryPolicy is the part of a mesh-wide retry policy that decides whether a
// request is tried again.
type DefaultRetryPolicy struct {
	// 0 switches retries off.
	Attempts *int32 `json:"attempts,omitempty"`
	// Istio's own conditions if omitted.
	//
	// +kubebuilder:validation:MaxLength=4096
	RetryOn       string         `json:"retryOn,omitempty"`
	PerTryTimeout *core.Duration `json:"perTryTimeout,omitempty"`
}

// Presence says how many of several pods have something.
//
// +kubebuilder:validation:Enum=ALL;SOME;NONE
type Presence string

// The presences.
const (
	PresenceAll  Presence = "ALL"
	PresenceSome Presence = "SOME"
	PresenceNone Presence = "NONE"
)

// ProxyType is what a proxy is for.
//
// +kubebuilder:validation:Enum=SIDECAR;GATEWAY
type ProxyType string

// The types of proxies.
const (
	ProxySidecar ProxyType = "SIDECAR"
	ProxyGateway ProxyType = "GATEWAY"
)

// WorkloadFacts are what the pods of a workload show.
type WorkloadFacts struct {
	// How many of the pods have a proxy. Pods that have ended do not count.
	Proxy     Presence  `json:"proxy,omitempty"`
	ProxyType ProxyType `json:"proxyType,omitempty"`
	// The proxies capture the DNS requests of their pods. The mesh's default if
	// omitted.
	DNSCapture *bool `json:"dnsCapture,omitempty"`
	// Some pods are in ambient mode instead of having a proxy.
	Ambient *bool `json:"ambient,omitempty"`
}

// DestinationFacts are what a Service, and the pods behind it, show.
type DestinationFacts struct {
	// The Service has no address of its own: its name leads to the pods.
	Headless *bool `json:"headless,omitempty"`
	// The host that the name of an EXTERNAL_NAME Service leads to.
	ExternalName string `json:"externalName,omitempty"`
	// How many of the pods that the Service selects have a proxy, whether they
	// belong to a workload or not.
	Proxy Presence `json:"proxy,omitempty"`
	// By number, in the order of the Service.
	Ports []PortFacts `json:"ports,omitempty"`
	// The service accounts of the pods, by name.
	ServiceAccounts []string `json:"serviceAccounts,omitempty"`
	// To which namespaces the Service is visible: `*` is every one, `.` its own, `~`
	// none. Empty: the mesh's default.
	//
	// +optional
	ExportTo []string `json:"exportTo,omitzero"`
}

// PortFacts are the facts about a port of a Service.
type PortFacts struct {
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	Port uint32 `json:"port,omitempty"`
	// The protocol as Istio resolves it.
	Protocol PortProtocol `json:"protocol,omitempty"`
	// Where pods listen, if the target port is a name that does not mean the same
	// number in all workloads.
	PodPorts []PodPort `json:"podPorts,omitempty"`
}

// PodPort is the port of the pods of one workload.
type PodPort struct {
	// The name of the Workload.
	Workload string `json:"workload,omitempty"`
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	Port uint32 `json:"port,omitempty"`
}

// PortProtocol is a protocol in Istio's spelling, or SCTP.
//
// +kubebuilder:validation:Enum=AUTO;HTTP;HTTP2;HTTP_PROXY;HTTPS;GRPC;GRPC-Web;TCP;TLS;UDP;SCTP;Mongo;Redis;MySQL
type PortProtocol string

// ProtocolAuto is the protocol of a port that declares none: proxies detect it.
const ProtocolAuto PortProtocol = "AUTO"
