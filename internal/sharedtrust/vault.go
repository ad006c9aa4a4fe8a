package sharedtrust

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/trust"
	"github.com/meshctl/meshctl/internal/vault"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// VaultLogins connects to Vaults with the configured credentials: a token in a Secret, a
// service account token, or, if none are configured, the user's token in VAULT_TOKEN.
type VaultLogins struct {
	management *kube.Connection
	clock      func() time.Time
	getenv     func(string) string

	mu      sync.Mutex
	clients []*vault.Client
}

// NewVaultLogins returns logins that take credentials from Secrets of the management cluster,
// which may be nil, and from the environment.
func NewVaultLogins(management *kube.Connection, clock func() time.Time, getenv func(name string) string) *VaultLogins {
	return &VaultLogins{management: management, clock: clock, getenv: getenv}
}

// defaultTokenKey is the key in a Secret that holds a Vault token.
const defaultTokenKey = "token"

// vaultTokenLife is the lifetime of service account tokens presented to Vault; it is the
// minimum that Kubernetes allows.
const vaultTokenLife = 10 * time.Minute

// Connect implements Vaults.
func (l *VaultLogins) Connect(ctx context.Context, settings *certificatesv1.VaultCA) (*x509.Certificate, Signer, error) {
	var local []byte
	if settings.CALocalPath != nil {
		var err error
		if local, err = os.ReadFile(*settings.CALocalPath); err != nil {
			return nil, nil, fmt.Errorf("read the CA certificates of Vault (caLocalPath): %w", err)
		}
	}
	config, err := vault.NewConfig(*settings, local)
	if err != nil {
		return nil, nil, err
	}
	credentials, err := l.credentials(ctx, settings)
	if err != nil {
		return nil, nil, err
	}
	client := vault.New(config, credentials, l.clock)
	l.mu.Lock()
	l.clients = append(l.clients, client)
	l.mu.Unlock()
	certificates, err := client.Roots(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range certificates {
		if trust.IsSelfSigned(c) {
			return c, vaultSigner{client}, nil
		}
	}
	return nil, nil, fmt.Errorf("the Vault at %s serves no self-signed root at caPath or above it", config.Server())
}

// Close logs out of all Vaults. A token that cannot be revoked expires on its own.
func (l *VaultLogins) Close(ctx context.Context) {
	for _, client := range l.clients {
		_ = client.Logout(ctx)
	}
}

func (l *VaultLogins) credentials(ctx context.Context, settings *certificatesv1.VaultCA) (vault.Credentials, error) {
	switch {
	case settings.TokenSecretRef != nil:
		token, err := l.fromSecret(ctx, settings.TokenSecretRef.Namespace, settings.TokenSecretRef.Name, defaultTokenKey)
		if err != nil {
			return vault.Credentials{}, err
		}
		return vault.TokenCredentials(token)
	case settings.KubernetesAuth != nil:
		jwt, err := l.serviceAccountToken(ctx, settings.KubernetesAuth)
		if err != nil {
			return vault.Credentials{}, err
		}
		return vault.KubernetesCredentials(*settings.KubernetesAuth, jwt)
	}
	if token := l.getenv("VAULT_TOKEN"); token != "" {
		return vault.TokenCredentials(token)
	}
	return vault.Credentials{}, errors.New("no credentials for Vault: set tokenSecretRef or kubernetesAuth in the VirtualMesh, or VAULT_TOKEN in the environment")
}

func (l *VaultLogins) fromSecret(ctx context.Context, namespace, name, key string) (string, error) {
	if l.management == nil {
		return "", fmt.Errorf("the credentials for Vault are in Secret %s in %s of the management cluster: add --context", name, namespace)
	}
	secret, err := kube.ReadSecret(ctx, l.management, namespace, name)
	switch {
	case err != nil:
		return "", err
	case secret == nil:
		return "", fmt.Errorf("credentials for Vault not found: the management cluster has no Secret %s in %s", name, namespace)
	case len(secret.Data[key]) == 0:
		return "", fmt.Errorf("credentials for Vault incomplete: Secret %s in %s has no key %s", name, namespace, key)
	}
	return string(secret.Data[key]), nil
}

// serviceAccountToken returns the token to present to Vault: one requested for the service
// account, one from a Secret, or the mounted one.
func (l *VaultLogins) serviceAccountToken(ctx context.Context, auth *certificatesv1.VaultKubernetesAuth) (string, error) {
	ref := auth.ServiceAccountRef
	switch {
	case ref != nil && auth.SecretTokenKey != "":
		return l.fromSecret(ctx, ref.Namespace, ref.Name, auth.SecretTokenKey)
	case ref != nil && l.management == nil:
		return "", fmt.Errorf("ServiceAccount %s in %s, used to log in to Vault, is on the management cluster: add --context", ref.Name, ref.Namespace)
	case ref != nil:
		return registration.RequestToken(ctx, l.management, ref.Namespace, ref.Name, vaultTokenLife)
	}
	path := "/var/run/secrets/kubernetes.io/serviceaccount/token"
	if auth.MountedSAPath != nil {
		path = cmp.Or(*auth.MountedSAPath, path)
	}
	token, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the mounted service account token for Vault (kubernetesAuth): %w", err)
	}
	return strings.TrimSpace(string(token)), nil
}

// vaultSigner signs with a Vault.
type vaultSigner struct{ client *vault.Client }

// Sign implements Signer.
func (s vaultSigner) Sign(ctx context.Context, request *trust.Request, key trust.Key) ([]*x509.Certificate, error) {
	csr, err := request.CSR(key)
	if err != nil {
		return nil, err
	}
	subject := request.Subject()
	return s.client.SignIntermediate(ctx, csr, vault.Options{
		TTL: request.Options.TTL, URIs: []string{request.Identity.String()}, CommonName: subject.CommonName, Organization: subject.Organization[0],
	})
}
