package kube

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// EnsureNamespace creates a namespace with the given labels if it does not exist,
// and reports whether it did. An existing one is not changed. A dry run writes
// nothing.
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
		// Another client created it first.
		return false, nil
	}
	if err != nil {
		return false, c.Explain(action, err)
	}
	return true, nil
}

// CheckNamespace returns an error if a namespace does not exist. If the
// credentials do not allow reading it, it returns nil.
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
