package describe

import (
	"github.com/meshctl/meshctl/internal/policy"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// VirtualMeshDescriptionList is what `describe virtualmesh -o json` prints.
type VirtualMeshDescriptionList = List[*VirtualMeshDescription]

// VirtualMeshDescription describes a VirtualMesh and its effect on its meshes.
type VirtualMeshDescription struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// State is ACCEPTED or INVALID; an INVALID VirtualMesh groups only meshes
	// whose state is ACCEPTED, if any.
	State string `json:"state"`
	// Written is the state of the VirtualMesh in the clusters.
	Written    WrittenDescription     `json:"written"`
	Errors     []string               `json:"errors,omitempty"`
	Trust      TrustDescription       `json:"trust"`
	Federation *FederationDescription `json:"federation,omitempty"`
	// TLSEnforcement is the TLS mode that servers require.
	TLSEnforcement     string `json:"tlsEnforcement"`
	GlobalAccessPolicy string `json:"globalAccessPolicy"`
	// DefaultAccess is ALLOW or DENY: the default for requests to Istio meshes
	// without an AccessPolicy.
	DefaultAccess string          `json:"defaultAccess"`
	Meshes        []MeshOfVirtual `json:"meshes,omitempty"`
	findings      int
}

// TrustDescription describes how the meshes trust each other.
type TrustDescription struct {
	Model policy.TrustModel `json:"model"`
	// Root is the source of the common root certificate: generated, secret or
	// vault; absent without shared trust.
	Root string `json:"root,omitempty"`
	// RootOptions and IntermediateOptions have defaults filled in.
	RootOptions         *CertificateOptions     `json:"rootOptions,omitempty"`
	Secret              *ObjectRef              `json:"secret,omitempty"`
	Vault               *certificatesv1.VaultCA `json:"vault,omitempty"`
	IntermediateOptions *CertificateOptions     `json:"intermediateOptions,omitempty"`
	AutoRestartPods     bool                    `json:"autoRestartPods,omitempty"`
	RotationStrategy    string                  `json:"rotationStrategy,omitempty"`
	// Deployed is true if the status says that meshes have certificates.
	Deployed bool `json:"deployed,omitempty"`
	// Rotation is the progress of the root CA rotation according to the status;
	// absent if none is in progress.
	Rotation *RotationDescription `json:"rotation,omitempty"`
}

// RotationDescription is the last state of a rotation.
type RotationDescription struct {
	State string `json:"state"`
	// Since is when the state was reached.
	Since   string   `json:"since,omitempty"`
	Message string   `json:"message,omitempty"`
	Errors  []string `json:"errors,omitempty"`
}

// CertificateOptions are the options of a certificate.
type CertificateOptions struct {
	TTLDays    uint32 `json:"ttlDays"`
	RSAKeyBits uint32 `json:"rsaKeyBits"`
	OrgName    string `json:"orgName"`
	// RenewBefore is the last part of the lifetime, as a ratio, in which to
	// renew.
	RenewBefore float64 `json:"renewBeforeRatio"`
}

// FederationDescription describes what the meshes expose to each other.
type FederationDescription struct {
	HostnameSuffix string `json:"hostnameSuffix"`
	// FlatNetwork is true if requests go directly to pods of other clusters.
	FlatNetwork  bool               `json:"flatNetwork,omitempty"`
	TCPKeepalive *core.TCPKeepalive `json:"tcpKeepalive,omitempty"`
	// Exposes describes what is exposed to whom, one text per selector.
	Exposes []string `json:"exposes,omitempty"`
}

// MeshOfVirtual is one mesh that a VirtualMesh lists.
type MeshOfVirtual struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// State is ACCEPTED for a member; CLAIMED if another VirtualMesh holds the
	// mesh; NOT_FOUND if it was not discovered; INVALID if only the VirtualMesh
	// as a whole is.
	State       string `json:"state"`
	Type        string `json:"type,omitempty"`
	Cluster     string `json:"cluster,omitempty"`
	TrustDomain string `json:"trustDomain,omitempty"`
	// ClaimedBy is the VirtualMesh that holds the mesh instead.
	ClaimedBy *ObjectRef `json:"claimedBy,omitempty"`
	MeshSharing
}
