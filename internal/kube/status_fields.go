package kube

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ChangeStatus changes a part of the status of one object and leaves the rest as
// it is. Change gets the status as it is stored, alters it, and reports whether
// there is anything to write; it is called again when somebody else writes at
// the same time, so that what it decides is never about an old status. Its error
// ends the attempt and is returned as it is; all others are an *Error.
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
