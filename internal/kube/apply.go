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

// DefaultFieldManager is who owns the fields that meshctl writes.
const DefaultFieldManager = "meshctl"

// DryRun says whether to write.
type DryRun string

// The ways to write. A dry run of the client needs no cluster, and so is none
// of them.
const (
	DryRunNone   DryRun = "none"
	DryRunServer DryRun = "server"
)

// ApplyOptions say how to write objects.
type ApplyOptions struct {
	// FieldManager owns the fields; DefaultFieldManager if empty.
	FieldManager string
	// Force takes over fields that others own.
	Force bool
	// DryRun DryRunServer has the API server judge and write nothing; the zero
	// value writes.
	DryRun DryRun
	// Create fails for objects that exist, instead of changing them.
	Create bool
	// Owner are labels: an existing object that lacks one of them belongs to
	// someone else and is not touched (D40). Empty trusts every object.
	Owner map[string]string
	// Version is the resource version that the caller has read, VersionOfNone if
	// there was no object: an object of another version was changed meanwhile and
	// is not touched. Empty allows every version.
	Version string
	// Status applies the status of the objects, and nothing else of them.
	Status bool
}

// Outcome is what came of writing or deleting one object.
type Outcome string

// The outcomes.
const (
	Created    Outcome = "created"
	Configured Outcome = "configured"
	Unchanged  Outcome = "unchanged"
	// Conflict: someone else owns the object or some of its fields, or changes it
	// all the time.
	Conflict Outcome = "conflict"
	Failed   Outcome = "failed"
	// Cancelled: the user stopped meshctl before the object was written, or before
	// the answer came.
	Cancelled Outcome = "cancelled"
	Deleted   Outcome = "deleted"
	// Absent: there was nothing to delete.
	Absent Outcome = "absent"
)

// Result is what came of one object.
type Result struct {
	GVK             schema.GroupVersionKind
	Namespace, Name string
	// Cluster is the name of the cluster.
	Cluster string
	Outcome Outcome
	// Err says why; set for Conflict, Failed and Cancelled.
	Err *Error
	// Object is how the object is on the cluster now, or would be after a dry
	// run; nil after an error. It has no managed fields.
	Object *unstructured.Unstructured
}

// Key returns what identifies the object.
func (r *Result) Key() ObjectKey {
	return ObjectKey{GVK: r.GVK, Namespace: r.Namespace, Name: r.Name}
}

// Apply writes objects to a cluster by server-side apply and returns one result
// for each, in their order. Namespaces and CustomResourceDefinitions are written
// first, whatever the order, the others several at a time. A failure of one
// object does not keep the others from being written. When the cluster cannot be
// used any more, those that were not reached are Failed; when ctx is cancelled,
// Cancelled.
//
// What the cluster itself maintains (uid, resourceVersion, managed fields, the
// status) is left out of the request, so that objects can be applied as a
// cluster printed them.
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

// isFoundation reports whether other objects need those of the kind to exist.
func isFoundation(kind schema.GroupKind) bool {
	return kind == schema.GroupKind{Kind: "Namespace"} || kind == schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
}

// applier writes to one cluster.
type applier struct {
	connection *Connection
	opts       ApplyOptions
	// end is why the cluster cannot be used any more; nil while it can.
	end atomic.Pointer[Error]
}

// maxAttempts bounds how often an object is tried that others change at the
// same time.
const maxAttempts = 5

// errMeanwhile says that an object is not the one that was read any more.
var errMeanwhile = errors.New("the object was changed at the same time")

func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) Result {
	result := Result{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName(), Cluster: a.connection.Name}
	action := a.action(object)
	if end := a.end.Load(); end != nil {
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
		// A conflict that is not about fields is about timing.
		retry := apierrors.IsConflict(err) && len(fieldConflicts(err)) == 0 || apierrors.IsAlreadyExists(err) && !a.opts.Create || isOtherObject(err)
		if retry && attempt < maxAttempts {
			err = nil
			continue
		}
		break
	}
	if err != nil {
		result.Fail(action, a.connection.Translate(action, err))
		if result.Err.WholeCluster() {
			a.end.Store(result.Err)
		}
	}
	if result.Object != nil {
		result.Object.SetManagedFields(nil)
	}
	return result
}

// Fail sets why the object could not be written; the error may be about a step
// on the way.
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

// DescribeObject names an object like "TrafficPolicy retries in gloo-mesh".
func DescribeObject(kind, namespace, name string) string {
	if namespace == "" {
		return kind + " " + name
	}
	return kind + " " + name + " in " + namespace
}

// prepare returns the object without what the cluster maintains.
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

// write does one attempt.
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

// VersionOfNone is a resource version that no object has: etcd counts from 1,
// and an empty one is at 1 already.
const VersionOfNone = "1"

// conditional returns what to send so that it is applied only to what was seen,
// and is a conflict about timing otherwise. An object that was deleted and made
// anew meanwhile is another one. Where there was none, one that came meanwhile
// may be somebody else's, and applying would merge with it: so it would have to
// be of a version that it cannot have. An object that is created by applying
// gets its version from the API server in any case.
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

// checkVersion refuses an object that is not what the caller has read.
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
		cause: errMeanwhile,
	}
}

// isOtherObject reports whether the API server refused to change an object
// because it is not the one that was seen.
func isOtherObject(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	return slices.ContainsFunc(status.Status().Details.Causes, func(cause metav1.StatusCause) bool { return cause.Field == "metadata.uid" })
}

// patch applies the object.
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
	// A dry run cannot adopt what meshctl created; conflicts with that are none.
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

// same reports whether nothing was changed, or would be.
func (a *applier) same(before, after *unstructured.Unstructured) bool {
	if a.opts.DryRun != DryRunServer {
		return before.GetResourceVersion() == after.GetResourceVersion()
	}
	return reflect.DeepEqual(contentOf(before), contentOf(after))
}

// contentOf returns an object without the bookkeeping.
func contentOf(object *unstructured.Unstructured) map[string]any {
	content := object.DeepCopy()
	for _, field := range []string{"managedFields", "generation", "resourceVersion"} {
		unstructured.RemoveNestedField(content.Object, "metadata", field)
	}
	return content.Object
}
