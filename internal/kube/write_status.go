package kube

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// StatusUpdate is the desired status of an object.
type StatusUpdate struct {
	Key ObjectKey
	// UID is the uid of the object that the status describes; a replacement with
	// the same name is not updated.
	UID types.UID
	// Fields is the whole status in plain values.
	Fields map[string]any
	// Keep lists status fields that others write: their stored values are kept.
	Keep []string
}

// WriteStatuses replaces the status of objects in parallel and returns one result
// per object, in order. It does not use apply, because map entries of an earlier
// controller would remain. An object that no longer exists is Absent, one with
// the right status is Unchanged, and one whose status is for a later generation
// is Kept. Once the cluster is unusable, the remaining objects are Failed.
func WriteStatuses(ctx context.Context, c *Connection, updates []StatusUpdate, dryRun DryRun) []Result {
	var end atomic.Pointer[Error]
	return ParallelRequests(updates, func(update StatusUpdate) Result {
		key := update.Key
		action := statusAction + DescribeObject(key.GVK.Kind, key.Namespace, key.Name)
		result := Result{GVK: key.GVK, Namespace: key.Namespace, Name: key.Name, Cluster: c.Name}
		if lost := end.Load(); lost != nil {
			result.Fail(action, lost)
			return result
		}
		var err error
		for range maxAttempts {
			if result.Outcome, err = c.writeStatus(ctx, update, dryRun); !apierrors.IsConflict(err) {
				break
			}
		}
		if err != nil {
			result.Fail(action, c.Translate(action, err))
			if result.Err.WholeCluster() {
				end.Store(result.Err)
			}
		}
		return result
	})
}

func (c *Connection) writeStatus(ctx context.Context, update StatusUpdate, dryRun DryRun) (Outcome, error) {
	target, err := c.Target(ctx, update.Key.GVK, update.Key.Namespace)
	if err != nil {
		return "", err
	}
	object, err := target.Get(ctx, update.Key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && !IsMissingKindError(err) {
		return Absent, nil
	}
	if err != nil {
		return "", err
	}
	if update.UID != "" && object.GetUID() != update.UID {
		return Absent, nil
	}
	stored := asMap(object.Object["status"])
	if observedGeneration(stored) > observedGeneration(update.Fields) {
		return Kept, nil // the stored status is newer than this run
	}
	status := map[string]any{}
	for name, value := range update.Fields {
		if !slices.Contains(update.Keep, name) {
			status[name] = value
		}
	}
	for _, name := range update.Keep {
		if value, there := stored[name]; there {
			status[name] = value
		}
	}
	if reflect.DeepEqual(stored, status) || len(stored)+len(status) == 0 {
		return Unchanged, nil
	}
	changed := &unstructured.Unstructured{Object: object.Object}
	changed.Object["status"] = status
	options := metav1.UpdateOptions{FieldManager: DefaultFieldManager}
	if dryRun == DryRunServer {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = target.UpdateStatus(ctx, changed, options)
	if apierrors.IsNotFound(err) {
		return Absent, nil
	}
	return Configured, err
}

// observedGeneration returns the generation that a status describes; 0 if it is
// not recorded. Some controllers wrote it as text (D18).
func observedGeneration(status map[string]any) int64 {
	switch value := status["observedGeneration"].(type) {
	case int64:
		return value
	case string:
		generation, err := strconv.ParseInt(value, 10, 64)
		if err == nil {
			return generation
		}
	}
	return 0
}
