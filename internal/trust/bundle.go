package trust

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The keys and the type of the Secret from which istiod reads its CA.
const (
	CASecretName = "cacerts"
	CASecretType = "certificates.mesh.gloo.solo.io/issued_certificate"

	CACertKey  = "ca-cert.pem"
	CAKeyKey   = "ca-key.pem"
	CARootKey  = "root-cert.pem"
	CAChainKey = "cert-chain.pem"
)

// Bundle is the content of the Secret cacerts of one mesh.
type Bundle struct {
	// Certificate is the intermediate CA certificate that signs workload
	// certificates.
	Certificate *x509.Certificate
	// Issuers are the issuers of the intermediate up to the root.
	Issuers []*x509.Certificate
	// Roots are the roots that the mesh trusts; two during a rotation.
	Roots []*x509.Certificate

	key Key
	// unexpectedKeys are unexpected keys of the Secret, sorted.
	unexpectedKeys []string
}

// NewBundle returns the bundle of a mesh: the chain that Sign returned, the key
// of its first certificate, and the roots that the mesh should trust.
func NewBundle(chain []*x509.Certificate, key Key, roots []*x509.Certificate) *Bundle {
	return &Bundle{Certificate: chain[0], Issuers: chain[1:], Roots: roots, key: key}
}

// ParseBundle parses a Secret cacerts. It does not judge the certificates; see
// Judge. Errors never contain a key.
func ParseBundle(data map[string][]byte) (*Bundle, error) {
	b := &Bundle{}
	for _, part := range []struct {
		key  string
		take func([]*x509.Certificate)
	}{
		{CACertKey, func(c []*x509.Certificate) { b.Certificate = c[0] }},
		{CARootKey, func(c []*x509.Certificate) { b.Roots = c }},
		{CAChainKey, func(c []*x509.Certificate) { b.Issuers = c }},
	} {
		if len(bytes.TrimSpace(data[part.key])) == 0 {
			return nil, fmt.Errorf("it has nothing under the key %s", part.key)
		}
		certificates, err := ParseCertificates(data[part.key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.key, err)
		}
		part.take(certificates)
	}
	if b.Issuers[0].Equal(b.Certificate) {
		b.Issuers = b.Issuers[1:]
	}
	var err error
	if b.key, err = parseKey(data[CAKeyKey]); err != nil {
		return nil, fmt.Errorf("%s: %w", CAKeyKey, err)
	}
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if !slices.Contains([]string{CACertKey, CAKeyKey, CARootKey, CAChainKey}, name) {
			b.unexpectedKeys = append(b.unexpectedKeys, name)
		}
	}
	return b, nil
}

// Data returns the data of the Secret: exactly the four documented keys
// (D41), including the private key.
func (b *Bundle) Data() (map[string][]byte, error) {
	key, err := b.key.pem()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		CACertKey: EncodeCertificates(b.Certificate), CAKeyKey: key, CARootKey: EncodeCertificates(b.Roots...),
		CAChainKey: EncodeCertificates(append([]*x509.Certificate{b.Certificate}, b.Issuers...)...),
	}, nil
}

// WithRoots returns a copy of the bundle with other trusted roots.
func (b *Bundle) WithRoots(roots []*x509.Certificate) *Bundle {
	changed := *b
	changed.Roots, changed.unexpectedKeys = roots, nil
	return &changed
}

// Signer returns the self-signed root that issued the intermediate, directly or
// through its issuers; nil if the chain does not end at a self-signed
// certificate.
func (b *Bundle) Signer() *x509.Certificate {
	if len(b.Issuers) > 0 {
		if last := b.Issuers[len(b.Issuers)-1]; IsSelfSigned(last) {
			return last
		}
	}
	for _, root := range b.Roots {
		if b.verify([]*x509.Certificate{root}, b.Certificate.NotBefore) == nil {
			return root
		}
	}
	return nil
}

// Accepts reports whether the mesh trusts certificates issued under a root.
func (b *Bundle) Accepts(root *x509.Certificate) bool {
	return slices.ContainsFunc(b.Roots, root.Equal)
}

// Verify returns an error if the intermediate does not chain to one of the mesh's
// own roots at the given time.
func (b *Bundle) Verify(now time.Time) error { return b.verify(b.Roots, now) }

func (b *Bundle) verify(roots []*x509.Certificate, now time.Time) error {
	anchors, between := x509.NewCertPool(), x509.NewCertPool()
	for _, root := range roots {
		anchors.AddCert(root)
	}
	for _, issuer := range b.Issuers {
		between.AddCert(issuer)
	}
	_, err := b.Certificate.Verify(x509.VerifyOptions{
		Roots: anchors, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// Expected describes the bundle that a mesh should have.
type Expected struct {
	// Identity is the expected SPIFFE ID of the intermediate.
	Identity string
	// Roots are the roots to trust, in order; Signer is the root under which the
	// intermediate should be issued.
	Roots  []*x509.Certificate
	Signer *x509.Certificate
	// RenewalRatio decides when the intermediate is due for renewal; see RenewAt.
	RenewalRatio float64
	Now          time.Time
}

// Verdict is the action that the bundle of a mesh needs.
type Verdict struct {
	// Reissue is the reason to issue a new intermediate; empty if the existing
	// one is kept.
	Reissue string
	// Rewrite is the reason to write the Secret although the intermediate is
	// kept; empty if it is correct.
	Rewrite string
	// RenewAt is when the existing intermediate is due for renewal.
	RenewAt time.Time
}

// Keep reports whether no action is needed.
func (v Verdict) Keep() bool { return v.Reissue == "" && v.Rewrite == "" }

// Judge compares the bundle of a mesh with the expected one.
func (b *Bundle) Judge(e *Expected) Verdict {
	c := b.Certificate
	v := Verdict{RenewAt: RenewAt(c.NotBefore, c.NotAfter, e.RenewalRatio)}
	switch {
	case !b.key.matches(c):
		v.Reissue = "the private key does not belong to the intermediate certificate"
	case !c.BasicConstraintsValid || !c.IsCA:
		v.Reissue = "the certificate is not that of a certificate authority"
	case e.Now.After(c.NotAfter):
		v.Reissue = "the intermediate certificate expired at " + timeText(c.NotAfter)
	case b.verify([]*x509.Certificate{e.Signer}, e.Now) != nil:
		v.Reissue = b.otherSigner(e)
	case !b.carries(e.Identity):
		v.Reissue = fmt.Sprintf("the intermediate certificate is for %s, not for %s", b.identities(), e.Identity)
	case c.NotAfter.After(e.Signer.NotAfter):
		v.Reissue = "the intermediate certificate outlives its root"
	case !e.Now.Before(v.RenewAt) && c.NotAfter.Before(e.Signer.NotAfter):
		v.Reissue = "the renewal of the intermediate certificate has been due since " + timeText(v.RenewAt)
	}
	switch {
	case !slices.EqualFunc(b.Roots, e.Roots, (*x509.Certificate).Equal):
		v.Rewrite = fmt.Sprintf("the mesh accepts %s, not %s", RootsText(b.Roots), RootsText(e.Roots))
	case len(b.unexpectedKeys) > 0:
		v.Rewrite = "the Secret also has " + strings.Join(b.unexpectedKeys, ", ")
	}
	return v
}

// otherSigner returns a message that the intermediate is not issued under the
// expected root.
func (b *Bundle) otherSigner(e *Expected) string {
	err := b.verify([]*x509.Certificate{e.Signer}, e.Now)
	var unknown x509.UnknownAuthorityError
	if signer := b.Signer(); errors.As(err, &unknown) && signer != nil && !signer.Equal(e.Signer) {
		return fmt.Sprintf("the intermediate certificate leads to root %s, not to %s", Short(signer), Short(e.Signer))
	}
	return "the intermediate certificate does not lead to the root: " + err.Error()
}

func (b *Bundle) carries(identity string) bool {
	for _, uri := range b.Certificate.URIs {
		if uri.String() == identity {
			return true
		}
	}
	return false
}

func (b *Bundle) identities() string {
	var texts []string
	for _, uri := range b.Certificate.URIs {
		texts = append(texts, uri.String())
	}
	if len(texts) == 0 {
		return "nobody"
	}
	return strings.Join(texts, ", ")
}

// ShortLength is the number of fingerprint digits in messages.
const ShortLength = 12

// Short returns the beginning of the fingerprint of a certificate for messages.
func Short(c *x509.Certificate) string {
	text := Fingerprint(c)
	return text[:min(len(text), ShortLength)]
}

// RootsText names roots in messages: "roots 1234 and 5678".
func RootsText(roots []*x509.Certificate) string {
	var texts []string
	for _, root := range roots {
		texts = append(texts, Short(root))
	}
	if len(texts) == 1 {
		return "root " + texts[0]
	}
	return "roots " + strings.Join(texts, " and ")
}
