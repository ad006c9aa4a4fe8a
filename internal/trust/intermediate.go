package trust

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net/url"
	"time"
)

// Request describes the intermediate certificate to issue for a mesh.
type Request struct {
	// Mesh is the name of the mesh, used in the common name.
	Mesh string
	// Identity is the SPIFFE ID of its control plane.
	Identity *url.URL
	Options  Options
}

// Subject returns the subject of the certificate: O and CN (D41).
func (r *Request) Subject() pkix.Name {
	return pkix.Name{Organization: []string{r.Options.Organization}, CommonName: commonName(r.Mesh, " intermediate")}
}

// CSR returns a PEM-encoded certificate signing request, for signers other than
// an Authority.
func (r *Request) CSR(key Key) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: r.Subject(), URIs: []*url.URL{r.Identity}}, key.signer)
	if err != nil {
		return nil, fmt.Errorf("make a certificate signing request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// Sign issues the intermediate certificate for a key and returns it followed by
// its issuers up to the root. It can sign workload certificates but no further
// CAs, and never outlives its issuers (D41).
func (a *Authority) Sign(r *Request, key Key, now time.Time) ([]*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	notBefore, notAfter := now.Add(-backdate), now.Add(r.Options.TTL)
	for _, c := range a.Chain {
		if why := outsideValidity(c, now); why != "" {
			return nil, fmt.Errorf("the certificate %s, which signs, %s", subject(c), why)
		}
		if c.NotBefore.After(notBefore) {
			notBefore = c.NotBefore
		}
		if c.NotAfter.Before(notAfter) {
			notAfter = c.NotAfter
		}
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: r.Subject(), URIs: []*url.URL{r.Identity},
		NotBefore: notBefore.Truncate(time.Second), NotAfter: notAfter.Truncate(time.Second),
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	certificate, err := sign(template, a.signer(), key.public(), a.key)
	if err != nil {
		return nil, err
	}
	return append([]*x509.Certificate{certificate}, a.Chain...), nil
}
