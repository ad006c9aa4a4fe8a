package vault_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/vault"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

const (
	vaultToken   = "hvs.CAESIJ-the-token-of-the-operator"
	sessionToken = "hvs.CAESIN-the-token-of-the-session"
	serviceToken = "eyJhbGciOiJFUzI1NiJ9.the-service-account.signature"
	meshRole     = "mesh"
	identity     = "spiffe://east.local/ns/istio-system/sa/istiod"
)

// fakeVault answers the few paths that the client uses the way Vault does. What
// a test wants to be wrong, it changes with the fields.
type fakeVault struct {
	t      *testing.T
	server *httptest.Server

	// chain is the authority of the secrets engine and what is above it; its key
	// signs.
	chain []*x509.Certificate
	key   crypto.Signer
	// namespace is where the secrets engine lives.
	namespace string
	// answer takes over a request if it is set and returns true.
	answer func(w http.ResponseWriter, r *http.Request) bool
	// change alters what is about to be signed.
	change func(template *x509.Certificate)
	// maxTTL is the limit of the mount.
	maxTTL time.Duration

	mu       sync.Mutex
	requests []string
	signed   map[string]any
}

// newFakeVault starts a server with TLS and an authority that lives for ten
// years.
func newFakeVault(t *testing.T) *fakeVault {
	t.Helper()
	root, key := newRoot(t, "Example Root", 10*365*24*time.Hour)
	f := &fakeVault{t: t, chain: []*x509.Certificate{root}, key: key, maxTTL: 20 * 365 * 24 * time.Hour}
	f.server = httptest.NewTLSServer(f)
	// Handshakes that fail on purpose are no news.
	f.server.Config.ErrorLog = nil
	t.Cleanup(f.server.Close)
	return f
}

// settings are those of a VirtualMesh that uses this server.
func (f *fakeVault) settings() certificatesv1.VaultCA {
	return certificatesv1.VaultCA{
		Server:   f.server.URL,
		CAPath:   "pki/ca/pem",
		CSRPath:  "pki/root/sign-intermediate",
		CABundle: encode(f.server.Certificate()),
	}
}

// client returns a client with the token of the operator.
func (f *fakeVault) client(t *testing.T, change func(*certificatesv1.VaultCA)) *vault.Client {
	t.Helper()
	settings := f.settings()
	if change != nil {
		change(&settings)
	}
	credentials, err := vault.TokenCredentials(vaultToken + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, settings, credentials)
}

func newClient(t *testing.T, settings certificatesv1.VaultCA, credentials vault.Credentials) *vault.Client {
	t.Helper()
	config, err := vault.NewConfig(settings, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := vault.New(config, credentials, time.Now)
	client.SetPause(time.Millisecond)
	return client
}

// seen returns the requests so far, as METHOD PATH.
func (f *fakeVault) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

func (f *fakeVault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	f.mu.Unlock()
	if f.answer != nil && f.answer(w, r) {
		return
	}
	path, versioned := strings.CutPrefix(r.URL.Path, "/v1/")
	if !versioned || r.Header.Get("X-Vault-Namespace") != f.namespace {
		refuse(w, http.StatusNotFound)
		return
	}
	switch r.Method + " " + path {
	case "GET pki/ca":
		w.Write(f.chain[0].Raw)
	case "GET pki/ca/pem":
		w.Write(bytes.TrimSpace(encode(f.chain[0])))
	case "GET pki/ca_chain":
		w.Write(bytes.TrimSpace(encode(f.chain...)))
	case "GET pki/cert/ca":
		reply(w, map[string]any{"certificate": string(encode(f.chain[0])), "revocation_time": 0})
	case "GET pki/cert/ca_chain":
		reply(w, map[string]any{"certificate": string(encode(f.chain...)), "ca_chain": string(encode(f.chain...))})
	case "GET pki/issuer/mesh/json":
		reply(w, map[string]any{"certificate": string(encode(f.chain[0])), "ca_chain": texts(f.chain), "issuer_name": "mesh"})
	case "POST auth/kubernetes/login", "POST auth/clusters/east/login":
		f.login(w, r)
	case "POST auth/token/revoke-self":
		w.WriteHeader(http.StatusNoContent)
	case "POST pki/root/sign-intermediate", "POST pki/issuer/mesh/sign-intermediate":
		f.sign(w, r)
	default:
		refuse(w, http.StatusNotFound, `no handler for route "`+path+`". route entry not found.`)
	}
}

func (f *fakeVault) login(w http.ResponseWriter, r *http.Request) {
	var body struct{ Role, JWT string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, "failed to parse JSON input")
		return
	}
	switch {
	case body.Role != meshRole:
		refuse(w, http.StatusBadRequest, `invalid role name "`+body.Role+`"`)
	case body.JWT != serviceToken:
		refuse(w, http.StatusForbidden, "permission denied")
	default:
		json.NewEncoder(w).Encode(map[string]any{"auth": map[string]any{"client_token": sessionToken, "lease_duration": 3600}})
	}
}

func (f *fakeVault) sign(w http.ResponseWriter, r *http.Request) {
	if token := r.Header.Get("X-Vault-Token"); token != vaultToken && token != sessionToken {
		refuse(w, http.StatusForbidden, "permission denied")
		return
	}
	var values map[string]any
	if err := json.NewDecoder(r.Body).Decode(&values); err != nil {
		refuse(w, http.StatusBadRequest, "failed to parse JSON input")
		return
	}
	f.mu.Lock()
	f.signed = values
	f.mu.Unlock()
	block, _ := pem.Decode([]byte(values["csr"].(string)))
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		refuse(w, http.StatusBadRequest, "certificate request could not be parsed")
		return
	}
	ttl, err := time.ParseDuration(values["ttl"].(string))
	if err != nil {
		refuse(w, http.StatusBadRequest, "ttl")
		return
	}
	identity, err := url.Parse(values["uri_sans"].(string))
	if err != nil {
		refuse(w, http.StatusBadRequest, "uri_sans")
		return
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: values["common_name"].(string), Organization: []string{values["organization"].(string)}},
		URIs:                  []*url.URL{identity},
		NotBefore:             now.Add(-30 * time.Second),
		NotAfter:              now.Add(min(ttl, f.maxTTL)),
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        values["max_path_length"] == 0.0,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PublicKey:             request.PublicKey,
	}
	if f.change != nil {
		f.change(template)
	}
	certificate := signWith(f.t, template, f.chain[0], template.PublicKey, f.key)
	reply(w, map[string]any{
		"certificate":   string(encode(certificate)),
		"issuing_ca":    string(encode(f.chain[0])),
		"ca_chain":      texts(append([]*x509.Certificate{certificate}, f.chain...)),
		"serial_number": certificate.SerialNumber.String(),
		"expiration":    certificate.NotAfter.Unix(),
	})
}

// underRoot gives the server an intermediate authority, with the path length,
// below the root that it had.
func (f *fakeVault) underRoot(pathLength int, life time.Duration) {
	f.t.Helper()
	key := newKey(f.t)
	now := time.Now()
	middle := signWith(f.t, &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Example Issuing"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: pathLength, MaxPathLenZero: pathLength == 0,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, f.chain[0], key.Public(), f.key)
	f.chain, f.key = []*x509.Certificate{middle, f.chain[0]}, key
}

func reply(w http.ResponseWriter, data map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"request_id": "4f0c", "lease_id": "", "data": data, "warnings": nil})
}

func refuse(w http.ResponseWriter, status int, problems ...string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"errors": append([]string{}, problems...)})
}

func say(status int, text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		io.WriteString(w, text)
		return true
	}
}

func newRoot(t *testing.T, name string, life time.Duration) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key := newKey(t)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return signWith(t, template, template, key.Public(), key), key
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newRequest returns a signing request and its key.
func newRequest(t *testing.T) ([]byte, crypto.Signer) {
	t.Helper()
	key := newKey(t)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), key
}

func signWith(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Error(err)
		return &x509.Certificate{}
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Error(err)
	}
	return certificate
}

func serial() *big.Int {
	number, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return number
}

func encode(certificates ...*x509.Certificate) []byte {
	var text []byte
	for _, certificate := range certificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return text
}

func texts(certificates []*x509.Certificate) []string {
	var list []string
	for _, certificate := range certificates {
		list = append(list, string(encode(certificate)))
	}
	return list
}
