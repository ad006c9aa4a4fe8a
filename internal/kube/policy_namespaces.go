package kube

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PolicyNamespacesAnnotation is on the namespace of meshctl's resources and lists,
// separated by commas, the other namespaces from which resources take effect. Only
// administrators can write it: namespaces are objects of the whole cluster.
const PolicyNamespacesAnnotation = "meshctl.io/policy-namespaces"

// ReadPolicyNamespaces returns the namespaces that the annotation of a namespace lists,
// sorted.
func ReadPolicyNamespaces(ctx context.Context, c *Connection, name string) ([]string, error) {
	client, err := c.Metadata()
	if err != nil {
		return nil, err
	}
	namespace, err := client.Resource(Namespaces()).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, c.Explain("read Namespace "+name, err)
	}
	listed := strings.FieldsFunc(namespace.Annotations[PolicyNamespacesAnnotation], func(r rune) bool { return r == ',' || r == ' ' })
	slices.Sort(listed)
	return slices.Compact(listed), nil
}
