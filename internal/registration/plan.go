package registration

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// Plan holds the objects of a registration, as a tool that keeps clusters in
// line with a repository would apply them. There are no credentials among them.
type Plan struct {
	// Remote belongs on the cluster to register, Management on the management
	// cluster; each in the order of writing.
	Remote, Management []*unstructured.Unstructured
}

// PlanRegistration returns what Register would write, and writes nothing. What
// would keep Register from working is an error if strict is set; otherwise, what
// is only missing so far is a warning: permissions, the definitions of
// resources.
//
// The token exists only once the cluster has made it: in its place, the
// kubeconfig says where it will be.
func PlanRegistration(ctx context.Context, management, remote *kube.Connection, opts RegisterOptions, strict bool, observe Observer) (*Plan, error) {
	r := newRegistrar(management, remote, opts, observe)
	err := observe.phase(opts.Cluster, PhasePreflight, func() (string, error) {
		if strict {
			return r.preflight(ctx)
		}
		if err := r.begin(ctx); err != nil {
			return "", err
		}
		for _, check := range []func(context.Context) error{r.checkDefinitions, r.checkManagementPermissions, r.checkRemotePermissions} {
			if err := check(ctx); err != nil {
				observe.warn(opts.Cluster, PhasePreflight, err.Error())
			}
		}
		return fmt.Sprintf("Kubernetes %s at %s", r.result.Version, r.endpoint.server),
			errors.Join(r.unlessForbidden(r.checkName(ctx)), r.unlessForbidden(r.checkDuplicate(ctx)), r.checkAdoption(ctx))
	})
	if err != nil {
		return nil, err
	}
	return r.plan()
}

// unlessForbidden turns the error of a question that the user may not ask into
// a warning.
func (r *registrar) unlessForbidden(err error) error {
	if kube.IsReason(err, kube.ReasonForbidden) {
		r.observe.warn(r.opts.Cluster, PhasePreflight, err.Error())
		return nil
	}
	return err
}

func (r *registrar) plan() (*Plan, error) {
	m := r.member
	where := fmt.Sprintf("ServiceAccount %s in %s", m.cluster, m.remoteNamespace)
	plan := &Plan{Remote: []*unstructured.Unstructured{
		newNamespace(m.remoteNamespace, m.remoteNamespaceLabels()), m.clusterRole(), m.serviceAccount(""), m.clusterRoleBinding(""),
	}}
	if *r.opts.TokenTTL == 0 {
		secret := m.tokenSecret(m.tokenSecretName(1))
		plan.Remote = append(plan.Remote, secret)
		where = fmt.Sprintf("Secret %s in %s", secret.GetName(), m.remoteNamespace)
	}
	kubeconfig, err := r.endpoint.kubeconfig(m.cluster, "<token of "+where+" on the cluster>")
	if err != nil {
		return nil, err
	}
	secret := m.kubeconfigSecret(nil)
	delete(secret.Object, "data")
	secret.Object["stringData"] = map[string]any{kube.KubeconfigSecretKey: string(kubeconfig)}
	namespace := newNamespace(m.namespace, maps.Clone(kube.OwnLabels()))
	plan.Management = []*unstructured.Unstructured{namespace, secret, m.kubernetesCluster()}
	return plan, nil
}
