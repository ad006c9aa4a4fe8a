package registration

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/kube"
)

// ensureNamespace creates a namespace with the given labels and records it, unless it exists.
// If it is being deleted, ensureNamespace waits for that.
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
		// A rollback only deletes a namespace with our labels.
		j.entries = append(j.entries, journalEntry{c, kubeconfig, kube.ObjectKey{GVK: kube.NamespaceKind(), Name: name}, labels})
	}
	if created {
		result.Outcome = kube.Created
	}
	return result, err
}
