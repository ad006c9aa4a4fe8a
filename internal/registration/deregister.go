package registration

import (
	"context"
	"errors"
	"fmt"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
)

// DeregisterOptions say how to deregister a cluster.
type DeregisterOptions struct {
	// Cluster is the name that the cluster is registered under, Namespace that of
	// its registration.
	Cluster, Namespace string
	// Force goes on if the cluster cannot be reached or refuses.
	Force bool
	// Wait bounds each wait; DefaultWait if 0.
	Wait time.Duration
	// Kubeconfig and RemoteKubeconfig are the files that the user named, for the
	// commands that are shown.
	Kubeconfig, RemoteKubeconfig string
	// Connection is for the connection with the registered credentials.
	Connection kube.Options
}

// Deregistration is what deregistering came to.
type Deregistration struct {
	Cluster string
	// Results are the objects that were deleted, on both sides.
	Results []kube.Result
	// Leftovers are on the cluster; some of them on purpose.
	Leftovers []Leftover
}

// Run takes meshctl's access to the cluster away, and forgets the cluster: what
// was discovered there, too. It deletes only what carries the labels of this
// registration, never definitions of resources or policies, and no configuration
// that was applied to the cluster: that is among the leftovers. Repeating it
// finishes what an earlier run began.
func (p *DeregistrationPlan) Run(ctx context.Context) (*Deregistration, error) {
	d := p.deregistrar
	d.noteApplied(p)
	err := d.observe.phase(d.opts.Cluster, PhaseMember, func() (string, error) { return "", d.withdraw(ctx) })
	if err != nil && (!d.opts.Force || ctx.Err() != nil) {
		return nil, adviseForce(err)
	}
	if err != nil {
		d.observe.warn(d.opts.Cluster, PhaseMember, err.Error())
	}
	if err := d.observe.phase(d.management.Name, PhaseForget, func() (string, error) { return d.forget(ctx) }); err != nil {
		return nil, err
	}
	return &d.result, nil
}

type deregistrar struct {
	management, remote *kube.Connection
	opts               DeregisterOptions
	observe            Observer

	found *registered
	// member leads to the cluster, as remote or with the registered credentials;
	// memberErr is why it does not.
	member    *kube.Connection
	memberErr error
	result    Deregistration
}

func adviseForce(err error) error {
	if isDead(err) {
		return fmt.Errorf("%w; if the cluster no longer exists, add --force", err)
	}
	return err
}

func isDead(err error) bool {
	var e *kube.Error
	return errors.As(err, &e) && (e.WholeCluster() || e.Reason == kube.ReasonForbidden || e.Reason == kube.ReasonUnusable)
}

// findHalf returns a registration of which only the cluster knows, nil if there
// is none.
func (d *deregistrar) findHalf(ctx context.Context) *registered {
	uid, err := d.management.UID(ctx)
	if err != nil {
		return nil
	}
	half := &registered{management: d.management, secretName: d.opts.Cluster, member: membership{
		cluster: d.opts.Cluster, namespace: d.opts.Namespace, remoteNamespace: d.opts.Namespace, managementUID: uid,
	}}
	role := half.member.clusterRole()
	object, err := kube.Get(ctx, d.remote, kube.ObjectKey{GVK: role.GroupVersionKind(), Name: role.GetName()})
	if err != nil || !kube.IsOwned(object, half.member.labels()) {
		return nil
	}
	return half
}

// withdraw removes what registration made on the cluster.
func (d *deregistrar) withdraw(ctx context.Context) error {
	if d.remote != nil {
		return d.withdrawAs(ctx, d.remote)
	}
	err := d.memberErr
	if err == nil {
		err = d.withdrawItself(ctx, d.member)
	}
	if errors.Is(err, kube.ErrForeign) {
		d.observe.warn(d.opts.Cluster, PhaseMember, "the cluster is now registered with another management cluster, which keeps its objects")
		d.result.Leftovers = nil
		return nil
	}
	if err != nil {
		// Nobody says where the cluster is; the user will know.
		d.leave(&kube.Connection{Name: d.opts.Cluster}, d.memberObjects(nil)...)
	}
	return err
}

func (d *deregistrar) registeredConnection() (*kube.Connection, error) {
	if d.found.secret == nil {
		return nil, d.found.broken("Secret " + d.found.secretName + " does not exist")
	}
	text, err := secretText(d.found.secret, kube.KubeconfigSecretKey)
	if err != nil {
		return nil, d.found.broken(err.Error())
	}
	connection, err := kube.FromKubeconfig(d.opts.Cluster, []byte(text), d.opts.Connection)
	if err != nil {
		return nil, err
	}
	return connection, nil
}

// withdrawAs removes everything, one after the other.
func (d *deregistrar) withdrawAs(ctx context.Context, c *kube.Connection) error {
	m := d.found.member
	tokens, err := m.listTokenSecrets(ctx, c)
	if err != nil {
		d.leave(c, d.memberObjects(nil)...)
		return err
	}
	var failed *kube.Error
	objects := d.memberObjects(tokens)
	for i, key := range objects {
		result := kube.Delete(ctx, c, key, kube.DeleteOptions{Owner: m.labels()})
		if result.Err == nil {
			d.result.Results = append(d.result.Results, result)
			continue
		}
		failed = result.Err
		if failed.WholeCluster() {
			d.leave(c, objects[i:]...)
			return failed
		}
		if !errors.Is(failed, kube.ErrForeign) {
			d.leave(c, key)
		}
	}
	if failed != nil && !errors.Is(failed, kube.ErrForeign) {
		return failed
	}
	return d.withdrawNamespace(ctx, c)
}

// withdrawNamespace deletes the namespace if registration made it and nothing
// is in it.
func (d *deregistrar) withdrawNamespace(ctx context.Context, c *kube.Connection) error {
	key := kube.ObjectKey{GVK: kube.NamespaceKind(), Name: d.found.member.remoteNamespace}
	var removed bool
	// What was just deleted may take a moment to be gone.
	err := c.Await(ctx, d.opts.Wait, "delete Namespace "+key.Name, "it is in use", "", func(ctx context.Context) (bool, error) {
		namespace, err := kube.Get(ctx, c, key)
		if kube.IsReason(err, kube.ReasonNotFound) || err == nil && !kube.IsOwned(namespace, d.found.member.labels()) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		removed, err = kube.DeleteNamespaceIfEmpty(ctx, c, key.Name, d.found.member.labels())
		return true, err
	})
	if err != nil {
		d.leave(c, key)
		return err
	}
	if removed {
		d.result.Results = append(d.result.Results, kube.Result{GVK: key.GVK, Name: key.Name, Cluster: c.Name, Outcome: kube.Deleted})
	}
	return nil
}

// withdrawItself deletes the ClusterRole with the credentials that it gives
// permissions to. Kubernetes then removes the rest, which the role owns; the
// namespace stays.
func (d *deregistrar) withdrawItself(ctx context.Context, c *kube.Connection) error {
	m := d.found.member
	namespace, err := kube.Get(ctx, c, kube.ObjectKey{GVK: kube.NamespaceKind(), Name: m.remoteNamespace})
	if err != nil && !kube.IsReason(err, kube.ReasonNotFound) {
		return err
	}
	role := m.clusterRole()
	result := kube.Delete(ctx, c, kube.ObjectKey{GVK: role.GroupVersionKind(), Name: role.GetName()}, kube.DeleteOptions{Owner: m.labels()})
	if result.Err != nil {
		return result.Err
	}
	d.result.Results = append(d.result.Results, result)
	if namespace != nil && kube.IsOwned(namespace, m.labels()) {
		d.leave(&kube.Connection{Name: c.Name}, kube.ObjectKey{GVK: kube.NamespaceKind(), Name: m.remoteNamespace})
	}
	return nil
}

// memberObjects returns what registration makes on a cluster, in the order in
// which to delete it.
func (d *deregistrar) memberObjects(tokenSecrets []string) []kube.ObjectKey {
	m := d.found.member
	rbac := rbacv1.SchemeGroupVersion
	var keys []kube.ObjectKey
	if tokenSecrets == nil {
		tokenSecrets = []string{m.tokenSecretName(1)}
	}
	keys = append(keys, kube.ObjectKey{GVK: rbac.WithKind("ClusterRoleBinding"), Name: m.roleName()})
	for _, name := range tokenSecrets {
		keys = append(keys, kube.ObjectKey{GVK: kube.SecretKind(), Namespace: m.remoteNamespace, Name: name})
	}
	return append(keys,
		kube.ObjectKey{GVK: schema.GroupVersionKind{Version: "v1", Kind: "ServiceAccount"}, Namespace: m.remoteNamespace, Name: m.cluster},
		kube.ObjectKey{GVK: rbac.WithKind("ClusterRole"), Name: m.roleName()})
}

// leave notes objects that stay on the cluster.
func (d *deregistrar) leave(c *kube.Connection, keys ...kube.ObjectKey) {
	for _, key := range keys {
		d.result.Leftovers = append(d.result.Leftovers, leftoverOf(c, d.opts.RemoteKubeconfig, key))
	}
}
