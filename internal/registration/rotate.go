package registration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshctl/meshctl/internal/kube"
)

// RotateOptions configure the rotation of the token of a registered cluster.
type RotateOptions struct {
	// Cluster is the name of the registered cluster, Namespace the namespace of its
	// registration.
	Cluster, Namespace string
	// TokenTTL is the lifetime of the new token; 0 means that it does not expire, nil keeps the
	// lifetime of the old one.
	TokenTTL *time.Duration
	// Wait limits each wait; DefaultWait if 0.
	Wait time.Duration
	// Kubeconfig and RemoteKubeconfig are the files that the user specified. They are part of
	// the commands in errors.
	Kubeconfig, RemoteKubeconfig string
	// Connection configures the connection with the new credentials.
	Connection kube.Options
}

// Rotation is the result of rotating a token.
type Rotation struct {
	Cluster string
	// Expires is when the new token expires; nil for never.
	Expires *time.Time
	// OldExpires is when the old token expires if it cannot be revoked; nil if it is revoked.
	OldExpires *time.Time
	// Results are the written and deleted objects.
	Results []kube.Result
}

// RotateToken replaces the token of a registered cluster. The new token is verified before it
// replaces the old one, which is revoked last. remote is the connection of a user who may
// create tokens there: a registration cannot renew its own token, because a thief of the token
// could do so too. If RotateToken fails, it deletes what it created; if that is not possible,
// the error is an *IncompleteError.
func RotateToken(ctx context.Context, management, remote *kube.Connection, opts RotateOptions, observe Observer) (*Rotation, error) {
	r := &rotator{management: management, remote: remote, opts: opts, observe: observe, result: Rotation{Cluster: opts.Cluster}}
	if err := r.run(ctx); err != nil {
		return nil, r.journal.rollBack(ctx, observe, adviseAdministrator(management, remote, opts.Namespace, err, kube.ViewRole, kube.AdminRole))
	}
	return &r.result, nil
}

type rotator struct {
	management, remote *kube.Connection
	opts               RotateOptions
	observe            Observer

	member  membership
	secret  *unstructured.Unstructured
	old     kubeconfigParts
	ttl     time.Duration
	journal journal
	// obsolete are the token Secrets to revoke.
	obsolete []string
	result   Rotation
}

func (r *rotator) run(ctx context.Context) error {
	var kubeconfig []byte
	if err := r.observe.phase(r.opts.Cluster, PhasePreflight, func() (string, error) { return "", r.preflight(ctx) }); err != nil {
		return err
	}
	if err := r.observe.phase(r.remote.Name, PhaseToken, func() (string, error) {
		token, err := r.newToken(ctx)
		if err != nil {
			return "", err
		}
		r.result.Expires = TokenExpiry(token)
		kubeconfig, err = r.old.withToken(token)
		return expiryText(r.result.Expires), err
	}); err != nil {
		return err
	}
	if err := r.observe.phase(r.remote.Name, PhaseVerify, func() (string, error) {
		connection, err := kube.FromKubeconfig(r.opts.Cluster, kubeconfig, r.opts.Connection)
		if err != nil {
			return "", err
		}
		return connection.Server(), verify(ctx, connection, r.member.remoteUID, r.opts.Wait)
	}); err != nil {
		return err
	}
	if err := r.observe.phase(r.management.Name, PhaseRecord, func() (string, error) { return "", r.replace(ctx, kubeconfig) }); err != nil {
		return err
	}
	return r.observe.phase(r.remote.Name, PhaseRevoke, func() (string, error) { return r.revoke(ctx) })
}

// preflight reads the registration and checks that the connection leads to its cluster.
func (r *rotator) preflight(ctx context.Context) error {
	found, err := findRegistration(ctx, r.management, r.opts.Namespace, r.opts.Cluster)
	if err != nil {
		return err
	}
	r.member = found.member
	if r.secret = found.secret; r.secret == nil {
		return found.broken("Secret " + found.secretName + " does not exist")
	}
	text, err := secretText(r.secret, kube.KubeconfigSecretKey)
	if err != nil {
		return found.broken(err.Error())
	}
	if r.old, err = splitKubeconfig(text); err != nil {
		return found.broken(err.Error())
	}
	if err := r.management.CheckOwner("rotate the token of cluster "+r.opts.Cluster, r.secret, r.member.labels()); err != nil {
		return err
	}
	r.ttl = tokenLife(r.old.token)
	if r.opts.TokenTTL != nil {
		r.ttl = *r.opts.TokenTTL
	}
	if why := checkTokenTTL(r.ttl); why != "" {
		return &kube.Error{Action: "rotate the token of cluster " + r.opts.Cluster, Reason: kube.ReasonInvalid, Why: why, Hint: "correct --token-ttl"}
	}
	return found.confirm(ctx, r.remote)
}

func (r *rotator) newToken(ctx context.Context) (string, error) {
	m := r.member
	existing, err := m.listTokenSecrets(ctx, r.remote)
	if err != nil {
		return "", err
	}
	r.obsolete = existing
	if r.ttl > 0 {
		return RequestToken(ctx, r.remote, m.remoteNamespace, m.cluster, r.ttl)
	}
	next := 1
	for _, name := range existing {
		next = max(next, tokenSecretNumber(m.cluster, name)+1)
	}
	name := m.tokenSecretName(next)
	results, err := r.journal.apply(ctx, r.remote, r.opts.RemoteKubeconfig, kube.ApplyOptions{Owner: m.labels()}, m.tokenSecret(name))
	r.result.Results = append(r.result.Results, results...)
	if err != nil {
		return "", err
	}
	return waitForToken(ctx, r.remote, m.remoteNamespace, name, r.opts.Wait)
}

// replace stores the new kubeconfig. If the response is lost, it finds out whether the
// kubeconfig was stored, because the new token must be kept then.
func (r *rotator) replace(ctx context.Context, kubeconfig []byte) error {
	desired := r.member.kubeconfigSecret(kubeconfig)
	desired.SetName(r.secret.GetName())
	result := kube.Apply(ctx, r.management, []*unstructured.Unstructured{desired}, kube.ApplyOptions{Owner: r.member.labels(), Force: true})[0]
	if result.Err == nil {
		r.result.Results = append(r.result.Results, result)
		r.journal.entries = nil
		return nil
	}
	if !isLost(result.Err) {
		return result.Err
	}
	again, stop := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
	defer stop()
	stored, err := kube.Get(again, r.management, kube.ObjectKey{GVK: desired.GroupVersionKind(), Namespace: desired.GetNamespace(), Name: desired.GetName()})
	if err == nil {
		text, _ := secretText(stored, kube.KubeconfigSecretKey)
		if text != string(kubeconfig) {
			return result.Err
		}
		r.journal.entries = nil
		return ctx.Err()
	}
	// Keep both tokens: it is not known which one is stored.
	r.journal.entries = nil
	return fmt.Errorf("%w; both tokens stay valid because storing the new one may have failed: rotate again", result.Err)
}

// revoke deletes the Secrets of the old tokens.
func (r *rotator) revoke(ctx context.Context) (string, error) {
	m := r.member
	var leftovers []Leftover
	var cause *kube.Error
	for _, name := range r.obsolete {
		key := kube.ObjectKey{GVK: m.tokenSecret(name).GroupVersionKind(), Namespace: m.remoteNamespace, Name: name}
		result := kube.Delete(ctx, r.remote, key, kube.DeleteOptions{Owner: m.labels()})
		if result.Err != nil {
			cause = result.Err
			leftovers = append(leftovers, leftoverOf(r.remote, r.opts.RemoteKubeconfig, key))
			continue
		}
		r.result.Results = append(r.result.Results, result)
	}
	if cause != nil {
		return "", &IncompleteError{Err: fmt.Errorf("the new token is in use, but the old one was not revoked: %w", cause), Leftovers: leftovers}
	}
	if expires := TokenExpiry(r.old.token); expires != nil {
		r.result.OldExpires = expires
		return "the old token cannot be revoked; it expires at " + expires.Format(time.RFC3339), nil
	}
	return "", nil
}

// listTokenSecrets returns the names of the token Secrets of a registration on the cluster,
// oldest first.
func (m membership) listTokenSecrets(ctx context.Context, c *kube.Connection) ([]string, error) {
	selector := metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: m.labels()})
	found, err := kube.ListMetadata(ctx, c, secrets(), kube.ListOptions{Namespace: m.remoteNamespace, Labels: selector})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, secret := range found {
		if secret.DeletionTimestamp == nil && tokenSecretNumber(m.cluster, secret.Name) > 0 {
			names = append(names, secret.Name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return tokenSecretNumber(m.cluster, a) - tokenSecretNumber(m.cluster, b) })
	return names, nil
}

// tokenSecretNumber is the inverse of tokenSecretName; it returns 0 for other names.
func tokenSecretNumber(cluster, name string) int {
	rest, found := strings.CutPrefix(name, cluster+"-token")
	if found && rest == "" {
		return 1
	}
	n, err := strconv.Atoi(strings.TrimPrefix(rest, "-"))
	if !found || err != nil || n < 2 {
		return 0
	}
	return n
}

// kubeconfigParts are the parts of the kubeconfig of a registration.
type kubeconfigParts struct {
	cluster  string
	endpoint endpoint
	token    string
}

// splitKubeconfig parses the kubeconfig of a registration. Its errors do not quote the
// content.
func splitKubeconfig(text string) (kubeconfigParts, error) {
	raw, err := clientcmd.Load([]byte(text))
	if err != nil {
		return kubeconfigParts{}, errors.New("it is not a kubeconfig")
	}
	context := raw.Contexts[raw.CurrentContext]
	if context == nil {
		return kubeconfigParts{}, errors.New("it has no current context")
	}
	if why := kube.UnsafeKubeconfig(raw, context); why != "" {
		return kubeconfigParts{}, errors.New(why)
	}
	cluster := raw.Clusters[context.Cluster]
	return kubeconfigParts{
		cluster: raw.CurrentContext,
		endpoint: endpoint{
			server: cluster.Server, ca: cluster.CertificateAuthorityData, insecure: cluster.InsecureSkipTLSVerify,
			tlsServerName: cluster.TLSServerName, proxy: cluster.ProxyURL,
		},
		token: raw.AuthInfos[context.AuthInfo].Token,
	}, nil
}

// withToken returns the kubeconfig with another token.
func (k kubeconfigParts) withToken(token string) ([]byte, error) {
	return k.endpoint.kubeconfig(k.cluster, token)
}
