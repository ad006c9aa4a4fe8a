package kube

import (
	"context"
	"errors"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// ObjectKey identifies one object of a cluster.
type ObjectKey struct {
	GVK schema.GroupVersionKind
	// Namespace is empty for cluster-scoped objects.
	Namespace, Name string
}

// Get reads one object, without its managed fields. An object that does not
// exist is an *Error with ReasonNotFound.
func Get(ctx context.Context, c *Connection, key ObjectKey) (*unstructured.Unstructured, error) {
	target, err := c.Target(ctx, key.GVK, key.Namespace)
	if err != nil {
		return nil, err
	}
	object, err := target.Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return nil, c.Explain("read "+DescribeObject(key.GVK.Kind, key.Namespace, key.Name), err)
	}
	object.SetManagedFields(nil)
	return object, nil
}

// DeleteOptions configure Delete.
type DeleteOptions struct {
	// Owner lists labels that the object must carry; an object without one of
	// them has another owner and is not deleted (D40). Empty allows every object.
	Owner map[string]string
	// DryRun set to DryRunServer validates on the API server without deleting.
	DryRun DryRun
}

// Delete deletes one object: exactly the one that it read, not a replacement of
// the same name, and only while it carries the owner labels. Dependents are
// deleted in the background. If there is no such object, the outcome is Absent.
func Delete(ctx context.Context, c *Connection, key ObjectKey, opts DeleteOptions) Result {
	result := Result{GVK: key.GVK, Namespace: key.Namespace, Name: key.Name, Cluster: c.Name}
	action := "delete " + DescribeObject(key.GVK.Kind, key.Namespace, key.Name)
	target, err := c.Target(ctx, key.GVK, key.Namespace)
	for attempt := 1; err == nil; attempt++ {
		result.Outcome, err = c.delete(ctx, target, key.Name, action, opts)
		if apierrors.IsConflict(err) && attempt < maxAttempts {
			err = nil
			continue
		}
		break
	}
	var e *Error
	if errors.As(err, &e) && e.Reason == ReasonNoSuchKind {
		// A kind that the cluster does not serve has no objects.
		result.Outcome, err = Absent, nil
	}
	if err != nil {
		result.Fail(action, c.Translate(action, err))
	}
	return result
}

func (c *Connection) delete(ctx context.Context, target dynamic.ResourceInterface, name, action string, opts DeleteOptions) (Outcome, error) {
	object, err := target.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Absent, nil
	}
	if err != nil {
		return "", err
	}
	if err := c.CheckOwner(action, object, opts.Owner); err != nil {
		return "", err
	}
	uid, version, policy := object.GetUID(), object.GetResourceVersion(), metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
		PropagationPolicy: &policy,
	}
	if opts.DryRun == DryRunServer {
		options.DryRun = []string{metav1.DryRunAll}
	}
	err = target.Delete(ctx, name, options)
	if apierrors.IsNotFound(err) {
		return Absent, nil
	}
	return Deleted, err
}

// Target returns a client for the objects of a kind in a namespace.
func (c *Connection) Target(ctx context.Context, gvk schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	client, err := c.Dynamic()
	if err != nil {
		return nil, err
	}
	resource, err := c.Resource(ctx, gvk)
	if err != nil {
		return nil, err
	}
	if !resource.Namespaced {
		return client.Resource(resource.GroupVersionResource), nil
	}
	if namespace == "" {
		return nil, &Error{
			Cluster: c.Name, Action: "use an object of kind " + gvk.Kind, Reason: ReasonInvalid,
			Why: "it has no namespace", Hint: "set metadata.namespace",
		}
	}
	return client.Resource(resource.GroupVersionResource).Namespace(namespace), nil
}

// IsMissingKindError reports whether the cluster does not serve the kind, as
// opposed to lacking the object.
func IsMissingKindError(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && isMissingKind(status)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// DeleteUnchanged deletes an object that was read before, if it has not changed since.
// For one that has changed, still decides: it is deleted if still returns true,
// and otherwise the outcome is Kept.
func DeleteUnchanged(
	ctx context.Context, target dynamic.ResourceInterface, seen *unstructured.Unstructured, dryRun DryRun, still func(now *unstructured.Unstructured) bool,
) (Outcome, error) {
	uid, version, policy := seen.GetUID(), seen.GetResourceVersion(), metav1.DeletePropagationBackground
	for attempt := 1; ; attempt++ {
		options := metav1.DeleteOptions{
			Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
			PropagationPolicy: &policy,
		}
		if dryRun == DryRunServer {
			options.DryRun = []string{metav1.DryRunAll}
		}
		err := target.Delete(ctx, seen.GetName(), options)
		switch {
		case err == nil:
			return Deleted, nil
		case apierrors.IsNotFound(err):
			return Absent, nil
		case !apierrors.IsConflict(err) || attempt == maxAttempts:
			return "", err
		}
		now, err := target.Get(ctx, seen.GetName(), metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return Absent, nil
		case err != nil:
			return "", err
		case !still(now):
			return Kept, nil
		}
		// The status or an annotation was changed.
		version = now.GetResourceVersion()
	}
}
