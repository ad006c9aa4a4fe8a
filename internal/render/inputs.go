package render

import (
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// In every input, a nil field is not given: it leaves what a base resource has.
// An empty list that is not nil is given, and removes what the base has.

// TrustModel says how the meshes of a VirtualMesh trust each other.
type TrustModel string

// The trust models: one root certificate for all, between gateways only, none.
const (
	TrustShared  TrustModel = "shared"
	TrustLimited TrustModel = "limited"
	TrustNone    TrustModel = "none"
)

// RotationVerification says who decides that a step of a rotation worked.
type RotationVerification string

// The verification methods: nobody, the operator.
const (
	VerifyNone   RotationVerification = "none"
	VerifyManual RotationVerification = "manual"
)

// CertificateInput gives the options of a generated certificate.
type CertificateInput struct {
	// TTLDays are the days until expiry.
	TTLDays *uint32
	// KeyBits is the size of the RSA key in bits (the API calls it bytes).
	KeyBits *uint32
	Org     *string
	// RenewalRatio is the part of the lifetime before expiry in which to renew,
	// 0 to 1.
	RenewalRatio *float64
}

// VirtualMeshInput gives the parts of a VirtualMesh.
type VirtualMeshInput struct {
	Meshes []core.ObjectRef

	Trust *TrustModel
	// Root are the options of a generated root, RootSecret names a provided one,
	// Vault is the authority that signs the intermediates; at most one of them.
	Root                 CertificateInput
	RootSecret           *core.ObjectRef
	Vault                *certificatesv1.VaultCA
	Intermediate         CertificateInput
	AutoRestartPods      *bool
	RotationStrategy     *certificatesv1.CertificateRotationStrategy
	RotationVerification *RotationVerification

	// Federate says what is exposed to whom; empty but not nil is nothing.
	Federate       []networkingv1.FederationSelector
	HostnameSuffix *string
	FlatNetwork    *bool
	Keepalive      *core.TCPKeepalive
	Gateways       []networkingv1.IngressGatewaySelector
	TLSEnforcement *networkingv1.EnforcementMode

	GlobalAccessPolicy *networkingv1.GlobalAccessPolicy
}

// TrafficPolicyInput gives the parts of a TrafficPolicy.
type TrafficPolicyInput struct {
	// Sources are alternatives; one with nothing set is any workload.
	Sources []core.KubeWorkloadMatcher
	// Destinations are selectors, alternatives too; references to Services that
	// stand in one flag each share one selector.
	Destinations []core.DestinationSelector
	// Ports are those of the Destinations.
	Ports    []uint32
	Matchers []core.HTTPMatcher

	Shift          []networkingv1.WeightedDestination
	Timeout        *core.Duration
	RetryAttempts  *int32
	RetryTimeout   *core.Duration
	Fault          FaultInput
	Mirror         networkingv1.Mirror
	Headers        networkingv1.HeaderManipulation
	CORS           networkingv1.CORSPolicy
	Outlier        OutlierInput
	TLSMode        *networkingv1.TLSMode
	ConnectionPool ConnectionPoolInput
}

// FaultInput gives the parts of a fault: a delay or an abort.
type FaultInput struct {
	Delay *core.Duration
	// AbortStatus is the HTTP status to answer with.
	AbortStatus *int32
	// Percentage is the part of the requests, 0 to 100.
	Percentage *float64
}

// OutlierInput says when an endpoint is no longer used.
type OutlierInput struct {
	Errors                 *uint32
	Interval, EjectionTime *core.Duration
	// MaxEjection is a percentage, 0 to 100.
	MaxEjection *uint32
}

// ConnectionPoolInput limits connections.
type ConnectionPoolInput struct {
	MaxConnections           *int32
	ConnectTimeout           *core.Duration
	Keepalive                *core.TCPKeepalive
	MaxPendingRequests       *int32
	MaxRequests              *int32
	MaxRequestsPerConnection *int32
	MaxRetries               *int32
	IdleTimeout              *core.Duration
	H2Upgrade                *networkingv1.H2UpgradePolicy
	UseClientProtocol        *bool
}

// AccessPolicyInput gives the parts of an AccessPolicy.
type AccessPolicyInput struct {
	// Sources are alternatives; within one, everything set must hold.
	Sources []core.IdentitySelector
	// Destinations are as in a TrafficPolicyInput.
	Destinations   []core.DestinationSelector
	Paths, Methods []string
	Ports          []uint32
}
