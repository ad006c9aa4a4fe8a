//go:build linux

package tests

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"testing"
	"time"
)

// authority is a CA: a root or, with a parent, an intermediate.
type authority struct {
	parent      *authority
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

// newAuthority makes a CA with a name. It is a root without a parent.
func newAuthority(t *testing.T, name string, parent *authority) *authority {
	t.Helper()
	a := &authority{parent: parent}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: []string{"lab"}}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	a.certificate, a.key = issue(t, template, parent)
	return a
}

// issue completes and signs a certificate; without a parent it signs itself.
func issue(t *testing.T, template *x509.Certificate, parent *authority) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(30*24*time.Hour)
	signer, signerKey := template, key
	if parent != nil {
		signer, signerKey = parent.certificate, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, key.Public(), signerKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// root is the end of the chain.
func (a *authority) root() *authority {
	if a.parent == nil {
		return a
	}
	return a.parent.root()
}

func (a *authority) pem() string { return encodeCertificate(a.certificate) }

// cacerts returns the Secret that makes an intermediate the CA of istiod. More
// roots are appended to its root certificate.
func (a *authority) cacerts(more ...*authority) string {
	roots := a.root().pem()
	for _, other := range more {
		roots += other.pem()
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Secret
metadata: {name: cacerts, namespace: istio-system}
data:
  ca-cert.pem: %s
  ca-key.pem: %s
  cert-chain.pem: %s
  root-cert.pem: %s
`, b64(a.pem()), b64(encodeKey(a.key)), b64(a.pem()+a.root().pem()), b64(roots))
}

// gatewaySecret returns a Secret with a certificate for the URI, for use as a
// credentialName.
func (a *authority) gatewaySecret(t *testing.T, name, uri string) string {
	t.Helper()
	parsed, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key := issue(t, &x509.Certificate{
		Subject: pkix.Name{Organization: []string{"lab"}}, URIs: []*url.URL{parsed},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a)
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: {name: %s, namespace: istio-system}
data:
  tls.crt: %s
  tls.key: %s
  ca.crt: %s
`, name, b64(encodeCertificate(certificate)), b64(encodeKey(key)), b64(a.pem()))
}

func encodeCertificate(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func encodeKey(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// serial returns the serial number of a CA as Envoy writes it.
func (a *authority) serial() string {
	return hex.EncodeToString(a.certificate.SerialNumber.Bytes())
}
