package trust

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// The keys and the type of the Secret of a root certificate.
const (
	RootSecretType = "certificates.mesh.gloo.solo.io/generated_signing_cert"

	RootCertKey = "root-cert.pem"
	RootKeyKey  = "key.pem"
	// RootChainKey holds the issuers of a provided signing certificate that is
	// not a root, up to the root, unless they follow it in RootCertKey.
	RootChainKey = "cert-chain.pem"
)

// backdate is how long before now certificates become valid, so that slightly
// slow clocks accept them.
const backdate = time.Hour

// Authority is a CA certificate that signs the intermediates of the meshes, with
// its private key.
type Authority struct {
	// Chain is the signing certificate, its issuers, and last the self-signed
	// root. A generated authority has only the root.
	Chain []*x509.Certificate

	key Key
}

// Root returns the self-signed root certificate.
func (a *Authority) Root() *x509.Certificate { return a.Chain[len(a.Chain)-1] }

// signer returns the signing certificate.
func (a *Authority) signer() *x509.Certificate { return a.Chain[0] }

// Data returns the data of the Secret of the authority, including the private
// key.
func (a *Authority) Data() (map[string][]byte, error) {
	key, err := a.key.pem()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{RootCertKey: EncodeCertificates(a.Chain...), RootKeyKey: key}, nil
}

// GenerateRoot generates a self-signed root with a key for a VirtualMesh, given
// as NAME.NAMESPACE. Every root has a different subject, so that verifiers can
// distinguish the two roots of a rotation.
func GenerateRoot(virtualMesh string, key Key, opts Options, now time.Time) (*Authority, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.public())
	if err != nil {
		return nil, fmt.Errorf("make a root certificate: %w", err)
	}
	id := sha256.Sum256(public)
	const shownID = 4
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject: pkix.Name{
			Organization: []string{opts.Organization},
			CommonName:   commonName(virtualMesh, " root "+hex.EncodeToString(id[:shownID])),
		},
		NotBefore: now.Add(-backdate).Truncate(time.Second), NotAfter: now.Add(opts.TTL).Truncate(time.Second),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	root, err := sign(template, template, key.public(), key)
	if err != nil {
		return nil, err
	}
	return &Authority{Chain: []*x509.Certificate{root}, key: key}, nil
}

// maxCommonName is the maximum length of a common name (RFC 5280,
// ub-common-name).
const maxCommonName = 64

// commonName shortens a name so that name and suffix together fit.
func commonName(name, suffix string) string {
	return name[:min(len(name), maxCommonName-len(suffix))] + suffix
}

// ParseAuthority reads the Secret of a root certificate and verifies that it can
// sign intermediates now. RootCertKey holds the signing certificate; its issuers
// up to a self-signed root are there or under RootChainKey; RootKeyKey holds its
// private key. Errors never contain a key.
func ParseAuthority(data map[string][]byte, now time.Time) (*Authority, error) {
	for _, name := range []string{RootCertKey, RootKeyKey} {
		if len(bytes.TrimSpace(data[name])) == 0 {
			return nil, fmt.Errorf("it has nothing under the key %s", name)
		}
	}
	certificates, err := ParseCertificates(data[RootCertKey])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", RootCertKey, err)
	}
	if len(bytes.TrimSpace(data[RootChainKey])) > 0 {
		chain, err := ParseCertificates(data[RootChainKey])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", RootChainKey, err)
		}
		certificates = append(certificates, chain...)
	}
	key, err := parseKey(data[RootKeyKey])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", RootKeyKey, err)
	}
	signer := certificates[0]
	if !key.matches(signer) {
		return nil, fmt.Errorf("the private key in %s does not belong to the first certificate in %s (%s)", RootKeyKey, RootCertKey, subject(signer))
	}
	if why := unfitToSign(signer, now); why != "" {
		return nil, fmt.Errorf("the certificate %s %s", subject(signer), why)
	}
	chain, err := chainToRoot(signer, certificates[1:], now)
	if err != nil {
		return nil, err
	}
	return &Authority{Chain: chain, key: key}, nil
}

// unfitToSign returns why a certificate cannot sign intermediate certificates;
// empty if it can.
func unfitToSign(c *x509.Certificate, now time.Time) string {
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return "is not that of a certificate authority (CA:TRUE is missing)"
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return "may not sign certificates (its key usage lacks keyCertSign)"
	case c.MaxPathLen == 0 && c.MaxPathLenZero:
		return "may not sign other authorities (its path length is 0), and the intermediate of every mesh is one"
	default:
		return outsideValidity(c, now)
	}
}

// outsideValidity returns an explanation if a certificate is not valid now; empty
// if it is.
func outsideValidity(c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return "expired at " + timeText(c.NotAfter)
	case now.Before(c.NotBefore):
		return "is not valid before " + timeText(c.NotBefore)
	default:
		return ""
	}
}

// chainToRoot returns the chain from a certificate to a self-signed one among the
// others.
func chainToRoot(c *x509.Certificate, others []*x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	found := IsSelfSigned(c)
	if found {
		roots.AddCert(c)
	}
	for _, other := range others {
		if IsSelfSigned(other) {
			roots.AddCert(other)
			found = true
		} else {
			between.AddCert(other)
		}
	}
	if !found {
		return nil, fmt.Errorf(
			"the certificate %s is not a root but an intermediate, issued by %s: add the certificates up to its self-signed root behind it in %s or under %s",
			subject(c), subjectText(c.Issuer), RootCertKey, RootChainKey)
	}
	chains, err := c.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return nil, fmt.Errorf("the certificate %s does not lead to one of the given roots: %w", subject(c), err)
	}
	shortest := chains[0]
	for _, chain := range chains[1:] {
		if len(chain) < len(shortest) {
			shortest = chain
		}
	}
	return shortest, nil
}

// IsSelfSigned reports whether a certificate is its own issuer.
func IsSelfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// NewKey generates an RSA key of the given size in bits.
func NewKey(bits int) (Key, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return Key{}, fmt.Errorf("make an RSA key of %d bits: %w", bits, err)
	}
	return Key{key}, nil
}

// newSerial returns a random serial number of at most 20 bytes (RFC 5280).
func newSerial() (*big.Int, error) {
	const bits = 128
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), bits))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return serial.Add(serial, big.NewInt(1)), nil // never 0
}

// sign issues a certificate and parses the result.
func sign(template, parent *x509.Certificate, public any, key Key) (*x509.Certificate, error) {
	if key.IsZero() {
		return nil, errors.New("sign a certificate: there is no private key to sign with")
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key.signer)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

func subject(c *x509.Certificate) string { return subjectText(c.Subject) }

func subjectText(name pkix.Name) string {
	if text := name.String(); text != "" {
		return fmt.Sprintf("%q", text)
	}
	return "without a subject"
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
