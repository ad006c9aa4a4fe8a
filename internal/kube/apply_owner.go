package kube

import (
	"context"
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/csaupgrade"
)

// ErrForeign means that an object has another owner.
var ErrForeign = errors.New("the object has another owner")

// checkOwner returns an error for an object that lacks an owner label.
func (a *applier) checkOwner(object *unstructured.Unstructured) error {
	return a.connection.CheckOwner(a.action(object), object, a.opts.Owner)
}

// CheckOwner returns an *Error if an object lacks a label of the owner.
func (c *Connection) CheckOwner(action string, object *unstructured.Unstructured, owner map[string]string) error {
	labels := object.GetLabels()
	for _, key := range sortedKeys(owner) {
		if labels[key] != owner[key] {
			label := key + "=" + owner[key]
			e := &Error{
				Cluster: c.Name, Action: action, Reason: ReasonConflict,
				Why:   "exists with another owner: it has no label " + label,
				Hint:  "rename or remove it",
				cause: ErrForeign,
			}
			if slices.ContainsFunc(object.GetManagedFields(), isOwnApply) {
				e.Why = "meshctl created it, but it no longer has the label " + label
				e.Hint = "restore the label, or remove the object, then run the command again"
			}
			return e
		}
	}
	return nil
}

// isOwnApply reports whether the fields of an entry were applied by meshctl.
func isOwnApply(entry metav1.ManagedFieldsEntry) bool {
	return entry.Manager == DefaultFieldManager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
}

// adoptCreated converts the fields that meshctl set when it created the object
// into applied fields, as kubectl does. Otherwise a field that is no longer
// applied would stay, and meshctl would conflict with itself.
func (a *applier) adoptCreated(ctx context.Context, target dynamic.ResourceInterface, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if a.opts.Status || !slices.ContainsFunc(object.GetManagedFields(), a.isOwnCreation) {
		return object, nil
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(object, sets.New(a.opts.FieldManager), a.opts.FieldManager)
	if err != nil || patch == nil || a.opts.DryRun == DryRunServer {
		return object, nil //nolint:nilerr // unreadable fields have no owner to migrate
	}
	return target.Patch(ctx, object.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: a.opts.FieldManager})
}

func (a *applier) isOwnCreation(entry metav1.ManagedFieldsEntry) bool {
	return entry.Manager == a.opts.FieldManager && entry.Operation == metav1.ManagedFieldsOperationUpdate && entry.Subresource == ""
}
