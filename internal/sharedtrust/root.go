package sharedtrust

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// Signer signs the intermediate certificates of meshes. The first certificate of
// the chain is the intermediate, the last one a self-signed root.
type Signer interface {
	Sign(ctx context.Context, request *trust.Request, key trust.Key) ([]*x509.Certificate, error)
}

// Vaults connects to a Vault. It returns the root certificate and a signer, or an error if the
// Vault cannot be used.
type Vaults func(ctx context.Context, settings *certificatesv1.VaultCA) (*x509.Certificate, Signer, error)

// Root is the root certificate of a VirtualMesh.
type Root struct {
	Source Source
	// Certificate is nil if there is no root or it cannot be read.
	Certificate *x509.Certificate
	// Missing is true if the root is to be generated and does not exist yet.
	Missing bool
	// Absent is true if the Secret of the root does not exist.
	Absent bool
	// Err is why the root cannot sign. That matters only if something must be signed.
	Err error

	signer Signer
}

// Unknown reports whether it is not known if the root exists, or which one it is.
func (r *Root) Unknown() bool { return r.Certificate == nil && !r.Missing && !r.Absent }

// usable returns why the root cannot sign; nil if it can.
func (r *Root) usable() error {
	switch {
	case r.Err != nil:
		return r.Err
	case r.signer == nil:
		return fmt.Errorf("the private key of root %s no longer exists", trust.Short(r.Certificate))
	default:
		return nil
	}
}

// localSigner signs with a private key in memory.
type localSigner struct {
	authority *trust.Authority
	env       *Env
}

// Sign implements Signer.
func (s localSigner) Sign(_ context.Context, request *trust.Request, key trust.Key) ([]*x509.Certificate, error) {
	return s.authority.Sign(request, key, s.env.Now())
}

// readRoot reads the root of a source. Root.Err is why it cannot be used.
func (e *Env) readRoot(ctx context.Context, source Source) Root {
	root := Root{Source: source}
	if root.Err = source.check(); root.Err != nil {
		return root
	}
	if source.Kind == SourceVault {
		if e.Vault == nil {
			root.Err = errors.New("no Vault is configured")
			return root
		}
		root.Certificate, root.signer, root.Err = e.Vault(ctx, source.Vault)
		return root
	}
	secret, err := e.Store.Read(ctx, Management, source.Namespace, source.Name)
	if err != nil {
		root.Err = err
		return root
	}
	if secret == nil {
		root.Absent = true
		if root.Missing = source.Kind == SourceGenerated; !root.Missing {
			root.Err = fmt.Errorf("root CA of the VirtualMesh not found: create Secret %s in %s on the management cluster with the keys %s and %s; with --output-dir, its manifest may be among those of --filename", source.Name, source.Namespace, trust.RootCertKey, trust.RootKeyKey)
		}
		return root
	}
	authority, err := trust.ParseAuthority(secret.Data, e.Now())
	if err != nil {
		root.Err = fmt.Errorf("invalid Secret %s in %s with the root CA of the VirtualMesh: %w", source.Name, source.Namespace, err)
		if certificates, _ := trust.ParseCertificates(secret.Data[trust.RootCertKey]); len(certificates) == 1 {
			root.Certificate = certificates[0] // an expired root is still known
		}
		return root
	}
	root.Certificate, root.signer = authority.Root(), localSigner{authority, e}
	return root
}

// generate creates a root and stores it. If someone else has stored one at the same time, that
// one is used.
func (e *Env) generate(ctx context.Context, s *Subject, source Source, dryRun kube.DryRun) (Root, error) {
	opts, err := trust.RootOptions(source.Options)
	if err != nil {
		return Root{}, fmt.Errorf("VirtualMesh %s: spec.mtlsConfig.shared.rootCertificateAuthority.generated: %w", s.Name(), err)
	}
	key, err := e.newKey(opts.KeyBits)
	if err != nil {
		return Root{}, err
	}
	authority, err := trust.GenerateRoot(s.Name(), key, opts, e.Now())
	if err != nil {
		return Root{}, err
	}
	data, err := authority.Data()
	if err != nil {
		return Root{}, err
	}
	secret := e.rootSecret(s, source.Name, data)
	if _, err := e.Store.Write(ctx, Management, secret, Write{Create: true, DryRun: dryRun}); err != nil {
		var conflict *kube.Error
		if errors.As(err, &conflict) && conflict.Reason == kube.ReasonAlreadyExists {
			root := e.readRoot(ctx, source)
			return root, root.usable()
		}
		return Root{}, err
	}
	return Root{Source: source, Certificate: authority.Root(), signer: localSigner{authority, e}}, nil
}

// rootSecret returns the Secret of a generated root.
func (e *Env) rootSecret(s *Subject, name string, data map[string][]byte) *kube.Secret {
	return &kube.Secret{
		Namespace: e.Namespace, Name: name, Type: trust.RootSecretType, Labels: e.owner(""), Annotations: s.parents(), Data: data,
	}
}
