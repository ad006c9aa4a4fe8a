package kube

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// checkedDynamic is a dynamic client that verifies the kind of answers. The
// wrapped client accepts any object, so that a list of another kind would look
// empty.
type checkedDynamic struct{ dynamic.Interface }

// Resource implements dynamic.Interface.
func (d checkedDynamic) Resource(resource schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	inner := d.Interface.Resource(resource)
	return checkedResource{ResourceInterface: inner, inner: inner, resource: resource}
}

// checkedResource checks the answers for one resource.
type checkedResource struct {
	dynamic.ResourceInterface
	inner    dynamic.NamespaceableResourceInterface
	resource schema.GroupVersionResource
}

// Namespace implements dynamic.NamespaceableResourceInterface.
func (r checkedResource) Namespace(namespace string) dynamic.ResourceInterface {
	r.ResourceInterface = r.inner.Namespace(namespace)
	return r
}

// Create implements dynamic.ResourceInterface.
func (r checkedResource) Create(ctx context.Context, object *unstructured.Unstructured, opts metav1.CreateOptions, subresources ...string) (*unstructured.Unstructured, error) {
	answer, err := r.ResourceInterface.Create(ctx, object, opts, subresources...)
	return r.check(answer, err, subresources)
}

// Update implements dynamic.ResourceInterface.
func (r checkedResource) Update(ctx context.Context, object *unstructured.Unstructured, opts metav1.UpdateOptions, subresources ...string) (*unstructured.Unstructured, error) {
	answer, err := r.ResourceInterface.Update(ctx, object, opts, subresources...)
	return r.check(answer, err, subresources)
}

// UpdateStatus implements dynamic.ResourceInterface.
func (r checkedResource) UpdateStatus(ctx context.Context, object *unstructured.Unstructured, opts metav1.UpdateOptions) (*unstructured.Unstructured, error) {
	answer, err := r.ResourceInterface.UpdateStatus(ctx, object, opts)
	return r.check(answer, err, nil)
}

// Get implements dynamic.ResourceInterface.
func (r checkedResource) Get(ctx context.Context, name string, opts metav1.GetOptions, subresources ...string) (*unstructured.Unstructured, error) {
	answer, err := r.ResourceInterface.Get(ctx, name, opts, subresources...)
	return r.check(answer, err, subresources)
}

// List implements dynamic.ResourceInterface.
func (r checkedResource) List(ctx context.Context, opts metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	list, err := r.ResourceInterface.List(ctx, opts)
	if err != nil {
		return nil, err
	}
	kind, isList := strings.CutSuffix(list.GetKind(), "List")
	if !isList || !isOfResource(list.GetAPIVersion(), kind, r.resource) {
		return nil, r.unexpected("a list", list.GetAPIVersion(), list.GetKind())
	}
	for i := range list.Items {
		if item := &list.Items[i]; item.GetKind() != kind || item.GetAPIVersion() != list.GetAPIVersion() {
			return nil, r.unexpected("a list", item.GetAPIVersion(), item.GetKind())
		}
	}
	return list, nil
}

// Patch implements dynamic.ResourceInterface.
func (r checkedResource) Patch(ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (*unstructured.Unstructured, error) {
	answer, err := r.ResourceInterface.Patch(ctx, name, kind, data, opts, subresources...)
	return r.check(answer, err, subresources)
}

// Apply implements dynamic.ResourceInterface.
func (r checkedResource) Apply(ctx context.Context, name string, object *unstructured.Unstructured, opts metav1.ApplyOptions, subresources ...string) (*unstructured.Unstructured, error) {
	answer, err := r.ResourceInterface.Apply(ctx, name, object, opts, subresources...)
	return r.check(answer, err, subresources)
}

// ApplyStatus implements dynamic.ResourceInterface.
func (r checkedResource) ApplyStatus(ctx context.Context, name string, object *unstructured.Unstructured, opts metav1.ApplyOptions) (*unstructured.Unstructured, error) {
	answer, err := r.ResourceInterface.ApplyStatus(ctx, name, object, opts)
	return r.check(answer, err, nil)
}

// check rejects an object of another kind. Subresources may have their own kinds.
func (r checkedResource) check(answer *unstructured.Unstructured, err error, subresources []string) (*unstructured.Unstructured, error) {
	switch {
	case err != nil:
		return nil, err
	case len(subresources) == 0 && !isOfResource(answer.GetAPIVersion(), answer.GetKind(), r.resource):
		return nil, r.unexpected("an object", answer.GetAPIVersion(), answer.GetKind())
	default:
		return answer, nil
	}
}

func (r checkedResource) unexpected(what, apiVersion, kind string) error {
	return unexpectedAnswer(what, r.resource, schema.FromAPIVersionAndKind(apiVersion, kind))
}

// unexpectedAnswer returns the error for an answer of another kind than
// requested.
func unexpectedAnswer(what string, asked schema.GroupVersionResource, got schema.GroupVersionKind) error {
	return &foreignAnswerError{what: fmt.Sprintf("answers the request for %s of %s with kind %q of apiVersion %q", what, asked.GroupResource(), got.Kind, got.GroupVersion())}
}

// isOfResource reports whether a kind matches a resource, whose name is the
// plural of the kind.
func isOfResource(apiVersion, kind string, resource schema.GroupVersionResource) bool {
	if apiVersion != resource.GroupVersion().String() || kind == "" {
		return false
	}
	singular := strings.ToLower(kind)
	switch resource.Resource {
	case singular, singular + "s", singular + "es", strings.TrimSuffix(singular, "y") + "ies":
		return true
	default:
		return false
	}
}
