package vault_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/vault"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

func TestKubernetesLogin(t *testing.T) {
	t.Parallel()
	tests := []struct{ mount, want string }{
		{"", "auth/kubernetes/login"},
		{"kubernetes", "auth/kubernetes/login"},
		{"/v1/auth/kubernetes", "auth/kubernetes/login"},
		{"/v1/auth/kubernetes/login/", "auth/kubernetes/login"},
		{"auth/clusters/east", "auth/clusters/east/login"},
		{"clusters/east/", "auth/clusters/east/login"},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.mount, "/", "_"), func(t *testing.T) {
			t.Parallel()
			f := newFakeVault(t)
			f.namespace = "teams/mesh"
			settings := f.settings()
			settings.Namespace = "/teams/mesh/"
			client := newClient(t, settings, serviceAccount(t, certificatesv1.VaultKubernetesAuth{MountPath: tt.mount, Role: meshRole}))
			csr, _ := newRequest(t)
			if _, err := client.SignIntermediate(t.Context(), csr, wanted()); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := client.Logout(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			want := []string{
				"POST /v1/" + tt.want, "GET /v1/pki/ca/pem", "GET /v1/pki/cert/ca_chain",
				"POST /v1/pki/root/sign-intermediate", "POST /v1/auth/token/revoke-self",
			}
			if diff := cmp.Diff(want, f.seen()); diff != "" {
				t.Errorf("the requests differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKubernetesLoginRefused(t *testing.T) {
	t.Parallel()
	const hint = "bound to the service account, its namespace and the audience of its token"
	tests := []struct {
		name, role, jwt string
		answer          func(http.ResponseWriter, *http.Request) bool
		want            []string
	}{
		{name: "unknown role", role: "nobody", jwt: serviceToken, want: []string{`cannot log in as Kubernetes role "nobody"`, `400 Bad Request: invalid role name "nobody"`, hint}},
		{name: "another service account", role: meshRole, jwt: "another", want: []string{"403 Forbidden: permission denied", hint}},
		{name: "no such method", role: meshRole, jwt: serviceToken, answer: say(http.StatusNotFound, `{"errors":[]}`), want: []string{"404 Not Found", "path auth/kubernetes/login"}},
		{name: "no token", role: meshRole, jwt: serviceToken, answer: say(http.StatusOK, `{"auth":null}`), want: []string{"the answer has no token"}},
		{name: "not JSON", role: meshRole, jwt: serviceToken, answer: say(http.StatusOK, `welcome`), want: []string{"the answer has no token"}},
		{name: "a token with a line break", role: meshRole, jwt: serviceToken, answer: say(http.StatusOK, `{"auth":{"client_token":"a\nb"}}`), want: []string{"the answer has no token"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeVault(t)
			f.answer = tt.answer
			credentials, err := vault.KubernetesCredentials(certificatesv1.VaultKubernetesAuth{Role: tt.role}, tt.jwt)
			if err != nil {
				t.Fatal(err)
			}
			_, err = newClient(t, f.settings(), credentials).Roots(t.Context())
			expectError(t, err, append(tt.want, f.server.URL)...)
		})
	}
}

// TestBadAnswers is about what servers say instead of what they should.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	root, _ := newRoot(t, "Example Root", year)
	leaf := signedLeaf(t)
	tests := []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request) bool
		want   []string
		// asked is how often the server is asked; once if 0.
		asked int
	}{
		{"permission denied", say(403, `{"errors":["1 error occurred:\n\t* permission denied\n\n"]}`), []string{"403 Forbidden: 1 error occurred: * permission denied", `its policy has path "pki/ca/pem" { capabilities = ["read"] }`}, 0},
		{"nothing there", say(404, `{"errors":["no handler for route \"pki/ca/pem\". route entry not found."]}`), []string{"404 Not Found: no handler for route", "whether Vault expects a namespace"}, 0},
		{"sealed", say(503, `{"errors":["Vault is sealed"]}`), []string{"503 Service Unavailable: Vault is sealed", "unseal Vault"}, 0},
		{"not initialized", say(501, `{"errors":["Vault is not initialized"]}`), []string{"501 Not Implemented", "initialized"}, 0},
		{"broken", say(500, `{"errors":["internal error"]}`), []string{"500 Internal Server Error: internal error", "check the log of Vault"}, 3},
		{"a gateway without a server", say(502, "<html><body>Bad Gateway</body></html>"), []string{"502 Bad Gateway: try again"}, 3},
		{"too many", say(429, `{"errors":["request path \"pki/ca/pem\": rate limit quota exceeded"]}`), []string{"429 Too Many Requests", "try again later"}, 3},
		{"a web page", say(200, "<html>Welcome</html>"), []string{"the answer is not a certificate", "neither PEM, DER nor the JSON of Vault"}, 0},
		{"nothing", say(200, ""), []string{"there is no certificate", "generate or import an authority"}, 0},
		{"no content", say(204, ""), []string{"there is no certificate"}, 0},
		{"JSON of something else", say(200, `{"status":"ok"}`), []string{"there is no certificate"}, 0},
		{"JSON that ends", say(200, `{"data":{"certificate":"`), []string{"the JSON is not that of Vault"}, 0},
		{"a number for a chain", say(200, `{"data":{"ca_chain":7}}`), []string{"neither a text nor a list of texts"}, 0},
		{"a private key", say(200, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), []string{"unexpected PEM block of type PRIVATE KEY"}, 0},
		{"damaged PEM", say(200, string(encode(root))+"-----BEGIN CERTIFICATE-----\nMIIB"), []string{"the PEM text after certificate 1 is damaged"}, 0},
		{"no certificate in PEM", say(200, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), []string{"certificate 1 cannot be read"}, 0},
		{"a leaf", say(200, leaf), []string{`"CN=leaf" is not one of an authority`}, 0},
		{"certificates without end", say(200, strings.Repeat(string(encode(root)), 65)), []string{"more than 64 certificates"}, 0},
		{"an endless answer", endless, []string{"the answer is larger than 1024 KiB"}, 0},
		{"a connection that breaks", breakOff, []string{"the connection broke"}, 3},
		{"long words", say(400, `{"errors":["`+strings.Repeat("no ", 5000)+`"]}`), []string{"400 Bad Request: no no", "..."}, 0},
		{"an echo of the token", say(400, `{"errors":["token `+vaultToken+` is odd"]}`), []string{"token [redacted] is odd"}, 0},
		{"words for a terminal", say(400, "\x1b[31mred\a"), []string{`400 Bad Request: \x1b[31mred\a`}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeVault(t)
			f.answer = tt.answer
			_, err := f.client(t, nil).Roots(t.Context())
			expectError(t, err, append(tt.want, "cannot read the certificate of the authority with Vault at "+f.server.URL+" (path pki/ca/pem)")...)
			if len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if asked := len(f.seen()); asked != max(tt.asked, 1) {
				t.Errorf("the server was asked %d times, want %d", asked, max(tt.asked, 1))
			}
		})
	}
}

func TestBadAnswersToARequestForASignature(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		text   string
		want   []string
	}{
		{"no right", 403, `{"errors":["permission denied"]}`, []string{"403 Forbidden", `capabilities = ["create", "update"]`}},
		{"refused", 400, `{"errors":["the requested CSR has a weak key"]}`, []string{"400 Bad Request: the requested CSR has a weak key"}},
		{"broken", 500, `{"errors":[]}`, []string{"500 Internal Server Error"}},
		{"a web page", 200, "<html>Welcome</html>", []string{"the answer is not the JSON of Vault"}},
		{"no data", 200, "{}", []string{"the answer is not the JSON of Vault"}},
		{"no certificate", 200, `{"data":{"serial_number":"1"}}`, []string{"the answer has no certificate"}},
		{"no PEM", 200, `{"data":{"certificate":"MIIB"}}`, []string{"the answer has no certificate"}},
		{"nothing", 200, "", []string{"the answer is not the JSON of Vault"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeVault(t)
			asked := 0
			f.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost {
					return false
				}
				asked++
				return say(tt.status, tt.text)(w, r)
			}
			csr, _ := newRequest(t)
			_, err := f.client(t, nil).SignIntermediate(t.Context(), csr, wanted())
			expectError(t, err, append(tt.want, "cannot sign an intermediate certificate with Vault at "+f.server.URL+" (path pki/root/sign-intermediate)")...)
			// What signs is not asked twice: it may have signed.
			if asked != 1 {
				t.Errorf("the server was asked for %d signatures", asked)
			}
		})
	}
}

// TestPassingTroubleIsRepeated: a leader that changes fails one request.
func TestPassingTroubleIsRepeated(t *testing.T) {
	t.Parallel()
	f := newFakeVault(t)
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if len(f.seen()) < 3 {
			return say(http.StatusServiceUnavailable, `{"errors":["no active node"]}`)(w, r)
		}
		return false
	}
	if _, err := f.client(t, nil).Roots(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestRedirectionsAreNotFollowed: the token goes to the address of the settings
// and nowhere else.
func TestRedirectionsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := newFakeVault(t)
	f := newFakeVault(t)
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere.server.URL+r.URL.Path, http.StatusTemporaryRedirect)
		return true
	}
	_, err := f.client(t, nil).Roots(t.Context())
	expectError(t, err, "307 Temporary Redirect, a redirection to "+elsewhere.server.URL, "name that address in server")
	if seen := elsewhere.seen(); len(seen) > 0 {
		t.Errorf("the other server was asked: %v", seen)
	}
}

func TestUnreachableServers(t *testing.T) {
	t.Parallel()
	f := newFakeVault(t)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	demanding := newDemandingServer(t)
	stranger, _ := newRoot(t, "Stranger", year)
	tests := []struct {
		name   string
		change func(*certificatesv1.VaultCA)
		want   string
	}{
		{"nobody listens", func(s *certificatesv1.VaultCA) { s.Server = "https://" + unusedAddress(t) }, "the server is unreachable: connection refused"},
		{"no such host", func(s *certificatesv1.VaultCA) { s.Server = "https://vault.invalid:8200" }, "the host name has no address"},
		{"unknown authority", func(s *certificatesv1.VaultCA) { s.CABundle = encode(stranger) }, "signed by an unknown authority: put the certificate of that authority into caBundle"},
		{"the authorities of the system", func(s *certificatesv1.VaultCA) { s.CABundle = nil }, "signed by an unknown authority"},
		{"another host", func(s *certificatesv1.VaultCA) {
			s.Server = strings.Replace(s.Server, "127.0.0.1", "localhost", 1)
		}, "the certificate of the server is for another host"},
		{"no TLS", func(s *certificatesv1.VaultCA) { s.Server = "https" + strings.TrimPrefix(plain.URL, "http") }, "the server does not speak TLS"},
		{"TLS where none is expected", func(s *certificatesv1.VaultCA) { s.Server = "http" + strings.TrimPrefix(f.server.URL, "https") }, "write https in server"},
		{"client certificates", func(s *certificatesv1.VaultCA) {
			s.Server, s.CABundle = demanding.URL, encode(demanding.Certificate())
		}, "certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := f.client(t, tt.change).Roots(t.Context())
			expectError(t, err, tt.want)
		})
	}
}

func TestHungServer(t *testing.T) {
	t.Parallel()
	f := newFakeVault(t)
	release := make(chan struct{})
	f.answer = func(http.ResponseWriter, *http.Request) bool {
		<-release
		return true
	}
	t.Cleanup(func() { close(release) })

	t.Run("without a deadline", func(t *testing.T) {
		client := f.client(t, nil)
		client.SetTimeout(50 * time.Millisecond)
		_, err := client.Roots(t.Context())
		expectError(t, err, "timed out")
	})
	t.Run("with a deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := f.client(t, nil).Roots(ctx)
		expectError(t, err, "timed out")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v is not a deadline that was exceeded", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := f.client(t, nil).Roots(ctx)
		expectError(t, err, "cancelled")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v is not a cancellation", err)
		}
	})
}

func serviceAccount(t *testing.T, settings certificatesv1.VaultKubernetesAuth) vault.Credentials {
	t.Helper()
	credentials, err := vault.KubernetesCredentials(settings, serviceToken+"\n")
	if err != nil {
		t.Fatal(err)
	}
	return credentials
}

func endless(w http.ResponseWriter, _ *http.Request) bool {
	line := []byte(strings.Repeat("x", 1<<16))
	for {
		if _, err := w.Write(line); err != nil {
			return true
		}
	}
}

func breakOff(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// newDemandingServer wants to see a certificate of its clients.
func newDemandingServer(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// unusedAddress is one where nobody listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func signedLeaf(t *testing.T) string {
	t.Helper()
	root, key := newRoot(t, "Example Root", year)
	template := *root
	template.Subject.CommonName, template.IsCA, template.KeyUsage = "leaf", false, 0
	template.RawSubject, template.SubjectKeyId = nil, nil
	return string(encode(signWith(t, &template, root, newKey(t).Public(), key)))
}
