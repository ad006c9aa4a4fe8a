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

// RegisterOptions say how to register a cluster. What is left open stays as an
// earlier registration of the cluster has it.
type RegisterOptions struct {
	// Cluster is the name to register it under.
	Cluster string
	// Namespace is that of the registration on the management cluster.
	Namespace string
	// RemoteNamespace is that of the service account on the cluster; if left open,
	// Namespace.
	RemoteNamespace string
	// ClusterDomain is the DNS domain of the cluster; if left open,
	// DefaultClusterDomain.
	ClusterDomain string
	// Access is what the credentials may do; if left open, AccessFull.
	Access Access
	// APIServerAddress is where others reach the cluster, as HOST, HOST:PORT or an
	// https URL; if left open, where the user does.
	APIServerAddress string
	// InsecureSkipTLSVerify accepts any certificate of the API server.
	InsecureSkipTLSVerify bool
	// TokenTTL makes the token expire; 0 is for one that does not, and so is nil,
	// left open.
	TokenTTL *time.Duration
	// Adopt takes over what a registration of the same name with another
	// management cluster left, and fields that others own.
	Adopt bool
	// Wait bounds each wait; DefaultWait if 0.
	Wait time.Duration
	// Kubeconfig and RemoteKubeconfig are the files that the user named, for the
	// commands that errors show.
	Kubeconfig, RemoteKubeconfig string
	// Connection is for the connection with the new credentials.
	Connection kube.Options
}

// Registration is what registering came to.
type Registration struct {
	Cluster string
	// Server is the address of the API server in the registration, Version that of
	// the cluster, UID what identifies it.
	Server, Version, UID string
	// Results are the objects on both sides, in the order of writing.
	Results []kube.Result
	// Expires is when the token does; nil for never.
	Expires *time.Time
}

// Register gives meshctl access to a cluster: it makes a service account on it
// with no more permissions than needed, tries the credentials, and records them
// on the management cluster (semantics 8.1 and D43).
//
// It may be repeated: what is there already stays, and what is missing is
// added. If it fails or is cancelled, what this run made is deleted; if that
// cannot be done, the error is an *IncompleteError.
func Register(ctx context.Context, management, remote *kube.Connection, opts RegisterOptions, observe Observer) (*Registration, error) {
	r := newRegistrar(management, remote, opts, observe)
	if err := r.run(ctx); err != nil {
		return nil, r.journal.takeBack(ctx, observe, err)
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
	// roleUID is that of the ClusterRole on the cluster.
	roleUID types.UID
	// kubeconfig holds the new credentials.
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

// dropTokenSecrets revokes tokens that do not expire once one that does is in
// use. The registration is complete by then.
func (r *registrar) dropTokenSecrets(ctx context.Context) {
	if *r.opts.TokenTTL == 0 {
		return
	}
	names, err := r.member.listTokenSecrets(ctx, r.remote)
	if err != nil {
		return // whoever may not list Secrets has made none
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

// remoteApply and managementApply say how to write to either side: nothing that
// belongs to someone else is touched.
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

// makeAccount makes who will act on the cluster, and says what it may do.
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

// makeCredentials gets a token and makes a kubeconfig of it.
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
	// Repeating a registration keeps the token that the last rotation made.
	name, err := r.currentTokenSecret(ctx)
	if err != nil {
		return "", err
	}
	if _, err := r.applyRemote(ctx, r.member.tokenSecret(name)); err != nil {
		return "", err
	}
	return waitForToken(ctx, r.remote, r.member.remoteNamespace, name, r.opts.Wait)
}

// currentTokenSecret returns the name of the newest token Secret, that of a
// first one if there is none.
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

// verify connects the way that everyone will from now on.
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

// explainVerification adds what a registration can do about an address that
// does not work.
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

// record writes down the registration on the management cluster.
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
	// Controllers may have written a status; what registration knows is newer.
	opts.Status, opts.Force = true, true
	_, err = r.journal.apply(ctx, r.management, r.opts.Kubeconfig, opts, r.member.kubernetesClusterStatus())
	return err
}

// check refuses what cannot be registered whatever the clusters hold.
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

// CheckClusterName says why a cluster cannot have the name, empty if it can:
// names of objects are made with it, in which a dot would end it.
func CheckClusterName(name string) string {
	// The names of objects and labels that hold it need room for more.
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
