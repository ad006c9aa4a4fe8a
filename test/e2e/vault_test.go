//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/vault"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

const istiod = "spiffe://east.local/ns/istio-system/sa/istiod"

// vaultServer has the secrets engines of a real Vault (hack/vault) and runs for
// one test.
type vaultServer struct {
	Address  string
	CABundle []byte
	// Operator is the token that may do everything, Signer the one that may sign
	// intermediates and nothing else.
	Operator, Signer string

	client *http.Client
}

// startVault starts a Vault with two secrets engines: pki is a root authority
// that lives for ten years, pki_int one below it that lives for a year.
func startVault(t *testing.T) *vaultServer {
	t.Helper()
	program := os.Getenv("VAULT")
	if program == "" {
		t.Fatal("VAULT must name the program that hack/vault/build.sh prints; `make e2e` sets it")
	}
	cmd := exec.Command(program)
	var log bytes.Buffer
	cmd.Stderr = &log
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("vault: %v\n%s", err, log.String())
		}
	})
	v := &vaultServer{}
	if err := json.NewDecoder(output).Decode(v); err != nil {
		t.Fatalf("vault does not start: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(v.CABundle)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	v.client = &http.Client{Transport: transport, Timeout: patience}

	v.write(t, "pki/root/generate/internal", map[string]any{"common_name": "Example Root", "ttl": "87600h", "key_type": "ec", "key_bits": 256})
	request := v.write(t, "pki_int/intermediate/generate/internal", map[string]any{"common_name": "Example Issuing", "key_type": "ec", "key_bits": 256})
	signed := v.write(t, "pki/root/sign-intermediate", map[string]any{"csr": request["csr"], "ttl": "8760h", "common_name": "Example Issuing", "format": "pem"})
	v.write(t, "pki_int/intermediate/set-signed", map[string]any{"certificate": signed["certificate"]})
	return v
}

// write posts the values as the operator, and returns the data of the answer.
func (v *vaultServer) write(t *testing.T, path string, values map[string]any) map[string]any {
	t.Helper()
	body, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.Address+"/v1/"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", v.Operator)
	response, err := v.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode > 299 {
		t.Fatalf("write %s: %s %s %v", path, response.Status, text, err)
	}
	var answer struct {
		Data map[string]any `json:"data"`
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("write %s: %v", path, err)
		}
	}
	return answer.Data
}

func (v *vaultServer) settings(mount string) certificatesv1.VaultCA {
	return certificatesv1.VaultCA{Server: v.Address, CABundle: v.CABundle, CAPath: mount + "/ca/pem", CSRPath: mount + "/root/sign-intermediate"}
}

func (v *vaultServer) connect(t *testing.T, settings certificatesv1.VaultCA, credentials vault.Credentials) *vault.Client {
	t.Helper()
	config, err := vault.NewConfig(settings, nil)
	if err != nil {
		t.Fatal(err)
	}
	return vault.New(config, credentials, time.Now)
}

// signer returns the credentials of somebody who may sign and nothing else.
func (v *vaultServer) signer(t *testing.T) vault.Credentials {
	t.Helper()
	return tokenOf(t, v.Signer)
}

func tokenOf(t *testing.T, token string) vault.Credentials {
	t.Helper()
	credentials, err := vault.TokenCredentials(token)
	if err != nil {
		t.Fatal(err)
	}
	return credentials
}

func meshOptions() vault.Options {
	return vault.Options{TTL: 90 * 24 * time.Hour, URIs: []string{istiod}, CommonName: "east.istio-system", Organization: "Istio"}
}

func TestVaultSignsIntermediates(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	credentials := v.signer(t)
	tests := []struct {
		name    string
		change  func(*certificatesv1.VaultCA)
		ttl     time.Duration
		chain   []string
		atLeast time.Duration
	}{
		{
			name:   "by a root",
			change: func(s *certificatesv1.VaultCA) { *s = v.settings("pki") },
			ttl:    90 * 24 * time.Hour, chain: []string{"east.istio-system", "Example Root"}, atLeast: 89 * 24 * time.Hour,
		},
		{
			name:   "by an authority below a root, whose certificate caPath does not serve",
			change: func(s *certificatesv1.VaultCA) { s.CAPath = "pki/cert/ca_chain" },
			ttl:    90 * 24 * time.Hour, chain: []string{"east.istio-system", "Example Issuing", "Example Root"}, atLeast: 89 * 24 * time.Hour,
		},
		{
			name:   "not beyond the authority that signs",
			change: func(s *certificatesv1.VaultCA) { s.CAPath = "/v1/pki/cert/ca" },
			ttl:    5 * 365 * 24 * time.Hour, chain: []string{"east.istio-system", "Example Issuing", "Example Root"}, atLeast: 364 * 24 * time.Hour,
		},
		{
			name:   "not beyond the root",
			change: func(s *certificatesv1.VaultCA) { *s = v.settings("pki"); s.CAPath = "pki/ca_chain" },
			ttl:    20 * 365 * 24 * time.Hour, chain: []string{"east.istio-system", "Example Root"}, atLeast: 3649 * 24 * time.Hour,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			settings := v.settings("pki_int")
			tt.change(&settings)
			options := meshOptions()
			options.TTL = tt.ttl
			csr, key := signingRequest(t)
			chain, err := v.connect(t, settings, credentials).SignIntermediate(t.Context(), csr, options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.chain, commonNames(chain)); diff != "" {
				t.Errorf("the chain differs (-want +got):\n%s", diff)
			}
			if left := time.Until(chain[0].NotAfter); left < tt.atLeast || left > tt.ttl {
				t.Errorf("the intermediate lives for %s, want between %s and %s", left, tt.atLeast, tt.ttl)
			}
			if chain[0].NotAfter.After(chain[1].NotAfter) {
				t.Error("the intermediate outlives its issuer")
			}
			if got := len(chain[0].DNSNames) + len(chain[0].IPAddresses) + len(chain[0].EmailAddresses); got > 0 {
				t.Errorf("the intermediate has %d names beside the identity", got)
			}
			workloadVerifies(t, chain, key)
		})
	}
}

// workloadVerifies signs a workload's certificate with the intermediate and has
// openssl verify it, if that is installed.
func workloadVerifies(t *testing.T, chain []*x509.Certificate, key *rsa.PrivateKey) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("openssl is not installed")
		return
	}
	workload, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1),
		URIs:         []*url.URL{{Scheme: "spiffe", Host: "east.local", Path: "/ns/default/sa/reviews"}},
		NotBefore:    time.Now().Add(-time.Second), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, chain[0], key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, certificates ...[]byte) string {
		var text []byte
		for _, der := range certificates {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var between [][]byte
	for _, certificate := range chain[:len(chain)-1] {
		between = append(between, certificate.Raw)
	}
	output, err := exec.CommandContext(t.Context(), program, "verify", "-no-CAfile", "-no-CApath",
		"-trusted", write("root.pem", chain[len(chain)-1].Raw), "-untrusted", write("chain.pem", between...), write("workload.pem", workload)).CombinedOutput()
	if err != nil {
		t.Errorf("openssl verify: %v\n%s", err, output)
	}
}

func TestVaultRefuses(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	v.write(t, "pki_int/roles/leaf", map[string]any{"allow_any_name": true, "enforce_hostnames": false, "allowed_uri_sans": "*"})
	tests := []struct {
		name        string
		change      func(*certificatesv1.VaultCA)
		credentials vault.Credentials
		want        []string
	}{
		{"an unknown token", nil, tokenOf(t, "hvs.unknown"), []string{"403 Forbidden", "check that the token has not expired", `path "pki/root/sign-intermediate"`}},
		{"no such mount", func(s *certificatesv1.VaultCA) { s.CAPath = "nowhere/ca/pem" }, v.signer(t), []string{"cannot read the certificate of the authority", "404 Not Found", "nowhere/ca/pem"}},
		{"no authority", func(s *certificatesv1.VaultCA) { *s = v.settings("empty") }, v.signer(t), []string{"cannot read the certificate of the authority", "empty/ca/pem"}},
		{"a role for leaves", func(s *certificatesv1.VaultCA) { *s = v.settings("pki_int"); s.CSRPath = "pki_int/sign/leaf" }, tokenOf(t, v.Operator), []string{"is not one of an authority", "such as pki/root/sign-intermediate"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			settings := v.settings("pki")
			if tt.change != nil {
				tt.change(&settings)
			}
			csr, _ := signingRequest(t)
			_, err := v.connect(t, settings, tt.credentials).SignIntermediate(t.Context(), csr, meshOptions())
			expectText(t, err, append(tt.want, v.Address)...)
		})
	}
}

func TestVaultSealed(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	credentials := v.signer(t)
	v.write(t, "sys/seal", nil)
	_, err := v.connect(t, v.settings("pki"), credentials).Roots(t.Context())
	expectText(t, err, "503 Service Unavailable: Vault is sealed", "unseal Vault and try again")
}

// TestVaultKubernetesLogin: Vault asks the management cluster whose token it got.
func TestVaultKubernetesLogin(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	cluster := newCluster(t, "vaulted")
	clientset, err := cluster.Clientset()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	// The token that Vault asks with may review tokens; so may the service account
	// in real installations.
	_, err = clientset.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "vault-reviews-tokens"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: "default"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	token := func(ctx context.Context, namespace string) string {
		request, err := clientset.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return request.Status.Token
	}
	v.write(t, "auth/kubernetes/config", map[string]any{
		"kubernetes_host": cluster.Server, "kubernetes_ca_cert": string(cluster.Admin().Config().CAData),
		"token_reviewer_jwt": token(ctx, "default"), "disable_local_ca_jwt": true,
	})
	v.write(t, "auth/kubernetes/role/mesh", map[string]any{
		"bound_service_account_names": "default", "bound_service_account_namespaces": "default", "token_policies": "meshctl", "token_ttl": "10m",
	})
	login := func(role, jwt string) *vault.Client {
		credentials, err := vault.KubernetesCredentials(certificatesv1.VaultKubernetesAuth{Role: role}, jwt)
		if err != nil {
			t.Fatal(err)
		}
		return v.connect(t, v.settings("pki"), credentials)
	}

	client := login("mesh", token(ctx, "default"))
	csr, _ := signingRequest(t)
	chain, err := client.SignIntermediate(ctx, csr, meshOptions())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"east.istio-system", "Example Root"}, commonNames(chain)); diff != "" {
		t.Errorf("the chain differs (-want +got):\n%s", diff)
	}
	if err := client.Logout(ctx); err != nil {
		t.Errorf("Logout() = %v", err)
	}

	const hint = "bound to the service account, its namespace and the audience of its token"
	_, err = login("nobody", token(ctx, "default")).Roots(ctx)
	expectText(t, err, `cannot log in as Kubernetes role "nobody"`, "400 Bad Request", hint)
	_, err = login("mesh", token(ctx, "kube-system")).Roots(ctx)
	expectText(t, err, "403 Forbidden", hint)
	_, err = login("mesh", "not-a-token").Roots(ctx)
	expectText(t, err, `cannot log in as Kubernetes role "mesh"`)
}

// signingRequest is one as meshctl makes them: without names, since those are
// given next to it.
func signingRequest(t *testing.T) ([]byte, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "ignored"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), key
}

func commonNames(certificates []*x509.Certificate) []string {
	var names []string
	for _, certificate := range certificates {
		names = append(names, certificate.Subject.CommonName)
	}
	return names
}

func expectText(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error\n%v\ndoes not say %q", err, part)
		}
	}
}
