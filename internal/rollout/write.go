package rollout

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/internal/kube"
)

// writer executes the changes of one cluster. It is not safe for concurrent use.
//
// Objects are written stage by stage, several at a time. After that, in the reverse order,
// objects are removed and transitions are completed. If an object could not be written, the
// objects that need it are withheld and count as failed. If an object could not be changed,
// the objects that it still refers to are not removed.
//
// Fields that others set in the specs of these objects are overwritten or removed, because
// meshctl owns the whole spec. Objects that were deleted, changed or taken over since the plan
// was made are handled in their current state. Therefore runs may overlap, and an interrupted
// run may be repeated.
type writer struct {
	*Cluster
	dryRun kube.DryRun
	// steps are the objects still to be written before anything is removed, by stage.
	steps map[int][]step
	// failed are the changes of desired objects that could not be written, by position of the
	// desired object.
	failed map[int]*Change
	// reduced are the stages that reduce has processed. elsewhere are the hosts that other
	// clusters may still use, and why.
	reduced   map[int]bool
	elsewhere map[string]*kube.Error
	// lost is why the cluster became unusable; nil while it is usable.
	lost atomic.Pointer[kube.Error]
}

// step is one object to write.
type step struct {
	change *Change
	// transition is true if the intermediate object is written instead of the desired one.
	transition bool
}

func newWriter(c *Cluster, dryRun kube.DryRun) *writer {
	w := &writer{Cluster: c, dryRun: dryRun, steps: map[int][]step{}, failed: map[int]*Change{}, reduced: map[int]bool{}}
	for i := range c.Changes {
		change := &c.Changes[i]
		switch {
		case change.Kind == kube.ChangeRefuse:
			change.fail(change.Err.Action, change.Err)
			w.failed[change.position] = change
		case change.Kind != kube.ChangeAdd && change.Kind != kube.ChangeModify:
		case change.transition != nil:
			w.steps[change.early] = append(w.steps[change.early], step{change, true})
		default:
			stage := change.desired.Stage()
			w.steps[stage] = append(w.steps[stage], step{change, false})
		}
	}
	return w
}

// write writes the objects of all stages up to last that have not been written yet, in order.
func (w *writer) write(ctx context.Context, last int) {
	for _, stage := range slices.Sorted(maps.Keys(w.steps)) {
		if stage <= last {
			w.writeStage(ctx, w.steps[stage])
			delete(w.steps, stage)
		}
	}
}

// failures returns the changes that have failed so far.
func (w *writer) failures() []*Change {
	var failures []*Change
	for i := range w.Changes {
		if change := &w.Changes[i]; change.Outcome != "" && change.Err != nil {
			failures = append(failures, change)
		}
	}
	return failures
}

// withhold excludes objects that have not been written yet and for which why returns a reason.
// why is given the stored object, nil if there is none, and the desired one. A withheld change
// counts as failed, and the objects that its stored object needs are kept.
func (w *writer) withhold(why func(stored, desired *unstructured.Unstructured) *kube.Error) {
	for stage, steps := range w.steps {
		w.steps[stage] = slices.DeleteFunc(steps, func(s step) bool {
			desired, err := manifest(s.change.desired)
			if err != nil {
				return false // the error is reported when the object is written
			}
			obstacle := why(s.change.stored, desired)
			if obstacle == nil {
				return false
			}
			// Do not call w.fail: the obstacle does not make this cluster unusable.
			s.change.fail(kube.ApplyAction(s.change.Key), obstacle)
			w.failed[s.change.position] = s.change
			return true
		})
	}
}

// writeStage writes the objects of one stage.
func (w *writer) writeStage(ctx context.Context, steps []step) {
	var objects []*unstructured.Unstructured
	var ready []step
	for _, s := range steps {
		change := s.change
		if lost := w.lost.Load(); lost != nil {
			w.fail(change, lost)
			continue
		}
		object, err := change.transition, error(nil)
		if !s.transition {
			object, err = manifest(change.desired)
		}
		if err == nil && w.failed[change.position] != nil {
			continue // the transition failed
		}
		if err == nil {
			err = w.missingDependency(change)
		}
		if err != nil {
			w.fail(change, w.connection.Translate(kube.ApplyAction(change.Key), err))
			continue
		}
		objects, ready = append(objects, object), append(ready, s)
	}
	// meshctl owns the whole spec of these objects: take over fields of other managers.
	written := kube.Apply(ctx, w.connection, objects, kube.ApplyOptions{Force: true, DryRun: w.dryRun, Owner: w.owner})
	indices := make([]int, len(ready))
	for i := range ready {
		indices[i] = i
	}
	trimmed := kube.ParallelRequests(indices, func(i int) *kube.Error {
		if written[i].Object == nil || w.dryRun == kube.DryRunServer {
			return nil
		}
		return w.trim(ctx, objects[i], &written[i])
	})
	for i, s := range ready {
		before := s.change.Outcome
		s.change.Outcome = written[i].Outcome
		switch {
		case written[i].Err != nil:
			w.fail(s.change, written[i].Err)
		case trimmed[i] != nil:
			w.fail(s.change, trimmed[i])
		case written[i].Outcome == kube.Unchanged && before != "":
			s.change.Outcome = before // keep the outcome of the transition
		}
	}
}

// fail records that a desired object could not be written.
func (w *writer) fail(change *Change, e *kube.Error) {
	w.checkLost(e)
	change.fail(kube.ApplyAction(change.Key), e)
	w.failed[change.position] = change
}

// missingDependency returns an error if an object that the change depends on could not be written.
func (w *writer) missingDependency(change *Change) error {
	for _, position := range w.needs[change.position] {
		if other := w.failed[position]; other != nil {
			e := &kube.Error{
				Cluster: w.Name, Action: kube.ApplyAction(change.Key), Reason: other.Err.Reason,
				Why:  "skipped because it needs " + kube.DescribeObject(other.Key.GVK.Kind, other.Key.Namespace, other.Key.Name) + ", which could not be written",
				Hint: "fix that error, then run 'meshctl apply' again",
			}
			return e.WithCause(other.Err)
		}
	}
	return nil
}

// trim removes fields from the spec of a written object that are not desired: apply keeps
// fields that only other managers set.
func (w *writer) trim(ctx context.Context, desired *unstructured.Unstructured, written *kube.Result) *kube.Error {
	patch := extraFields(desired, written.Object)
	if len(patch) == 0 {
		return nil
	}
	c, action := w.connection, "remove fields that others set from "+kube.DescribeObject(written.GVK.Kind, written.Namespace, written.Name)
	// Fail if the object was recreated in the meantime.
	patch = append([]patchOperation{{"test", "/metadata/uid", written.Object.GetUID()}}, patch...)
	text, err := json.Marshal(patch)
	if err != nil {
		return c.Translate(action, err)
	}
	target, err := c.Target(ctx, written.GVK, written.Namespace)
	if err == nil {
		_, err = target.Patch(ctx, written.Name, types.JSONPatchType, text, metav1.PatchOptions{FieldManager: kube.DefaultFieldManager})
	}
	if err != nil {
		return c.Translate(action, err)
	}
	written.Outcome = kube.Configured
	return nil
}

// patchOperation is one operation of a JSON patch.
type patchOperation struct {
	Op    string    `json:"op"`
	Path  string    `json:"path"`
	Value types.UID `json:"value,omitempty"`
}

// extraFields returns the patch that removes the fields of the spec of has which desired
// lacks.
func extraFields(desired, has *unstructured.Unstructured) []patchOperation {
	var operations []patchOperation
	var visit func(path string, desired, has map[string]any)
	visit = func(path string, desired, has map[string]any) {
		for _, name := range slices.Sorted(maps.Keys(has)) {
			at := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
			wanted, isWanted := desired[name]
			if !isWanted {
				operations = append(operations, patchOperation{Op: "remove", Path: at})
				continue
			}
			if inner, isMap := has[name].(map[string]any); isMap {
				below, _ := wanted.(map[string]any)
				visit(at, below, inner)
			}
		}
	}
	visit("/spec", specOf(desired), specOf(has))
	return operations
}
