package kube

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// EnsureNamespace makes a namespace with the given labels if it does not exist,
// and says whether it did. One that exists is left as it is, labels included. A
// dry run writes nothing.
func EnsureNamespace(ctx context.Context, c *Connection, name string, labels map[string]string, dryRun DryRun) (bool, error) {
	client, err := c.Dynamic()
	if err != nil {
		return false, err
	}
	target := client.Resource(Namespaces())
	action := "create Namespace " + name
	_, err = target.Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return false, c.Explain("read Namespace "+name, err)
	}
	namespace := &unstructured.Unstructured{}
	namespace.SetAPIVersion("v1")
	namespace.SetKind("Namespace")
	namespace.SetName(name)
	namespace.SetLabels(labels)
	options := metav1.CreateOptions{FieldManager: DefaultFieldManager}
	if dryRun == DryRunServer {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = target.Create(ctx, namespace, options)
	if apierrors.IsAlreadyExists(err) {
		// Someone else was faster.
		return false, nil
	}
	if err != nil {
		return false, c.Explain(action, err)
	}
	return true, nil
}

// CheckNamespace makes sure that a namespace exists, as far as one may know.
func CheckNamespace(ctx context.Context, c *Connection, name string) error {
	client, err := c.Metadata()
	if err != nil {
		return err
	}
	action := "find Namespace " + name
	_, err = client.Resource(Namespaces()).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsForbidden(err):
		return nil
	case apierrors.IsNotFound(err):
		return &Error{
			Cluster: c.Name, Action: action, Reason: ReasonNotFound, Why: "it does not exist",
			Hint: "run 'meshctl install', or name another one with --namespace", cause: err,
		}
	default:
		return c.Explain(action, err)
	}
}
