package vault

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// redacted stands where a secret would be.
const redacted = "[redacted]"

// secret is a text that neither fmt, encoding nor reflection shows: only a
// function knows it.
type secret func() string

func newSecret(text string) secret { return func() string { return text } }

// reveal returns the text; empty for none.
func (s secret) reveal() string {
	if s == nil {
		return ""
	}
	return s()
}

// Credentials are how meshctl shows Vault who it is: a token, or the token of a
// Kubernetes service account that Vault exchanges for one of its own. However
// they are printed, encoded or logged, they show nothing.
type Credentials struct {
	token secret
	login *kubernetesLogin
}

// kubernetesLogin is what the Kubernetes authentication of Vault is asked with.
type kubernetesLogin struct {
	mount string
	role  string
	jwt   secret
}

// TokenCredentials returns the credentials of a token of Vault, the content of
// the Secret that tokenSecretRef names. Blanks and line ends around it are left
// out. Errors do not show it.
func TokenCredentials(token string) (Credentials, error) {
	token = strings.TrimSpace(token)
	if err := checkToken(token); err != nil {
		return Credentials{}, fmt.Errorf("the token for Vault %w", err)
	}
	return Credentials{token: newSecret(token)}, nil
}

// KubernetesCredentials returns credentials with which the client logs in
// through the Kubernetes authentication of Vault before its first request. jwt
// is a token of the service account that the settings mean, wherever it came
// from. The path of the mount may be given as `kubernetes`, `auth/kubernetes` or
// `/v1/auth/kubernetes`, which is also the default.
func KubernetesCredentials(settings certificatesv1.VaultKubernetesAuth, jwt string) (Credentials, error) {
	jwt = strings.TrimSpace(jwt)
	role := strings.TrimSpace(settings.Role)
	mount := strings.Trim(strings.TrimSpace(settings.MountPath), "/")
	mount = strings.TrimPrefix(mount, "v1/")
	mount = strings.TrimSuffix(strings.TrimPrefix(mount, "auth/"), "/login")
	if mount == "" {
		mount = defaultKubernetesMount
	}
	var problems []error
	if role == "" {
		problems = append(problems, errors.New("kubernetesAuth.role: missing: name a role of Vault's Kubernetes authentication"))
	}
	if err := checkSegments(mount); err != nil {
		problems = append(problems, fmt.Errorf("kubernetesAuth.mountPath: %w", err))
	}
	if err := checkToken(jwt); err != nil {
		problems = append(problems, fmt.Errorf("the token of the service account %w", err))
	}
	if len(problems) > 0 {
		return Credentials{}, fmt.Errorf("the credentials for Vault are not usable: %w", joinLine(problems))
	}
	return Credentials{login: &kubernetesLogin{mount: mount, role: role, jwt: newSecret(jwt)}}, nil
}

// checkToken rejects what cannot be a token, such as the whole of a JSON file.
func checkToken(token string) error {
	if token == "" {
		return errors.New("is empty")
	}
	for _, r := range token {
		if r <= ' ' || r > '~' {
			return errors.New("has blanks, line breaks or special characters in it: it must be the token alone")
		}
	}
	return nil
}

// String says which kind of credentials they are.
func (c Credentials) String() string {
	switch {
	case c.login != nil:
		return "kubernetes role " + c.login.role + " at " + c.login.mount + " " + redacted
	case c.token != nil:
		return "token " + redacted
	default:
		return "none"
	}
}

// GoString is String, for %#v.
func (c Credentials) GoString() string { return c.String() }

// MarshalText is String, for JSON, YAML and everything else.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// LogValue is String, for structured logs.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }
