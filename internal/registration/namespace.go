package registration

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/kube"
)

// ensureNamespace makes a namespace with the given labels unless it exists, and
// notes it if so. A namespace that is being deleted is waited for.
func (j *journal) ensureNamespace(ctx context.Context, c *kube.Connection, kubeconfig, name string, labels map[string]string, limit time.Duration) (kube.Result, error) {
	result := kube.Result{GVK: kube.NamespaceKind(), Name: name, Cluster: c.Name, Outcome: kube.Unchanged}
	client, err := c.Dynamic()
	if err != nil {
		return result, err
	}
	err = c.Await(ctx, limit, "use Namespace "+name, "it is still being deleted", "check its finalizers, or try again later", func(ctx context.Context) (bool, error) {
		namespace, err := client.Resource(kube.Namespaces()).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return err == nil && namespace.GetDeletionTimestamp() == nil, err
	})
	if err != nil {
		return result, err
	}
	created, err := kube.EnsureNamespace(ctx, c, name, labels, kube.DryRunNone)
	if e := c.Translate("create Namespace "+name, err); created || e != nil && isLost(e) {
		// Only one with our labels is ever taken back.
		j.entries = append(j.entries, journalEntry{c, kubeconfig, kube.ObjectKey{GVK: kube.NamespaceKind(), Name: name}, labels})
	}
	if created {
		result.Outcome = kube.Created
	}
	return result, err
}
