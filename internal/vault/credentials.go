package vault

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// redacted replaces a secret in texts.
const redacted = "[redacted]"

// secret holds a text in a function, so that neither fmt, encoding nor reflection
// can show it.
type secret func() string

func newSecret(text string) secret { return func() string { return text } }

// reveal returns the secret text; empty if there is none.
func (s secret) reveal() string {
	if s == nil {
		return ""
	}
	return s()
}

// Credentials authenticate meshctl to Vault: a Vault token, or the token of a
// Kubernetes service account that Vault exchanges for its own. Printing, encoding
// or logging them never shows the secret.
type Credentials struct {
	token secret
	login *kubernetesLogin
}

// kubernetesLogin is the request of a Kubernetes login.
type kubernetesLogin struct {
	mount string
	role  string
	jwt   secret
}

// TokenCredentials returns credentials for a Vault token, the content of the
// Secret at tokenSecretRef. Surrounding white space is removed. Errors never
// contain the token.
func TokenCredentials(token string) (Credentials, error) {
	token = strings.TrimSpace(token)
	if err := checkToken(token); err != nil {
		return Credentials{}, fmt.Errorf("the token for Vault %w", err)
	}
	return Credentials{token: newSecret(token)}, nil
}

// KubernetesCredentials returns credentials with which the client logs in through
// the Kubernetes authentication of Vault before its first request. jwt is a token
// of the service account in the settings. The mount path may be written as
// `kubernetes`, `auth/kubernetes` or `/v1/auth/kubernetes`, which is also the
// default.
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

// checkToken rejects texts that cannot be a token, such as a whole JSON file.
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

// String returns the type of the credentials without the secret.
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

// MarshalText is String, for JSON, YAML and other encoders.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// LogValue is String, for structured logs.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }
