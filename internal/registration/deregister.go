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

// DeregisterOptions configure the deregistration of a cluster.
type DeregisterOptions struct {
	// Cluster is the name of the registered cluster, Namespace the namespace of its
	// registration.
	Cluster, Namespace string
	// Force continues if the cluster is unreachable or rejects requests.
	Force bool
	// Wait limits each wait; DefaultWait if 0.
	Wait time.Duration
	// Kubeconfig and RemoteKubeconfig are the files that the user specified. They are part of
	// the commands in messages.
	Kubeconfig, RemoteKubeconfig string
	// Connection configures the connection with the registered credentials.
	Connection kube.Options
}

// Deregistration is the result of deregistering a cluster.
type Deregistration struct {
	Cluster string
	// Results are the deleted objects in both clusters.
	Results []kube.Result
	// Leftovers are the objects that remain on the cluster, some of them on purpose.
	Leftovers []Leftover
}

// Run revokes meshctl's access to the cluster and deletes its registration, including the
// objects discovered there. It deletes only objects with the labels of this registration,
// never CRDs or policies, and no configuration applied to the cluster, which becomes a
// leftover. Repeating Run completes an interrupted one. It returns an error if the cluster
// cannot be reached (unless opts.Force is set) or if the registration cannot be deleted.
func (p *DeregistrationPlan) Run(ctx context.Context) (*Deregistration, error) {
	d := p.deregistrar
	d.addAppliedLeftover(p)
	err := d.observe.phase(d.opts.Cluster, PhaseMember, func() (string, error) { return "", d.removeFromCluster(ctx) })
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
	// member is the connection to the cluster, either remote or with the registered credentials.
	// memberErr is why there is none.
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

// findIncomplete returns a registration that only exists on the cluster, nil if there is none.
func (d *deregistrar) findIncomplete(ctx context.Context) *registered {
	uid, err := d.management.UID(ctx)
	if err != nil {
		return nil
	}
	incomplete := &registered{management: d.management, secretName: d.opts.Cluster, member: membership{
		cluster: d.opts.Cluster, namespace: d.opts.Namespace, remoteNamespace: d.opts.Namespace, managementUID: uid,
	}}
	role := incomplete.member.clusterRole()
	object, err := kube.Get(ctx, d.remote, kube.ObjectKey{GVK: role.GroupVersionKind(), Name: role.GetName()})
	if err != nil || !kube.IsOwned(object, incomplete.member.labels()) {
		return nil
	}
	return incomplete
}

// removeFromCluster removes the objects of the registration from the cluster.
func (d *deregistrar) removeFromCluster(ctx context.Context) error {
	if d.remote != nil {
		return d.removeWithUserCredentials(ctx, d.remote)
	}
	err := d.memberErr
	if err == nil {
		err = d.removeWithOwnCredentials(ctx, d.member)
	}
	if errors.Is(err, kube.ErrForeign) {
		d.observe.warn(d.opts.Cluster, PhaseMember, "the cluster is now registered with another management cluster, which keeps its objects")
		d.result.Leftovers = nil
		return nil
	}
	if err != nil {
		// The address of the cluster is not known here, so the leftovers have no commands.
		d.addLeftovers(&kube.Connection{Name: d.opts.Cluster}, d.memberObjects(nil)...)
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

// removeWithUserCredentials removes the objects one by one, with the credentials of the user.
func (d *deregistrar) removeWithUserCredentials(ctx context.Context, c *kube.Connection) error {
	m := d.found.member
	tokens, err := m.listTokenSecrets(ctx, c)
	if err != nil {
		d.addLeftovers(c, d.memberObjects(nil)...)
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
			d.addLeftovers(c, objects[i:]...)
			return failed
		}
		if !errors.Is(failed, kube.ErrForeign) {
			d.addLeftovers(c, key)
		}
	}
	if failed != nil && !errors.Is(failed, kube.ErrForeign) {
		return failed
	}
	return d.removeRemoteNamespace(ctx, c)
}

// removeRemoteNamespace deletes the namespace if it is empty and was created by the registration.
func (d *deregistrar) removeRemoteNamespace(ctx context.Context, c *kube.Connection) error {
	key := kube.ObjectKey{GVK: kube.NamespaceKind(), Name: d.found.member.remoteNamespace}
	var removed bool
	// Objects deleted just now may still exist for a moment.
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
		d.addLeftovers(c, key)
		return err
	}
	if removed {
		d.result.Results = append(d.result.Results, kube.Result{GVK: key.GVK, Name: key.Name, Cluster: c.Name, Outcome: kube.Deleted})
	}
	return nil
}

// removeWithOwnCredentials deletes the ClusterRole, using the registered credentials to which it grants
// permissions. Kubernetes then deletes the other objects, which are owned by the role. The
// namespace remains.
func (d *deregistrar) removeWithOwnCredentials(ctx context.Context, c *kube.Connection) error {
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
		d.addLeftovers(&kube.Connection{Name: c.Name}, kube.ObjectKey{GVK: kube.NamespaceKind(), Name: m.remoteNamespace})
	}
	return nil
}

// memberObjects returns the objects of a registration on the cluster, in the order of
// deletion.
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

// addLeftovers records objects that remain on the cluster.
func (d *deregistrar) addLeftovers(c *kube.Connection, keys ...kube.ObjectKey) {
	for _, key := range keys {
		d.result.Leftovers = append(d.result.Leftovers, leftoverOf(c, d.opts.RemoteKubeconfig, key))
	}
}
