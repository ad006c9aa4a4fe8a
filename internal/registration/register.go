package registration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/kube"
)

// RegisterOptions configure the registration of a cluster. Options left open keep the value of
// an earlier registration.
type RegisterOptions struct {
	// Cluster is the name of the cluster.
	Cluster string
	// Namespace is the namespace of the registration in the management cluster.
	Namespace string
	// RemoteNamespace is the namespace of the service account in the cluster; Namespace if left
	// open.
	RemoteNamespace string
	// ClusterDomain is the DNS domain of the cluster; DefaultClusterDomain if left open.
	ClusterDomain string
	// Access is the access of the credentials; AccessFull if left open.
	Access Access
	// APIServerAddress is the address at which others reach the cluster, as HOST, HOST:PORT or
	// an https URL; if left open, the address of the user's connection.
	APIServerAddress string
	// InsecureSkipTLSVerify disables the verification of the API server's certificate.
	InsecureSkipTLSVerify bool
	// TokenTTL is the lifetime of the token; 0 means that it does not expire. nil leaves it
	// open, with 0 as the default.
	TokenTTL *time.Duration
	// Adopt takes over the objects of a registration with another management cluster under the
	// same name, and fields that other managers own.
	Adopt bool
	// Wait limits each wait; DefaultWait if 0.
	Wait time.Duration
	// Kubeconfig and RemoteKubeconfig are the files that the user specified. They are part of
	// the commands in errors.
	Kubeconfig, RemoteKubeconfig string
	// Connection configures the connection with the new credentials.
	Connection kube.Options
}

// Registration is the result of registering a cluster.
type Registration struct {
	Cluster string
	// Server is the address of the API server in the registration, Version the Kubernetes
	// version of the cluster, UID its unique ID.
	Server, Version, UID string
	// Results are the objects in both clusters, in the order of writing.
	Results []kube.Result
	// Expires is when the token expires; nil for never.
	Expires *time.Time
}

// Register gives meshctl access to a cluster. It creates a service account with minimal
// permissions there, verifies the credentials, and stores them in the management cluster
// (D43).
//
// It may be repeated: existing objects stay, and missing ones are added. If it fails or is
// cancelled, it deletes what this run created; if that is not possible, the error is an
// *IncompleteError.
func Register(ctx context.Context, management, remote *kube.Connection, opts RegisterOptions, observe Observer) (*Registration, error) {
	r := newRegistrar(management, remote, opts, observe)
	if err := r.run(ctx); err != nil {
		return nil, r.journal.rollBack(ctx, observe, adviseAdministrator(management, remote, opts.Namespace, err, kube.ViewRole, kube.AdminRole))
	}
	return &r.result, nil
}

// registrar is the state of one registration.
type registrar struct {
	management, remote *kube.Connection
	opts               RegisterOptions
	observe            Observer

	member   membership
	endpoint endpoint
	journal  journal
	result   Registration
	// roleUID is the UID of the ClusterRole in the cluster.
	roleUID types.UID
	// kubeconfig contains the new credentials.
	kubeconfig []byte
}

func newRegistrar(management, remote *kube.Connection, opts RegisterOptions, observe Observer) *registrar {
	return &registrar{
		management: management, remote: remote, opts: opts, observe: observe,
		member: membership{cluster: opts.Cluster, namespace: opts.Namespace},
		result: Registration{Cluster: opts.Cluster},
	}
}

func (r *registrar) run(ctx context.Context) error {
	if err := r.observe.phase(r.opts.Cluster, PhasePreflight, func() (string, error) { return r.preflight(ctx) }); err != nil {
		return err
	}
	if err := r.observe.phase(r.remote.Name, PhaseAccount, func() (string, error) { return "", r.makeAccount(ctx) }); err != nil {
		return err
	}
	if err := r.observe.phase(r.remote.Name, PhaseToken, func() (string, error) { return r.makeCredentials(ctx) }); err != nil {
		return err
	}
	if err := r.observe.phase(r.remote.Name, PhaseVerify, func() (string, error) { return r.verify(ctx) }); err != nil {
		return err
	}
	if err := r.observe.phase(r.management.Name, PhaseRecord, func() (string, error) { return "", r.record(ctx) }); err != nil {
		return err
	}
	r.dropTokenSecrets(ctx)
	return nil
}

// dropTokenSecrets revokes non-expiring tokens once an expiring one is in use. The
// registration is already complete, so failures are only warnings.
func (r *registrar) dropTokenSecrets(ctx context.Context) {
	if *r.opts.TokenTTL == 0 {
		return
	}
	names, err := r.member.listTokenSecrets(ctx, r.remote)
	if err != nil {
		return // without permission to list Secrets, the user has not created any
	}
	for _, name := range names {
		key := kube.ObjectKey{GVK: kube.SecretKind(), Namespace: r.member.remoteNamespace, Name: name}
		result := kube.Delete(ctx, r.remote, key, kube.DeleteOptions{Owner: r.member.labels()})
		if result.Err != nil {
			r.observe.warn(r.opts.Cluster, PhaseRevoke, fmt.Sprintf("the earlier token in Secret %s does not expire and still works: %v", name, result.Err))
			continue
		}
		r.result.Results = append(r.result.Results, result)
	}
}

// remoteApply returns the options for writing to both clusters. Objects of others are not
// changed.
func (r *registrar) remoteApply() kube.ApplyOptions {
	return kube.ApplyOptions{Owner: r.owner(), Force: r.opts.Adopt}
}

func (r *registrar) owner() map[string]string {
	owner := r.member.labels()
	if r.opts.Adopt {
		delete(owner, ManagementLabel)
	}
	return owner
}

// makeAccount creates the service account and its permissions.
func (r *registrar) makeAccount(ctx context.Context) error {
	namespace, err := r.journal.ensureNamespace(ctx, r.remote, r.opts.RemoteKubeconfig, r.member.remoteNamespace, r.member.remoteNamespaceLabels(), r.opts.Wait)
	if err != nil {
		return err
	}
	r.result.Results = append(r.result.Results, namespace)
	role, err := r.applyRemote(ctx, r.member.clusterRole())
	if err != nil {
		return err
	}
	r.roleUID = role.Object.GetUID()
	for _, object := range []*unstructured.Unstructured{r.member.serviceAccount(r.roleUID), r.member.clusterRoleBinding(r.roleUID)} {
		if _, err := r.applyRemote(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

func (r *registrar) applyRemote(ctx context.Context, object *unstructured.Unstructured) (kube.Result, error) {
	results, err := r.journal.apply(ctx, r.remote, r.opts.RemoteKubeconfig, r.remoteApply(), object)
	r.result.Results = append(r.result.Results, results...)
	if err != nil {
		return kube.Result{}, err
	}
	return results[0], nil
}

// makeCredentials obtains a token and creates a kubeconfig with it.
func (r *registrar) makeCredentials(ctx context.Context) (string, error) {
	token, err := r.getToken(ctx)
	if err != nil {
		return "", err
	}
	if r.kubeconfig, err = r.endpoint.kubeconfig(r.opts.Cluster, token); err != nil {
		return "", err
	}
	r.result.Expires = TokenExpiry(token)
	return expiryText(r.result.Expires), nil
}

func (r *registrar) getToken(ctx context.Context) (string, error) {
	if ttl := *r.opts.TokenTTL; ttl > 0 {
		return RequestToken(ctx, r.remote, r.member.remoteNamespace, r.opts.Cluster, ttl)
	}
	// Repeating a registration keeps the token of the last rotation.
	name, err := r.currentTokenSecret(ctx)
	if err != nil {
		return "", err
	}
	if _, err := r.applyRemote(ctx, r.member.tokenSecret(name)); err != nil {
		return "", err
	}
	return waitForToken(ctx, r.remote, r.member.remoteNamespace, name, r.opts.Wait)
}

// currentTokenSecret returns the name of the newest token Secret, or that of the first one if
// there is none.
func (r *registrar) currentTokenSecret(ctx context.Context) (string, error) {
	existing, err := r.member.listTokenSecrets(ctx, r.remote)
	if err != nil || len(existing) == 0 {
		return r.member.tokenSecretName(1), err
	}
	return existing[len(existing)-1], nil
}

func expiryText(expires *time.Time) string {
	if expires == nil {
		return "the token does not expire"
	}
	return "the token expires at " + expires.Format(time.RFC3339)
}

// verify connects with the new credentials, as later commands will.
func (r *registrar) verify(ctx context.Context) (string, error) {
	connection, err := kube.FromKubeconfig(r.opts.Cluster, r.kubeconfig, r.opts.Connection)
	if err != nil {
		return "", err
	}
	if err := verify(ctx, connection, r.member.remoteUID, r.opts.Wait); err != nil {
		return "", explainVerification(err, r.opts)
	}
	r.result.Server = connection.Server()
	return connection.Server(), nil
}

// explainVerification adds the relevant options to errors about the address.
func explainVerification(err error, opts RegisterOptions) error {
	switch {
	case kube.IsReason(err, kube.ReasonUntrusted) && opts.APIServerAddress != "":
		return fmt.Errorf("%w; use an address in the certificate of the API server, or pass --insecure-skip-tls-verify", err)
	case kube.IsReason(err, kube.ReasonUnreachable), kube.IsReason(err, kube.ReasonUnknownHost), kube.IsReason(err, kube.ReasonUntrusted):
		return fmt.Errorf("%w; use --api-server-address for another address", err)
	default:
		return err
	}
}

// record stores the registration in the management cluster.
func (r *registrar) record(ctx context.Context) error {
	namespace, err := r.journal.ensureNamespace(ctx, r.management, r.opts.Kubeconfig, r.member.namespace, kube.OwnLabels(), r.opts.Wait)
	if err != nil {
		return err
	}
	r.result.Results = append(r.result.Results, namespace)
	opts := r.remoteApply()
	results, err := r.journal.apply(ctx, r.management, r.opts.Kubeconfig, opts,
		r.member.kubeconfigSecret(r.kubeconfig), r.member.kubernetesCluster())
	r.result.Results = append(r.result.Results, results...)
	if err != nil {
		return err
	}
	// Overwrite a status of other controllers: the registration is more recent.
	opts.Status, opts.Force = true, true
	_, err = r.journal.apply(ctx, r.management, r.opts.Kubeconfig, opts, r.member.kubernetesClusterStatus())
	return err
}

// check returns an error for options that can never succeed.
func (o RegisterOptions) check() error {
	fail := func(why, hint string) error {
		return &kube.Error{Action: "register cluster " + o.Cluster, Reason: kube.ReasonInvalid, Why: why, Hint: hint}
	}
	if why := CheckClusterName(o.Cluster); why != "" {
		return fail(why, "choose another name")
	}
	for _, namespace := range []string{o.Namespace, o.RemoteNamespace} {
		if faults := validation.IsDNS1123Label(namespace); namespace != "" && len(faults) > 0 {
			return fail(fmt.Sprintf("%q is not a valid namespace: %s", namespace, faults[0]), "choose another namespace")
		}
	}
	if faults := validation.IsDNS1123Subdomain(o.ClusterDomain); o.ClusterDomain != "" && len(faults) > 0 {
		return fail(fmt.Sprintf("%q is not a DNS domain: %s", o.ClusterDomain, faults[0]), "correct --cluster-domain")
	}
	if o.TokenTTL != nil {
		if why := checkTokenTTL(*o.TokenTTL); why != "" {
			return fail(why, "correct --token-ttl")
		}
	}
	return nil
}

// CheckClusterName returns why a name is not valid for a cluster, empty if it is valid. Dots
// are not allowed because they separate the cluster from other parts in the names of objects.
func CheckClusterName(name string) string {
	// Names of objects and labels that contain it need room for more.
	const longest = 50
	switch faults := validation.IsDNS1123Label(name); {
	case name == "":
		return "the name of the cluster is empty"
	case strings.Contains(name, "."):
		return "the name of a cluster must not contain dots"
	case len(faults) > 0:
		return fmt.Sprintf("invalid cluster name %q: %s", name, faults[0])
	case len(name) > longest:
		return fmt.Sprintf("the name of a cluster must have at most %d characters, got %d", longest, len(name))
	default:
		return ""
	}
}
