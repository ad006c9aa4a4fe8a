package trust_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

func TestOptionsDefaults(t *testing.T) {
	t.Parallel()
	root, err := trust.RootOptions(nil)
	if diff := cmp.Diff(trust.Options{TTL: 365 * 24 * time.Hour, KeyBits: 4096, Organization: "gloo-mesh", RenewalRatio: 0.1}, root); diff != "" || err != nil {
		t.Errorf("root options (-want +got), %v:\n%s", err, diff)
	}
	intermediate, err := trust.IntermediateOptions(&certificatesv1.CommonCertOptions{OrgName: "Acme", TTLDays: 7, SecretRotationGracePeriodRatio: 0.5})
	if diff := cmp.Diff(trust.Options{TTL: 7 * 24 * time.Hour, KeyBits: 4096, Organization: "Acme", RenewalRatio: 0.5}, intermediate); diff != "" || err != nil {
		t.Errorf("intermediate options (-want +got), %v:\n%s", err, diff)
	}
	for _, o := range []certificatesv1.CommonCertOptions{
		{RSAKeySizeBytes: 512}, {RSAKeySizeBytes: 1 << 20}, {TTLDays: 100000}, {SecretRotationGracePeriodRatio: 1},
	} {
		if _, err := trust.RootOptions(&o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestGeneratedRoot(t *testing.T) {
	t.Parallel()
	authority := newRoot(t, 100)
	c := authority.Root()
	got := fmt.Sprintf("%s %t %s %s %d", c.Subject.Organization, c.IsCA, c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339), c.KeyUsage)
	if want := "[gloo-mesh] true 2026-06-01T11:00:00Z 2026-09-09T12:00:00Z 96"; got != want {
		t.Errorf("root is %s, want %s", got, want)
	}
	if !strings.HasPrefix(c.Subject.CommonName, "prod.gloo-mesh root ") {
		t.Errorf("common name is %q", c.Subject.CommonName)
	}
	if other := newRoot(t, 100).Root(); bytes.Equal(other.RawSubject, c.RawSubject) {
		t.Error("two roots of one VirtualMesh have the same subject")
	}
	parsed, err := trust.ParseAuthority(dataOf(t, authority), now())
	if err != nil || !parsed.Root().Equal(c) {
		t.Errorf("what was written is not read: %v", err)
	}
	if text := string(dataOf(t, authority)["key.pem"]); !strings.HasPrefix(text, "-----BEGIN RSA PRIVATE KEY-----") {
		t.Error("the key is not in PKCS #1 form")
	}
}

func TestIntermediate(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 100)
	key, err := trust.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := root.Sign(request(t, "east", 365), key, now())
	if err != nil {
		t.Fatal(err)
	}
	c := chain[0]
	if got, want := fmt.Sprintf("%s %t %t %d %d %s %v", c.Subject, c.IsCA, c.MaxPathLenZero, c.MaxPathLen, c.KeyUsage, c.NotAfter.Format(time.RFC3339), c.URIs),
		"CN=istiod.east intermediate,O=Istio true true 0 32 2026-09-09T12:00:00Z [spiffe://east.example/ns/istio-system/sa/istiod]"; got != want {
		t.Errorf("intermediate is\n%s, want\n%s", got, want)
	}
	if len(chain) != 2 || !chain[1].Equal(root.Root()) {
		t.Errorf("the chain has %d certificates", len(chain))
	}
	if _, err := root.Sign(request(t, "east", 365), key, now().Add(101*24*time.Hour)); err == nil || !strings.Contains(err.Error(), "expired at 2026-09-09T12:00:00Z") {
		t.Errorf("an expired root signs: %v", err)
	}
}

func TestIdentityFallbacks(t *testing.T) {
	t.Parallel()
	if got, want := trust.Identity("", "", "").String(), "spiffe://cluster.local/ns/istio-system/sa/istio-citadel"; got != want {
		t.Errorf("identity is %s, want %s", got, want)
	}
}

// certificate makes a certificate of any shape.
func certificate(t *testing.T, name string, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, change func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now().Add(-time.Hour), NotAfter: now().Add(1000 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	change(template)
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func keyText(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// TestProvidedRoot holds which Secrets of users are accepted as a root.
func TestProvidedRoot(t *testing.T) {
	t.Parallel()
	same := func(*x509.Certificate) {}
	root, rootKey := certificate(t, "root", nil, nil, same)
	between, betweenKey := certificate(t, "between", root, rootKey, same)
	other, otherKey := certificate(t, "other", nil, nil, same)
	changed := func(change func(*x509.Certificate)) map[string][]byte {
		c, key := certificate(t, "changed", nil, nil, change)
		return map[string][]byte{"root-cert.pem": trust.EncodeCertificates(c), "key.pem": keyText(t, key)}
	}
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	tests := []struct {
		name string
		data map[string][]byte
		want string // part of the error; empty for none
	}{
		{"a root", map[string][]byte{"root-cert.pem": trust.EncodeCertificates(root), "key.pem": keyText(t, rootKey)}, ""},
		{"an intermediate with its root behind it", map[string][]byte{"root-cert.pem": trust.EncodeCertificates(between, root), "key.pem": keyText(t, betweenKey)}, ""},
		{
			"an intermediate with its chain elsewhere",
			map[string][]byte{"root-cert.pem": trust.EncodeCertificates(between), "cert-chain.pem": trust.EncodeCertificates(root), "key.pem": keyText(t, betweenKey)},
			"",
		},
		{"an intermediate alone", map[string][]byte{"root-cert.pem": trust.EncodeCertificates(between), "key.pem": keyText(t, betweenKey)}, "is not a root but an intermediate, issued by \"CN=root\""},
		{"an intermediate of another root", map[string][]byte{"root-cert.pem": trust.EncodeCertificates(between, other), "key.pem": keyText(t, betweenKey)}, "does not lead to one of the given roots"},
		{"a key of another certificate", map[string][]byte{"root-cert.pem": trust.EncodeCertificates(root), "key.pem": keyText(t, otherKey)}, "does not belong to the first certificate"},
		{"no CA", changed(func(c *x509.Certificate) { c.IsCA = false }), "CA:TRUE is missing"},
		{"may not sign", changed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), "lacks keyCertSign"},
		{"no room for intermediates", changed(func(c *x509.Certificate) { c.MaxPathLenZero = true }), "path length is 0"},
		{"expired", changed(func(c *x509.Certificate) { c.NotAfter = now().Add(-time.Second) }), "expired at 2026-06-01T11:59:59Z"},
		{"not valid yet", changed(func(c *x509.Certificate) { c.NotBefore = now().Add(time.Second) }), "is not valid before 2026-06-01T12:00:01Z"},
		{"no certificate", map[string][]byte{"key.pem": keyText(t, rootKey)}, "nothing under the key root-cert.pem"},
		{"no key", map[string][]byte{"root-cert.pem": trust.EncodeCertificates(root)}, "nothing under the key key.pem"},
		{"garbage", map[string][]byte{"root-cert.pem": []byte("garbage"), "key.pem": keyText(t, rootKey)}, "root-cert.pem: no certificate"},
		{"swapped", map[string][]byte{"root-cert.pem": keyText(t, rootKey), "key.pem": trust.EncodeCertificates(root)}, "is not a certificate but has type PRIVATE KEY"},
		{"a broken certificate", map[string][]byte{"root-cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), "key.pem": keyText(t, rootKey)}, "certificate 1 cannot be read"},
		{"a broken key", map[string][]byte{"root-cert.pem": trust.EncodeCertificates(root), "key.pem": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte("x")})}, "the private key cannot be read"},
		{"an encrypted key", map[string][]byte{"root-cert.pem": trust.EncodeCertificates(root), "key.pem": encrypted}, "the private key is encrypted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			authority, err := trust.ParseAuthority(tt.data, now())
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				bundle := newBundle(t, authority, "east", 10, authority.Root())
				if err := bundle.Verify(now()); err != nil {
					t.Errorf("what it signs does not verify: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "BEGIN") {
				t.Errorf("the error quotes the Secret: %v", err)
			}
		})
	}
}

func TestKeysDoNotPrintThemselves(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 1)
	block, _ := pem.Decode(dataOf(t, root)["key.pem"])
	private, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, err := trust.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", root, root, root), fmt.Sprintf("%v %+v", *root, *root)} {
		if strings.Contains(text, private.D.String()) || strings.Contains(text, fmt.Sprintf("%x", private.D.Bytes())) {
			t.Error("an authority prints its private key")
		}
	}
	for _, text := range []string{fmt.Sprint(key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key)} {
		if text != "[private key]" {
			t.Errorf("a key prints itself as %.100s", text)
		}
	}
}

// TestOpenSSL has another implementation verify what a mesh gets.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openssl is missing")
		}
		t.Skip("openssl is not installed")
	}
	root := newRoot(t, 100)
	dir := t.TempDir()
	for name, text := range dataOf(t, newBundle(t, root, "east", 30, root.Root())) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		cmd := exec.Command(openssl, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	at := fmt.Sprint(now().Unix())
	run("verify", "-x509_strict", "-attime", at, "-CAfile", "root-cert.pem", "ca-cert.pem")
	run("verify", "-x509_strict", "-attime", at, "-CAfile", "root-cert.pem", "-untrusted", "cert-chain.pem", "ca-cert.pem")
	text := run("x509", "-in", "ca-cert.pem", "-noout", "-text")
	for _, want := range []string{"CA:TRUE, pathlen:0", "URI:spiffe://east.example/ns/istio-system/sa/istiod", "Certificate Sign", "O = Istio, CN = istiod.east intermediate"} {
		if !strings.Contains(text, want) && !strings.Contains(strings.ReplaceAll(text, "=", " = "), want) {
			t.Errorf("openssl does not see %q in\n%s", want, text)
		}
	}
	if a, b := run("x509", "-in", "ca-cert.pem", "-noout", "-pubkey"), run("pkey", "-in", "ca-key.pem", "-pubout"); a != b {
		t.Error("the key does not belong to the certificate")
	}
	chain := dataOf(t, newBundle(t, root, "east", 30, root.Root()))["cert-chain.pem"]
	if strings.Contains(string(chain), "\n\n") || strings.Count(string(chain), "-----\n-----") != 1 {
		t.Error("the certificates of the chain are not separated by exactly one newline")
	}
}
