// Package v1 holds the types of the certificates API group that the networking
// resources use.
//
// +kubebuilder:object:generate=true
package v1

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// CommonCertOptions are the options of a generated certificate.
type CommonCertOptions struct {
	// Lifetime in days; 365 if 0.
	//
	// +kubebuilder:validation:Minimum=0
	TTLDays uint32 `json:"ttlDays,omitempty"`
	// Size of the RSA key in bits (despite the name of the field); 4096 if 0.
	//
	// +kubebuilder:validation:Minimum=0
	RSAKeySizeBytes uint32 `json:"rsaKeySizeBytes,omitempty"`
	OrgName         string `json:"orgName,omitempty"`
	// Fraction of the lifetime before expiry in which to renew; 0.1 if 0.
	//
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	SecretRotationGracePeriodRatio float64 `json:"secretRotationGracePeriodRatio,omitempty"`
}

// IntermediateCertificateAuthority signs the intermediate certificates of the
// meshes.
type IntermediateCertificateAuthority struct {
	Vault *VaultCA `json:"vault,omitempty"`
}

// VaultCA is a PKI secrets engine of Vault.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.caBundle) && has(self.caLocalPath))",message="caBundle and caLocalPath cannot be combined"
// +kubebuilder:validation:XValidation:rule="!(has(self.tokenSecretRef) && has(self.kubernetesAuth))",message="tokenSecretRef and kubernetesAuth cannot be combined"
type VaultCA struct {
	CAPath  string `json:"caPath,omitempty"`
	CSRPath string `json:"csrPath,omitempty"`
	Server  string `json:"server,omitempty"`
	// PEM bundle to verify the server's certificate.
	CABundle       []byte               `json:"caBundle,omitempty"`
	CALocalPath    *string              `json:"caLocalPath,omitempty"`
	Namespace      string               `json:"namespace,omitempty"`
	TokenSecretRef *core.ObjectRef      `json:"tokenSecretRef,omitempty"`
	KubernetesAuth *VaultKubernetesAuth `json:"kubernetesAuth,omitempty"`
}

// VaultKubernetesAuth logs in to Vault as a service account.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.serviceAccountRef) && has(self.mountedSaPath))",message="serviceAccountRef and mountedSaPath cannot be combined"
type VaultKubernetesAuth struct {
	MountPath         string          `json:"mountPath,omitempty"`
	Role              string          `json:"role,omitempty"`
	SecretTokenKey    string          `json:"secretTokenKey,omitempty"`
	ServiceAccountRef *core.ObjectRef `json:"serviceAccountRef,omitempty"`
	MountedSAPath     *string         `json:"mountedSaPath,omitempty"`
}

// CertificateRotationState is a step of a certificate rotation.
//
// +kubebuilder:validation:Enum=NOT_ROTATING;PREVIOUS_CA;ADDING_NEW_ROOT;PROPAGATING_NEW_INTERMEDIATE;DELETING_OLD_ROOT;VERIFYING;VERIFIED;ROLLING_BACK;FINISHED;FAILED
type CertificateRotationState string

// CertificateRotationVerificationMethod says who confirms a rotation step.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.none) && has(self.manual))",message="none and manual cannot be combined"
type CertificateRotationVerificationMethod struct {
	// Automatic: the next step may follow immediately.
	None *core.Empty `json:"none,omitempty"`
	// An operator confirms each step.
	Manual *core.Empty `json:"manual,omitempty"`
}

// CertificateRotationStrategy is how root certificates are rotated.
//
// +kubebuilder:validation:Enum=MULTI_ROOT;NONE
type CertificateRotationStrategy string

// Rotation strategies; MULTI_ROOT is the default.
const (
	CertificateRotationStrategyMultiRoot CertificateRotationStrategy = "MULTI_ROOT"
	CertificateRotationStrategyNone      CertificateRotationStrategy = "NONE"
)

// CertificateRotationCondition records one step of a rotation.
type CertificateRotationCondition struct {
	Timestamp string                   `json:"timestamp,omitempty"`
	State     CertificateRotationState `json:"state,omitempty"`
	Message   string                   `json:"message,omitempty"`
	Errors    []string                 `json:"errors,omitempty"`
	// The roots of the rotation, only on its first condition. Specific to meshctl, and absent
	// from rotations that other tools started.
	Roots *CertificateRotationRoots `json:"roots,omitempty"`
}

// CertificateRotationRoots are the SHA-256 fingerprints of the old and the new root
// certificate of a rotation, in hexadecimal.
type CertificateRotationRoots struct {
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}
