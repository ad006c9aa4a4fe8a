package registration

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// Plan holds the objects of a registration in the form in which a GitOps tool would apply
// them. It contains no credentials.
type Plan struct {
	// Remote are the objects for the cluster to register, Management those for the management
	// cluster, each in the order of writing.
	Remote, Management []*unstructured.Unstructured
}

// PlanRegistration returns the objects that Register would write, and writes nothing. It
// returns an error if Register could not succeed. Unless strict is set, missing permissions
// and CRDs are only warnings.
//
// The token does not exist before the cluster has created it. In its place, the kubeconfig
// says where to find it.
func PlanRegistration(ctx context.Context, management, remote *kube.Connection, opts RegisterOptions, strict bool, observe Observer) (*Plan, error) {
	r := newRegistrar(management, remote, opts, observe)
	err := observe.phase(opts.Cluster, PhasePreflight, func() (string, error) {
		if strict {
			return r.preflight(ctx)
		}
		if err := r.prepare(ctx); err != nil {
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
		return nil, adviseAdministrator(management, remote, opts.Namespace, err, kube.ViewRole, kube.AdminRole)
	}
	return r.plan()
}

// unlessForbidden turns a forbidden error into a warning.
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
