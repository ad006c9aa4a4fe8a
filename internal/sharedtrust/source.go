package sharedtrust

import (
	"fmt"
	"reflect"

	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// SourceKind is the kind of source of a root.
type SourceKind string

// The sources of roots.
const (
	SourceGenerated SourceKind = "generated"
	SourceSecret    SourceKind = "secret"
	SourceVault     SourceKind = "vault"
)

// Source is where the root of a VirtualMesh comes from.
type Source struct {
	Kind SourceKind
	// Namespace and Name identify the Secret in the management cluster; empty for Vault.
	Namespace, Name string
	// Options are the options of a generated root.
	Options *certificatesv1.CommonCertOptions
	// Vault is set for SourceVault.
	Vault *certificatesv1.VaultCA
}

// String describes the source for messages.
func (s Source) String() string {
	if s.Kind == SourceGenerated {
		return "generated, " + s.place()
	}
	return s.place()
}

// place returns where the root is stored.
func (s Source) place() string {
	if s.Kind == SourceVault {
		return "Vault at " + s.Vault.Server
	}
	return fmt.Sprintf("Secret %s in %s", s.Name, s.Namespace)
}

// same reports whether two sources are the same place. The options of a generated root do not
// matter, because an existing root is kept.
func (s Source) same(other Source) bool {
	return s.Kind == other.Kind && s.Namespace == other.Namespace && s.Name == other.Name && reflect.DeepEqual(s.Vault, other.Vault)
}

// sourceOf returns the source of the root. A generated root is stored in a Secret named
// NAME.NAMESPACE after the VirtualMesh, in the namespace of meshctl's resources. If no source
// is given, the root is generated (D41).
func (s *Subject) sourceOf(shared *networkingv1.SharedTrust, namespace string) Source {
	generated := Source{Kind: SourceGenerated, Namespace: namespace, Name: s.Name()}
	switch {
	case shared.IntermediateCertificateAuthority != nil && shared.IntermediateCertificateAuthority.Vault != nil:
		return Source{Kind: SourceVault, Vault: shared.IntermediateCertificateAuthority.Vault}
	case shared.RootCertificateAuthority == nil:
		return generated
	case shared.RootCertificateAuthority.Secret != nil:
		ref := shared.RootCertificateAuthority.Secret
		return Source{Kind: SourceSecret, Namespace: ref.Namespace, Name: ref.Name}
	default:
		generated.Options = shared.RootCertificateAuthority.Generated
		return generated
	}
}

// check rejects a Secret that shared trust writes itself.
func (s Source) check() error {
	if s.Kind == SourceSecret && s.Name == trust.CASecretName {
		return fmt.Errorf("the Secret %s in %s cannot hold the root: it holds the certificate of a control plane; use another Secret", s.Name, s.Namespace)
	}
	return nil
}

// next returns where a rotation between generated roots stores the new root until it replaces
// the old one.
func (s Source) next() Source {
	s.Name += ".next"
	return s
}
