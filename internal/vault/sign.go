package vault

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// issuerMargin is how long before its issuer a shortened intermediate expires, to
// allow for clock differences between Vault and this machine.
const issuerMargin = time.Minute

// Options are the requirements for an intermediate certificate.
type Options struct {
	// TTL is the requested lifetime. It is shortened if the issuer expires
	// earlier, as an intermediate must not outlive its root (D41);
	// Vault may shorten it to the maximum of its mount.
	TTL time.Duration
	// URIs are the URI subject alternative names, here the SPIFFE identity of
	// istiod.
	URIs []string
	// CommonName and Organization are the subject.
	CommonName, Organization string
}

// Roots returns the certificates that caPath serves, in its order and each once.
// If none of them is a self-signed root, because caPath names an intermediate CA,
// the chain of the CA behind csrPath follows as far as Vault serves it. There is
// at least one certificate, and all are CA certificates.
func (c *Client) Roots(ctx context.Context) ([]*x509.Certificate, error) {
	r := request{action: "read the certificate of the authority", method: http.MethodGet, path: c.config.caPath, repeatable: true}
	body, err := c.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	const hint = "name a path in caPath that serves certificates, such as pki/ca/pem or pki/ca_chain"
	certificates, err := parseCertificates(body)
	switch {
	case err != nil:
		return nil, c.failed(r, "the answer is not a certificate: "+oneLine(err.Error()), hint)
	case len(certificates) == 0:
		return nil, c.failed(r, "there is no certificate", "generate or import an authority into that secrets engine; otherwise "+hint)
	}
	for _, certificate := range certificates {
		if !isAuthority(certificate) {
			return nil, c.failed(r, fmt.Sprintf("the certificate of %s is not one of an authority", name(certificate)), hint)
		}
	}
	if !slices.ContainsFunc(certificates, selfSigned) {
		chain, err := c.signerChain(ctx)
		if err != nil {
			return nil, err
		}
		certificates = unique(append(certificates, chain...))
	}
	return certificates, nil
}

// SignIntermediate requests a signature for the PEM-encoded csr as an
// intermediate CA that signs workload certificates but no further CAs (path
// length 0). It returns the chain: the intermediate, then its issuers, a
// self-signed root last. The answer is verified against the options and the
// request, and all certificates are valid now; an error names the expectation
// that failed.
func (c *Client) SignIntermediate(ctx context.Context, csr []byte, options Options) ([]*x509.Certificate, error) {
	parsed, err := parseRequest(csr, options)
	if err != nil {
		return nil, fmt.Errorf("cannot request an intermediate certificate from Vault at %s: %w", c.config.Server(), err)
	}
	served, err := c.Roots(ctx)
	if err != nil {
		return nil, err
	}
	signer, err := c.signerChain(ctx)
	if err != nil {
		return nil, err
	}
	known := unique(append(signer, served...))
	now := c.now()
	// Vault may not permit reading the signer's chain. The certificates of caPath
	// are then the best approximation; the answer is verified anyway.
	limiting := signer
	if len(limiting) == 0 {
		limiting = served
	}
	r := request{action: "sign an intermediate certificate", method: http.MethodPost, path: c.config.csrPath}
	ttl, err := lifetime(options.TTL, limiting, now)
	if err != nil {
		return nil, c.failed(r, err.Error(), "renew that authority in Vault first")
	}
	// The values are set here instead of in the request, so that they do not
	// depend on what Vault copies from it (use_csr_values). Vault allows
	// intermediates to outlive their issuer, so the lifetime is shortened here
	// too.
	r.body = map[string]any{
		"csr":                  string(csr),
		"format":               "pem",
		"common_name":          options.CommonName,
		"organization":         options.Organization,
		"uri_sans":             strings.Join(options.URIs, ","),
		"exclude_cn_from_sans": true,
		"use_csr_values":       false,
		"max_path_length":      0,
		"ttl":                  fmt.Sprintf("%ds", int64(ttl.Seconds())),
	}
	body, err := c.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data *issued `json:"data"`
	}
	const hint = "csrPath must be one that signs authorities, such as pki/root/sign-intermediate"
	if err := json.Unmarshal(body, &answer); err != nil || answer.Data == nil {
		return nil, c.failed(r, "the answer is not the JSON of Vault", hint)
	}
	certificates, err := answer.Data.certificates()
	if err != nil {
		return nil, c.failed(r, "the answer cannot be used: "+oneLine(err.Error()), hint)
	}
	if len(certificates) == 0 || answer.Data.Certificate == "" {
		return nil, c.failed(r, "the answer has no certificate", hint)
	}
	chain := chainOf(certificates[0], unique(append(certificates[1:], known...)))
	wrong := verify(chain, expectation{publicKey: parsed.PublicKey, options: options, served: served, now: now})
	if wrong != nil {
		return nil, c.failed(r, "the certificate that Vault signed is not used: "+wrong.why, wrong.hint)
	}
	return chain, nil
}

// signerChain returns the certificate of the CA behind csrPath and its issuers;
// none if Vault does not serve them to these credentials.
func (c *Client) signerChain(ctx context.Context) ([]*x509.Certificate, error) {
	path, known := signerPath(c.config.csrPath)
	if !known {
		return nil, nil
	}
	body, err := c.ask(ctx, request{
		action: "read the chain of the authority that signs", method: http.MethodGet, path: path, repeatable: true,
	})
	var failure *Error
	if errors.As(err, &failure) && failure.Status >= 400 && failure.Status < 500 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// A failure here is harmless: the answer of csrPath also has the chain and is
	// parsed strictly.
	certificates, err := parseCertificates(body)
	if err != nil || !slices.ContainsFunc(certificates, isAuthority) {
		return nil, nil //nolint:nilerr // See above.
	}
	return slices.DeleteFunc(certificates, func(c *x509.Certificate) bool { return !isAuthority(c) }), nil
}

// signerPath returns the path that serves the CA chain for a signing path: of the
// default issuer of a secrets engine, or of a named one.
func signerPath(csrPath string) (path string, known bool) {
	if mount, found := strings.CutSuffix(csrPath, "/root/sign-intermediate"); found {
		return mount + "/cert/ca_chain", true
	}
	if issuer, found := strings.CutSuffix(csrPath, "/sign-intermediate"); found && strings.Contains(issuer, "/issuer/") {
		return issuer + "/json", true
	}
	return "", false
}

// parseRequest validates the request before Vault is called.
func parseRequest(csr []byte, options Options) (*x509.CertificateRequest, error) {
	switch {
	case options.TTL < time.Second:
		return nil, errors.New("its lifetime must be positive")
	case options.CommonName == "":
		return nil, errors.New("it needs a common name")
	case len(options.URIs) == 0:
		return nil, errors.New("it needs the identity of istiod as a URI")
	case slices.ContainsFunc(options.URIs, func(uri string) bool { return strings.Contains(uri, ",") }):
		return nil, errors.New("a URI has a comma in it, which Vault takes for the end of the URI")
	case strings.Contains(options.Organization, ","):
		return nil, errors.New("the organization has a comma in it, which Vault takes for the end of the name")
	}
	block, rest := pem.Decode(csr)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, errors.New("the certificate signing request is not one PEM block of type CERTIFICATE REQUEST")
	}
	parsed, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the certificate signing request cannot be read: %w", err)
	}
	if err := parsed.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the certificate signing request is not signed with its own key: %w", err)
	}
	return parsed, nil
}

// lifetime shortens the requested lifetime to that of the issuers.
func lifetime(wanted time.Duration, issuers []*x509.Certificate, now time.Time) (time.Duration, error) {
	for _, issuer := range issuers {
		left := issuer.NotAfter.Sub(now) - issuerMargin
		if left < time.Second {
			return 0, fmt.Errorf("the authority %s ends at %s, too soon for an intermediate", name(issuer), stamp(issuer.NotAfter))
		}
		wanted = min(wanted, left)
	}
	return wanted, nil
}
