package clusters

import (
	"context"
	"reflect"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// StatusUpdate is the status that an object should have.
type StatusUpdate struct {
	Key ObjectKey
	// Fields are the whole status in plain values.
	Fields map[string]any
	// Keep are fields of the status that somebody else writes: they stay as they
	// are stored.
	Keep []string
}

// WriteStatuses replaces the status of objects, several at a time, and returns
// one result for each, in their order. Applying would not do: parts of maps that
// an earlier controller wrote would stay. An object that is gone is Absent, one
// whose status is right already Unchanged.
func WriteStatuses(ctx context.Context, c *Connection, updates []StatusUpdate, dryRun DryRun) []Result {
	return bounded(updates, func(update StatusUpdate) Result {
		key := update.Key
		result := Result{GVK: key.GVK, Namespace: key.Namespace, Name: key.Name, Cluster: c.Name}
		var err error
		for range maxAttempts {
			if result.Outcome, err = c.writeStatus(ctx, update, dryRun); !apierrors.IsConflict(err) {
				break
			}
		}
		if err != nil {
			action := "write the status of " + describeObject(key.GVK.Kind, key.Namespace, key.Name)
			result.fail(action, c.explain(action, err))
		}
		return result
	})
}

func (c *Connection) writeStatus(ctx context.Context, update StatusUpdate, dryRun DryRun) (Outcome, error) {
	target, err := c.target(ctx, update.Key.GVK, update.Key.Namespace)
	if err != nil {
		return "", err
	}
	object, err := target.Get(ctx, update.Key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && !isMissingKindError(err) {
		return Absent, nil
	}
	if err != nil {
		return "", err
	}
	stored := asMap(object.Object["status"])
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
