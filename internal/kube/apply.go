package kube

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// DefaultFieldManager is the field manager of the fields that meshctl writes.
const DefaultFieldManager = "meshctl"

// DryRun says whether requests change the cluster.
type DryRun string

// The dry-run modes. A client-side dry run needs no cluster and is therefore not
// among them.
const (
	DryRunNone   DryRun = "none"
	DryRunServer DryRun = "server"
)

// ApplyOptions say how to write objects.
type ApplyOptions struct {
	// FieldManager is the field manager; DefaultFieldManager if empty.
	FieldManager string
	// Force takes over fields that other field managers own.
	Force bool
	// DryRun set to DryRunServer validates on the API server without writing; the
	// zero value writes.
	DryRun DryRun
	// Create fails for existing objects instead of changing them.
	Create bool
	// Owner lists labels that an existing object must carry; an object without
	// one of them has another owner and is not changed (D40). Empty allows every
	// object.
	Owner map[string]string
	// Version is the resource version that the caller has read, or VersionOfNone
	// if there was no object. An object with another version was changed in the
	// meantime and is not written. Empty allows every version.
	Version string
	// Status applies only the status of the objects.
	Status bool
}

// Outcome is the result of writing or deleting one object.
type Outcome string

// The outcomes.
const (
	Created    Outcome = "created"
	Configured Outcome = "configured"
	Unchanged  Outcome = "unchanged"
	// Conflict: the object or some of its fields have another owner, or the
	// object kept changing during the attempts.
	Conflict Outcome = "conflict"
	Failed   Outcome = "failed"
	// Cancelled: the user stopped meshctl before the object was written or the
	// answer arrived.
	Cancelled Outcome = "cancelled"
	Deleted   Outcome = "deleted"
	// Absent: there was no object to delete.
	Absent Outcome = "absent"
)

// Result is the outcome for one object.
type Result struct {
	GVK             schema.GroupVersionKind
	Namespace, Name string
	// Cluster is the name of the cluster.
	Cluster string
	Outcome Outcome
	// Err is the reason; set for Conflict, Failed and Cancelled.
	Err *Error
	// Object is the object on the cluster after the request, or as it would be
	// after a dry run; nil after an error. It has no managed fields.
	Object *unstructured.Unstructured
}

// Key returns the key of the object.
func (r *Result) Key() ObjectKey {
	return ObjectKey{GVK: r.GVK, Namespace: r.Namespace, Name: r.Name}
}

// Apply writes objects to a cluster with server-side apply and returns one result
// per object, in order. Namespaces and CustomResourceDefinitions are written
// first, the others in parallel. A failure of one object does not stop the
// others. Once the cluster is unusable, the remaining objects are Failed; if ctx
// is cancelled, they are Cancelled.
//
// Fields that the cluster maintains (uid, resourceVersion, managed fields,
// status) are removed from the request, so that objects printed by a cluster can
// be applied.
func Apply(ctx context.Context, c *Connection, objects []*unstructured.Unstructured, opts ApplyOptions) []Result {
	a := applier{connection: c, opts: opts}
	if a.opts.FieldManager == "" {
		a.opts.FieldManager = DefaultFieldManager
	}
	results := make([]Result, len(objects))
	var first, rest []int
	for i, object := range objects {
		if isFoundation(object.GroupVersionKind().GroupKind()) {
			first = append(first, i)
		} else {
			rest = append(rest, i)
		}
	}
	for _, indices := range [][]int{first, rest} {
		for k, result := range ParallelRequests(indices, func(i int) Result { return a.apply(ctx, objects[i]) }) {
			results[indices[k]] = result
		}
	}
	return results
}

// isFoundation reports whether other objects depend on objects of the kind.
func isFoundation(kind schema.GroupKind) bool {
	return kind == schema.GroupKind{Kind: "Namespace"} || kind == schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
}

// applier writes to one cluster.
type applier struct {
	connection *Connection
	opts       ApplyOptions
	// unusable is the reason why the cluster is unusable; nil while it is usable.
	unusable atomic.Pointer[Error]
}

// maxAttempts limits the retries for an object that others change at the same
// time.
const maxAttempts = 5

// errChanged means that the object is no longer the one that was read.
var errChanged = errors.New("the object was changed at the same time")

func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) Result {
	result := Result{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName(), Cluster: a.connection.Name}
	action := a.action(object)
	if end := a.unusable.Load(); end != nil {
		result.Fail(action, end)
		return result
	}
	target, err := a.connection.Target(ctx, object.GroupVersionKind(), object.GetNamespace())
	desired := a.prepare(object)
	for attempt := 1; err == nil; attempt++ {
		if err = ctx.Err(); err != nil {
			break
		}
		result.Outcome, result.Object, err = a.write(ctx, target, desired)
		// A conflict without field conflicts is a concurrent change.
		retry := apierrors.IsConflict(err) && len(fieldConflicts(err)) == 0 || apierrors.IsAlreadyExists(err) && !a.opts.Create || isReplacedObject(err)
		if retry && attempt < maxAttempts {
			err = nil
			continue
		}
		break
	}
	if err != nil {
		result.Fail(action, a.connection.Translate(action, err))
		if result.Err.WholeCluster() {
			a.unusable.Store(result.Err)
		}
	}
	if result.Object != nil {
		result.Object.SetManagedFields(nil)
	}
	return result
}

// Fail records an error as the reason why the object could not be written, with
// the action that failed.
func (r *Result) Fail(action string, e *Error) {
	own := *e
	own.Action = action
	r.Outcome, r.Err, r.Object = Failed, &own, nil
	switch e.Reason {
	case ReasonConflict:
		r.Outcome = Conflict
	case ReasonCancelled:
		r.Outcome = Cancelled
	default:
	}
}

func (a *applier) action(object *unstructured.Unstructured) string {
	verb := "apply"
	if a.opts.Create {
		verb = "create"
	}
	return verb + " " + DescribeObject(object.GetKind(), object.GetNamespace(), object.GetName())
}

// DescribeObject names an object in messages: "TrafficPolicy retries in
// gloo-mesh".
func DescribeObject(kind, namespace, name string) string {
	if namespace == "" {
		return kind + " " + name
	}
	return kind + " " + name + " in " + namespace
}

// prepare returns a copy of the object without the fields that the cluster
// maintains.
func (a *applier) prepare(object *unstructured.Unstructured) *unstructured.Unstructured {
	desired := object.DeepCopy()
	for _, field := range []string{"managedFields", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion", "selfLink", "uid"} {
		unstructured.RemoveNestedField(desired.Object, "metadata", field)
	}
	if !a.opts.Status {
		unstructured.RemoveNestedField(desired.Object, "status")
	}
	return desired
}

// write makes one attempt.
func (a *applier) write(ctx context.Context, target dynamic.ResourceInterface, desired *unstructured.Unstructured) (Outcome, *unstructured.Unstructured, error) {
	if a.opts.Create {
		created, err := target.Create(ctx, desired, metav1.CreateOptions{
			FieldManager: a.opts.FieldManager, DryRun: a.dryRun(), FieldValidation: metav1.FieldValidationStrict,
		})
		if apierrors.IsAlreadyExists(err) {
			e := a.connection.Translate(a.action(desired), err)
			e.Why, e.Hint = "already exists", "choose another name, or change the existing one with apply"
			err = e
		}
		return Created, created, err
	}
	before, err := target.Get(ctx, desired.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) && !IsMissingKindError(err) {
		before, err = nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	if before != nil {
		if err := a.checkOwner(before); err != nil {
			return "", nil, err
		}
	}
	if err := a.checkVersion(desired, before); err != nil {
		return "", nil, err
	}
	if before != nil {
		if before, err = a.adoptCreated(ctx, target, before); err != nil {
			return "", nil, err
		}
	}
	desired = a.conditional(before, desired)
	after, err := a.patch(ctx, target, before, desired)
	switch {
	case err != nil:
		return "", nil, err
	case before == nil:
		return Created, after, nil
	case a.same(before, after):
		return Unchanged, after, nil
	default:
		return Configured, after, nil
	}
}

// VersionOfNone is a resource version that no object has, because etcd counts
// from 1 and an empty store is already at 1.
const VersionOfNone = "1"

// conditional returns a request that only applies to the object that was read,
// and otherwise fails with a conflict: its uid is set and, if opts.Version is,
// its resource version. If there was no object, the request carries a version
// that no object can have, because one created in the meantime may have another
// owner and must not be merged with. The API server ignores that version when it
// creates an object.
func (a *applier) conditional(before, desired *unstructured.Unstructured) *unstructured.Unstructured {
	switch {
	case before != nil:
		desired = desired.DeepCopy()
		desired.SetUID(before.GetUID())
		if a.opts.Version != "" {
			desired.SetResourceVersion(before.GetResourceVersion())
		}
	case len(a.opts.Owner) > 0 || a.opts.Version != "":
		desired = desired.DeepCopy()
		desired.SetResourceVersion(VersionOfNone)
	}
	return desired
}

// checkVersion returns an error if the object is not the one that the caller has
// read.
func (a *applier) checkVersion(desired, before *unstructured.Unstructured) error {
	version := VersionOfNone
	if before != nil {
		version = before.GetResourceVersion()
	}
	if a.opts.Version == "" || a.opts.Version == version {
		return nil
	}
	return &Error{
		Cluster: a.connection.Name, Action: a.action(desired), Reason: ReasonConflict,
		Why: "it was changed at the same time and not overwritten", Hint: "run the command again",
		cause: errChanged,
	}
}

// isReplacedObject reports whether the API server rejected a change because the
// object is not the one that was read.
func isReplacedObject(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	return slices.ContainsFunc(status.Status().Details.Causes, func(cause metav1.StatusCause) bool { return cause.Field == "metadata.uid" })
}

// patch sends the apply request.
func (a *applier) patch(ctx context.Context, target dynamic.ResourceInterface, before, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(desired)
	if err != nil {
		return nil, err
	}
	var subresources []string
	if a.opts.Status {
		subresources = []string{"status"}
	}
	send := func(force bool) (*unstructured.Unstructured, error) {
		return target.Patch(ctx, desired.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
			FieldManager: a.opts.FieldManager, Force: &force, DryRun: a.dryRun(), FieldValidation: metav1.FieldValidationStrict,
		}, subresources...)
	}
	after, err := send(a.opts.Force)
	// A dry run cannot adopt fields from meshctl's creation of the object, so
	// conflicts with those are ignored.
	conflicts := fieldConflicts(err)
	if len(conflicts) > 0 && before != nil && slices.ContainsFunc(before.GetManagedFields(), a.isOwnCreation) &&
		!slices.ContainsFunc(conflicts, func(c FieldConflict) bool { return c.Owner != a.opts.FieldManager }) {
		return send(true)
	}
	return after, err
}

func (a *applier) dryRun() []string {
	if a.opts.DryRun == DryRunServer {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// same reports whether nothing changed, or would change in a dry run.
func (a *applier) same(before, after *unstructured.Unstructured) bool {
	if a.opts.DryRun != DryRunServer {
		return before.GetResourceVersion() == after.GetResourceVersion()
	}
	return reflect.DeepEqual(contentOf(before), contentOf(after))
}

// contentOf returns an object without server-side bookkeeping.
func contentOf(object *unstructured.Unstructured) map[string]any {
	content := object.DeepCopy()
	for _, field := range []string{"managedFields", "generation", "resourceVersion"} {
		unstructured.RemoveNestedField(content.Object, "metadata", field)
	}
	return content.Object
}
