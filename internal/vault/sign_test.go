package vault_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/vault"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

const year = 365 * 24 * time.Hour

func wanted() vault.Options {
	return vault.Options{TTL: year, URIs: []string{identity}, CommonName: "east.istio-system", Organization: "Istio"}
}

func TestRootsUnderstandsEveryPathOfAnAuthority(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path string
		// below is whether the authority has a root above it.
		below bool
		want  []string
	}{
		{"pki/ca", false, []string{"Example Root"}},
		{"pki/ca/pem", false, []string{"Example Root"}},
		{"/v1/pki/ca_chain", false, []string{"Example Root"}},
		{"v1/pki/cert/ca/", false, []string{"Example Root"}},
		{"pki/cert/ca_chain", false, []string{"Example Root"}},
		{"pki/issuer/mesh/json", false, []string{"Example Root"}},
		{"pki/ca_chain", true, []string{"Example Issuing", "Example Root"}},
		{"pki/cert/ca_chain", true, []string{"Example Issuing", "Example Root"}},
		// The root is found through the chain of the signer.
		{"pki/ca/pem", true, []string{"Example Issuing", "Example Root"}},
		{"pki/ca", true, []string{"Example Issuing", "Example Root"}},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.path, "/", "_"), func(t *testing.T) {
			t.Parallel()
			f := newFakeVault(t)
			if tt.below {
				f.underRoot(1, year)
			}
			certificates, err := f.client(t, func(s *certificatesv1.VaultCA) { s.CAPath = tt.path }).Roots(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, names(certificates)); diff != "" {
				t.Errorf("Roots() differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSignIntermediate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// below is the path length of an authority below the root; 0 for the root
		// itself.
		below   int
		change  func(*certificatesv1.VaultCA)
		options func(*vault.Options)
		chain   []string
		// life is about how long the intermediate lives.
		life time.Duration
	}{
		{name: "by a root", chain: []string{"east.istio-system", "Example Root"}, life: year},
		{name: "by an authority below a root", below: 1, chain: []string{"east.istio-system", "Example Issuing", "Example Root"}, life: year},
		{
			name: "by a named issuer", below: 2,
			change: func(s *certificatesv1.VaultCA) { s.CSRPath = "/v1/pki/issuer/mesh/sign-intermediate" },
			chain:  []string{"east.istio-system", "Example Issuing", "Example Root"}, life: year,
		},
		{
			name: "not beyond the authority below the root", below: 1,
			options: func(o *vault.Options) { o.TTL = 30 * year },
			chain:   []string{"east.istio-system", "Example Issuing", "Example Root"}, life: 2 * year,
		},
		{
			name:    "not beyond the root",
			options: func(o *vault.Options) { o.TTL = 30 * year },
			chain:   []string{"east.istio-system", "Example Root"}, life: 10 * year,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeVault(t)
			if tt.below > 0 {
				f.underRoot(tt.below, 2*year)
			}
			options := wanted()
			if tt.options != nil {
				tt.options(&options)
			}
			csr, key := newRequest(t)
			chain, err := f.client(t, tt.change).SignIntermediate(t.Context(), csr, options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.chain, names(chain)); diff != "" {
				t.Errorf("the chain differs (-want +got):\n%s", diff)
			}
			if left := time.Until(chain[0].NotAfter); left > tt.life || left < tt.life-10*time.Minute {
				t.Errorf("the intermediate lives for %s, want about %s", left, tt.life)
			}
			if last := chain[len(chain)-1]; chain[0].NotAfter.After(last.NotAfter) {
				t.Error("the intermediate outlives the root")
			}
			// It can do its work: sign a workload that verifies up to the root.
			workload := signWith(t, &x509.Certificate{
				SerialNumber: serial(), URIs: []*url.URL{{Scheme: "spiffe", Host: "east.local", Path: "/ns/default/sa/reviews"}},
				NotBefore: time.Now().Add(-time.Second), NotAfter: time.Now().Add(time.Hour),
				ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
			}, chain[0], key.Public(), key)
			verifyWithOpenSSL(t, workload, chain)
			for _, field := range []string{"ttl", "csr"} {
				delete(f.signed, field)
			}
			want := map[string]any{
				"format": "pem", "common_name": "east.istio-system", "organization": "Istio", "uri_sans": identity,
				"exclude_cn_from_sans": true, "use_csr_values": false, "max_path_length": 0.0,
			}
			if diff := cmp.Diff(want, f.signed); diff != "" {
				t.Errorf("the request differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSignIntermediateRefusesWhatItDidNotAskFor(t *testing.T) {
	t.Parallel()
	other := newKey(t).Public()
	tests := []struct {
		name    string
		arrange func(*fakeVault)
		options func(*vault.Options)
		want    string
	}{
		{name: "another key", arrange: changing(func(c *x509.Certificate) { c.PublicKey = other }), want: "it is for another key than the request"},
		{name: "a leaf", arrange: changing(func(c *x509.Certificate) {
			c.IsCA, c.MaxPathLenZero, c.KeyUsage = false, false, x509.KeyUsageDigitalSignature
		}), want: "it is not one of an authority: csrPath must be one that signs authorities"},
		{name: "no path length", arrange: changing(func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = -1, false }), want: "path length is not limited to 0"},
		{name: "path length 1", arrange: changing(func(c *x509.Certificate) { c.MaxPathLen = 1 }), want: "path length is not limited to 0"},
		{name: "no right to sign", arrange: changing(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), want: "key usage does not include signing certificates"},
		{name: "only for servers", arrange: changing(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), want: "extended key usage excludes"},
		{name: "another identity", arrange: changing(func(c *x509.Certificate) { c.URIs[0].Host = "west.local" }), want: "the subject alternative name " + identity + " is missing"},
		{name: "no identity", arrange: changing(func(c *x509.Certificate) { c.URIs = nil }), want: "the subject alternative name " + identity + " is missing"},
		{name: "another name", arrange: changing(func(c *x509.Certificate) { c.Subject.CommonName = "west" }), want: `its common name is "west" instead of "east.istio-system"`},
		{name: "no organization", arrange: changing(func(c *x509.Certificate) { c.Subject.Organization = nil }), want: `its organization is not "Istio"`},
		{name: "outlives the issuer", arrange: changing(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(11 * year) }), want: "outlives its issuer \"CN=Example Root\""},
		{name: "longer than asked for", arrange: changing(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(2 * year) }), want: "longer than the 8760h0m0s that were asked for"},
		{name: "expired", arrange: changing(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }), want: "was valid until"},
		{name: "of tomorrow", arrange: changing(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(24 * time.Hour) }), want: "check the clocks of Vault and of this machine"},
		{name: "an authority that must not sign authorities", arrange: func(f *fakeVault) { f.underRoot(0, year) }, want: `its issuer "CN=Example Issuing" allows 0 authorities below itself, and needs 1`},
		{name: "an authority that ends", arrange: func(f *fakeVault) { f.underRoot(1, 30*time.Second) }, want: `the authority "CN=Example Issuing" ends at`},
		{name: "an unknown root", arrange: func(f *fakeVault) {
			f.underRoot(1, year)
			f.chain = f.chain[:1]
		}, want: "the certificate of its issuer, CN=Example Root, is not known: let caPath serve the chain"},
		{name: "another authority than that of caPath", arrange: func(f *fakeVault) {
			stranger, _ := newRoot(f.t, "Stranger", year)
			f.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/v1/pki/ca/pem" {
					w.Write(encode(stranger))
					return true
				}
				return false
			}
		}, want: "has none of the certificates that caPath serves"},
		{name: "names not covered by the constraints of the issuer", arrange: func(f *fakeVault) {
			f.underRootFor("other.local")
		}, want: "its chain does not verify"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeVault(t)
			tt.arrange(f)
			options := wanted()
			csr, _ := newRequest(t)
			chain, err := f.client(t, nil).SignIntermediate(t.Context(), csr, options)
			if err == nil {
				t.Fatalf("SignIntermediate() = %v, want an error", names(chain))
			}
			expectError(t, err, tt.want, f.server.URL, "pki/root/sign-intermediate")
		})
	}
}

// underRootFor is underRoot with an authority that is for one domain only.
func (f *fakeVault) underRootFor(domain string) {
	f.t.Helper()
	key := newKey(f.t)
	middle := signWith(f.t, &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Example Issuing"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(2 * year),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign, PermittedURIDomains: []string{domain},
	}, f.chain[0], key.Public(), f.key)
	f.chain, f.key = []*x509.Certificate{middle, f.chain[0]}, key
}

func TestSignIntermediateChecksTheRequestFirst(t *testing.T) {
	t.Parallel()
	csr, _ := newRequest(t)
	tests := []struct {
		name    string
		csr     string
		options func(*vault.Options)
		want    string
	}{
		{name: "no request", want: "not one PEM block"},
		{name: "a key", csr: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", want: "not one PEM block"},
		{name: "damaged", csr: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", want: "cannot be read"},
		{name: "more than one", csr: string(csr) + string(csr), want: "not one PEM block"},
		{name: "no lifetime", csr: string(csr), options: func(o *vault.Options) { o.TTL = 0 }, want: "its lifetime must be positive"},
		{name: "no identity", csr: string(csr), options: func(o *vault.Options) { o.URIs = nil }, want: "needs the identity of istiod"},
		{name: "two identities in one", csr: string(csr), options: func(o *vault.Options) { o.URIs[0] += "," + identity }, want: "a URI has a comma in it"},
		{name: "no name", csr: string(csr), options: func(o *vault.Options) { o.CommonName = "" }, want: "needs a common name"},
		{name: "two organizations in one", csr: string(csr), options: func(o *vault.Options) { o.Organization = "Example, Inc." }, want: "the organization has a comma"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeVault(t)
			options := wanted()
			if tt.options != nil {
				tt.options(&options)
			}
			_, err := f.client(t, nil).SignIntermediate(t.Context(), []byte(tt.csr), options)
			expectError(t, err, tt.want, f.server.URL)
			if seen := f.seen(); len(seen) > 0 {
				t.Errorf("Vault was asked: %v", seen)
			}
		})
	}
}

func TestSignIntermediateTakesShorterLifetimes(t *testing.T) {
	t.Parallel()
	f := newFakeVault(t)
	f.maxTTL = 24 * time.Hour
	csr, _ := newRequest(t)
	chain, err := f.client(t, nil).SignIntermediate(t.Context(), csr, wanted())
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(chain[0].NotAfter); left > 24*time.Hour {
		t.Errorf("the intermediate lives for %s, want what the mount allows", left)
	}
}

func changing(change func(*x509.Certificate)) func(*fakeVault) {
	return func(f *fakeVault) { f.change = change }
}

func names(certificates []*x509.Certificate) []string {
	var list []string
	for _, certificate := range certificates {
		list = append(list, certificate.Subject.CommonName)
	}
	return list
}

// expectError checks that the error says all of it, in one line and without
// secrets.
func expectError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", parts)
	}
	text := err.Error()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("the error\n%s\ndoes not say %q", text, part)
		}
	}
	for _, hidden := range []string{vaultToken, sessionToken, serviceToken, "\n"} {
		if strings.Contains(text, hidden) {
			t.Errorf("the error shows %q:\n%s", hidden, text)
		}
	}
}

// verifyWithOpenSSL asks a second opinion about the certificate of a workload,
// if openssl is there.
func verifyWithOpenSSL(t *testing.T, workload *x509.Certificate, chain []*x509.Certificate) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("openssl is not installed; only crypto/x509 verified the chain")
		return
	}
	dir := t.TempDir()
	file := func(name string, certificates ...*x509.Certificate) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, encode(certificates...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	last := len(chain) - 1
	output, err := exec.CommandContext(t.Context(), program, "verify", "-x509_strict", "-no-CAfile", "-no-CApath",
		"-trusted", file("root.pem", chain[last]), "-untrusted", file("chain.pem", chain[:last]...), file("workload.pem", workload)).CombinedOutput()
	if err != nil {
		t.Errorf("openssl verify: %v\n%s", err, output)
	}
}

// TestRootsReadsCertificatesThatEndWithABlank is about DER: the last byte of a
// signature is any byte.
func TestRootsReadsCertificatesThatEndWithABlank(t *testing.T) {
	t.Parallel()
	f := newFakeVault(t)
	for !bytes.ContainsAny(f.chain[0].Raw[len(f.chain[0].Raw)-1:], " \t\r\n") {
		f.chain[0], f.key = newRoot(t, "Example Root", year)
	}
	certificates, err := f.client(t, func(s *certificatesv1.VaultCA) { s.CAPath = "pki/ca" }).Roots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Example Root"}, names(certificates)); diff != "" {
		t.Errorf("Roots() differs (-want +got):\n%s", diff)
	}
}
