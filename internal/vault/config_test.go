package vault_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/vault"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

func TestNewConfig(t *testing.T) {
	t.Parallel()
	root, _ := newRoot(t, "Example Root", year)
	file := "/etc/vault/ca.pem"
	tests := []struct {
		name   string
		change func(*certificatesv1.VaultCA)
		bundle []byte
		// want is the server of the result, or a part of the error.
		want, wantError string
	}{
		{name: "plain", want: "https://vault.example.com:8200"},
		{name: "blanks and slashes", change: func(s *certificatesv1.VaultCA) { s.Server = " https://vault.example.com:8200/ " }, want: "https://vault.example.com:8200"},
		{name: "a path in front", change: func(s *certificatesv1.VaultCA) { s.Server = "https://example.com/vault/v1/" }, want: "https://example.com/vault"},
		{name: "http to this machine", change: func(s *certificatesv1.VaultCA) { s.Server = "http://127.0.0.1:8200" }, want: "http://127.0.0.1:8200"},
		{name: "http to this machine by IPv6", change: func(s *certificatesv1.VaultCA) { s.Server = "http://[::1]:8200" }, want: "http://[::1]:8200"},
		{name: "http to this machine by name", change: func(s *certificatesv1.VaultCA) { s.Server = "http://localhost:8200" }, want: "http://localhost:8200"},
		{name: "a bundle", change: func(s *certificatesv1.VaultCA) { s.CABundle = encode(root) }, want: "https://vault.example.com:8200"},
		{name: "a bundle in a file", change: func(s *certificatesv1.VaultCA) { s.CALocalPath = &file }, bundle: encode(root), want: "https://vault.example.com:8200"},

		{name: "no server", change: func(s *certificatesv1.VaultCA) { s.Server = "" }, wantError: "server: missing"},
		{name: "http", change: func(s *certificatesv1.VaultCA) { s.Server = "http://vault.example.com:8200" }, wantError: `server: "http://vault.example.com:8200" would send the token unencrypted: use https`},
		{name: "http to a name that starts like this machine's", change: func(s *certificatesv1.VaultCA) { s.Server = "http://localhost.example.com" }, wantError: "unencrypted"},
		{name: "no scheme", change: func(s *certificatesv1.VaultCA) { s.Server = "vault.example.com:8200" }, wantError: "is not an https address"},
		{name: "no host", change: func(s *certificatesv1.VaultCA) { s.Server = "https://:8200" }, wantError: "is not an https address"},
		{name: "no URL", change: func(s *certificatesv1.VaultCA) { s.Server = "https://vault:port" }, wantError: "server: not a URL"},
		{name: "a password", change: func(s *certificatesv1.VaultCA) { s.Server = "https://root:" + vaultToken + "@vault.example.com" }, wantError: "must not contain a user or a password"},
		{name: "a query", change: func(s *certificatesv1.VaultCA) { s.Server = "https://vault.example.com?x=y" }, wantError: "must end with the host"},
		{name: "no paths", change: func(s *certificatesv1.VaultCA) { s.CAPath, s.CSRPath = "/", "v1/" }, wantError: "caPath: missing: name the path that serves"},
		{name: "no path to sign", change: func(s *certificatesv1.VaultCA) { s.CSRPath = "" }, wantError: "csrPath: missing: name the path that signs, such as pki/root/sign-intermediate"},
		{name: "a way up", change: func(s *certificatesv1.VaultCA) { s.CAPath = "pki/../sys/seal" }, wantError: `caPath: "pki/../sys/seal" has the element ".."`},
		{name: "an empty element", change: func(s *certificatesv1.VaultCA) { s.CAPath = "pki//ca" }, wantError: `has the element ""`},
		{name: "a query in a path", change: func(s *certificatesv1.VaultCA) { s.CAPath = "pki/ca?x" }, wantError: `has the character '?'`},
		{name: "a line break in the namespace", change: func(s *certificatesv1.VaultCA) { s.Namespace = "a\nb" }, wantError: "namespace:"},
		{name: "no certificate in the bundle", change: func(s *certificatesv1.VaultCA) { s.CABundle = []byte("hello") }, wantError: "caBundle: no PEM certificate is in it"},
		{name: "a key in the bundle", change: func(s *certificatesv1.VaultCA) {
			s.CABundle = []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
		}, wantError: "caBundle: unexpected PEM block of type PRIVATE KEY"},
		{name: "an empty file", change: func(s *certificatesv1.VaultCA) { s.CALocalPath = &file }, wantError: "caLocalPath: no PEM certificate is in it"},
		{name: "two bundles", change: func(s *certificatesv1.VaultCA) { s.CABundle, s.CALocalPath = encode(root), &file }, wantError: "caBundle: caLocalPath is set, too"},
		{name: "several mistakes", change: func(s *certificatesv1.VaultCA) { *s = certificatesv1.VaultCA{} }, wantError: "; csrPath: missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			settings := certificatesv1.VaultCA{Server: "https://vault.example.com:8200", CAPath: "pki/ca/pem", CSRPath: "pki/root/sign-intermediate"}
			if tt.change != nil {
				tt.change(&settings)
			}
			config, err := vault.NewConfig(settings, tt.bundle)
			if tt.wantError != "" {
				expectError(t, err, tt.wantError)
				return
			}
			if err != nil || config.Server() != tt.want {
				t.Errorf("NewConfig() = %q, %v, want %q", config.Server(), err, tt.want)
			}
		})
	}
}

func TestCredentialsAreChecked(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{
		"":                      "the token for Vault is empty",
		"\t\n":                  "the token for Vault is empty",
		vaultToken + "\nsecond": "the token for Vault has blanks, line breaks",
		"tökén":                 "the token for Vault has blanks, line breaks or special characters",
	} {
		_, err := vault.TokenCredentials(token)
		expectError(t, err, want)
	}
	for _, tt := range []struct {
		settings certificatesv1.VaultKubernetesAuth
		jwt      string
		want     []string
	}{
		{certificatesv1.VaultKubernetesAuth{}, "", []string{"kubernetesAuth.role: missing", "the token of the service account is empty"}},
		{certificatesv1.VaultKubernetesAuth{Role: meshRole, MountPath: "../sys"}, serviceToken, []string{`kubernetesAuth.mountPath: "../sys"`}},
		{certificatesv1.VaultKubernetesAuth{Role: meshRole}, serviceToken + " " + serviceToken, []string{"the token of the service account has blanks"}},
	} {
		_, err := vault.KubernetesCredentials(tt.settings, tt.jwt)
		expectError(t, err, tt.want...)
	}
}

// TestNothingShowsSecrets prints everything that holds a secret in every way.
func TestNothingShowsSecrets(t *testing.T) {
	t.Parallel()
	token, err := vault.TokenCredentials(vaultToken)
	if err != nil {
		t.Fatal(err)
	}
	f := newFakeVault(t)
	login := serviceAccount(t, certificatesv1.VaultKubernetesAuth{Role: meshRole})
	client := newClient(t, f.settings(), login)
	if _, err := client.Roots(t.Context()); err != nil {
		t.Fatal(err)
	}
	config, err := vault.NewConfig(f.settings(), nil)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		hidden vault.Credentials
		Open   vault.Credentials
	}
	for _, value := range []any{
		token, &token, login, &login,
		holder{token, login},
		&holder{login, token},
		client, vault.New(config, token, time.Now),
		map[string]any{"credentials": login},
		fmt.Errorf("with %v", login),
	} {
		var text strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&text, verb+"\n", value)
		}
		encoded, err := json.Marshal(value)
		fmt.Fprintln(&text, string(encoded), err)
		slog.New(slog.NewTextHandler(&text, nil)).Info("message", "value", value)
		slog.New(slog.NewJSONHandler(&text, nil)).Info("message", "value", value)
		for _, hidden := range []string{vaultToken, serviceToken, sessionToken, fmt.Sprintf("%x", vaultToken), fmt.Sprintf("%x", serviceToken)} {
			if strings.Contains(text.String(), hidden) {
				t.Errorf("%T shows a secret:\n%s", value, text.String())
			}
		}
	}
	if got := token.String() + ", " + login.String() + ", " + (vault.Credentials{}).String(); got != "token [redacted], kubernetes role mesh at kubernetes [redacted], none" {
		t.Errorf("String() = %s", got)
	}
}
