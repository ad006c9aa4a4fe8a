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

// The Secret that istiod reads its certificate authority from (semantics 7.5).
const (
	CASecretName = "cacerts"
	CASecretType = "certificates.mesh.gloo.solo.io/issued_certificate"

	CACertKey  = "ca-cert.pem"
	CAKeyKey   = "ca-key.pem"
	CARootKey  = "root-cert.pem"
	CAChainKey = "cert-chain.pem"
)

// Bundle is what the Secret cacerts of one mesh holds.
type Bundle struct {
	// Certificate is the intermediate that signs the certificates of workloads.
	Certificate *x509.Certificate
	// Issuers are the certificates from its issuer up to the root.
	Issuers []*x509.Certificate
	// Roots are those that the mesh accepts; two while roots are exchanged.
	Roots []*x509.Certificate

	key Key
	// others are keys of the Secret that do not belong there, sorted.
	others []string
}

// NewBundle puts together what a mesh gets: the chain that Sign returned, the
// key of its first certificate, and the roots that the mesh is to accept.
func NewBundle(chain []*x509.Certificate, key Key, roots []*x509.Certificate) *Bundle {
	return &Bundle{Certificate: chain[0], Issuers: chain[1:], Roots: roots, key: key}
}

// ParseBundle reads a Secret cacerts. It does not say whether the certificates
// are good; Judge does. Errors never quote a key.
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
			b.others = append(b.others, name)
		}
	}
	return b, nil
}

// Data returns what the Secret holds: exactly the four documented keys
// (semantics 7.5, D41). It includes the private key.
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

// WithRoots returns the same intermediate with other roots to accept.
func (b *Bundle) WithRoots(roots []*x509.Certificate) *Bundle {
	changed := *b
	changed.Roots, changed.others = roots, nil
	return &changed
}

// Signer returns the root that the intermediate leads to through its issuers,
// nil if it does not lead to a self-signed one.
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

// Accepts reports whether the mesh accepts certificates that lead to a root.
func (b *Bundle) Accepts(root *x509.Certificate) bool {
	return slices.ContainsFunc(b.Roots, root.Equal)
}

// Verify reports why the intermediate does not lead to one of the roots of the
// mesh itself at the given time; nil if it does.
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

// Expected is what the bundle of a mesh should be.
type Expected struct {
	// Identity is the SPIFFE ID that the intermediate should carry.
	Identity string
	// Roots are those to accept, in order; Signer is the one that the intermediate
	// should lead to.
	Roots  []*x509.Certificate
	Signer *x509.Certificate
	// RenewalRatio says when the intermediate is due for renewal.
	RenewalRatio float64
	Now          time.Time
}

// Verdict says what is to be done about the bundle of a mesh.
type Verdict struct {
	// Reissue says why the mesh needs another intermediate; empty if it keeps the
	// one it has.
	Reissue string
	// Rewrite says why the Secret must be written although the intermediate stays;
	// empty if it is as it should be.
	Rewrite string
	// RenewAt is when the present intermediate is due for renewal.
	RenewAt time.Time
}

// Keep reports whether nothing is to be done.
func (v Verdict) Keep() bool { return v.Reissue == "" && v.Rewrite == "" }

// Judge compares the bundle that a mesh has with the one it should have.
func (b *Bundle) Judge(e *Expected) Verdict {
	c := b.Certificate
	v := Verdict{RenewAt: RenewAt(c.NotBefore, c.NotAfter, e.RenewalRatio)}
	switch {
	case !b.key.fits(c):
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
	case len(b.others) > 0:
		v.Rewrite = "the Secret also has " + strings.Join(b.others, ", ")
	}
	return v
}

// otherSigner says that the intermediate does not lead to the expected root.
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

// ShortLength is how much of a fingerprint people see.
const ShortLength = 12

// Short returns the beginning of the fingerprint of a certificate, for people.
func Short(c *x509.Certificate) string {
	text := Fingerprint(c)
	return text[:min(len(text), ShortLength)]
}

// RootsText names roots for people: "roots 1234 and 5678".
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
