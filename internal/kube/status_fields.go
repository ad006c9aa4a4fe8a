package kube

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ChangeStatus changes a part of the status of one object. change gets the stored
// status, modifies it, and reports whether to write it; it is called again after
// a concurrent write, so that it never decides on an outdated status. An error of
// change ends the attempt and is returned unchanged; all others are an *Error.
func ChangeStatus(ctx context.Context, c *Connection, key ObjectKey, change func(status map[string]any) (bool, error)) error {
	action := "write the status of " + DescribeObject(key.GVK.Kind, key.Namespace, key.Name)
	target, err := c.Target(ctx, key.GVK, key.Namespace)
	if err != nil {
		return c.Explain(action, err)
	}
	for attempt := 1; ; attempt++ {
		object, err := target.Get(ctx, key.Name, metav1.GetOptions{})
		if err != nil {
			return c.Explain(action, err)
		}
		status := asMap(object.Object["status"])
		if status == nil {
			status = map[string]any{}
		}
		write, err := change(status)
		if err != nil || !write {
			return err
		}
		changed := &unstructured.Unstructured{Object: object.Object}
		changed.Object["status"] = status
		_, err = target.UpdateStatus(ctx, changed, metav1.UpdateOptions{FieldManager: DefaultFieldManager})
		if err == nil || !apierrors.IsConflict(err) || attempt == maxAttempts {
			return c.Explain(action, err)
		}
	}
}
