package rollout

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/internal/kube"
)

// RunOptions say how to carry out a Plan.
type RunOptions struct {
	// Keep leaves what is not wanted any more.
	Keep bool
	// DryRun DryRunServer has the API server judge and writes nothing.
	DryRun kube.DryRun
}

// Run carries out the plan and returns one result for each change, in the order
// of the changes; those that Keep leaves have none. Objects are written stage by
// stage, several at a time. After that, in the opposite order, objects are
// removed and those that had a transition are made the desired ones. What needs
// an object that could not be written is held back, and Failed; so is the removal
// of what an object that could not be changed still leads to.
//
// Fields that others set in the spec of these objects are taken over or removed,
// because all of it is meshctl's. An object that was deleted, changed or taken
// by somebody since the plan was made is treated as it is then; so several runs
// can work at the same time, and a run that was stopped can be repeated.
func (p *Plan) Run(ctx context.Context, opts RunOptions) []kube.Result {
	r := p.Begin(opts)
	r.Write(ctx, math.MaxInt)
	return r.Finish(ctx)
}

// Begin prepares what Run does in one go, so that several clusters can wait for
// each other in between.
func (p *Plan) Begin(opts RunOptions) *Run {
	r := &Run{plan: p, opts: opts, results: make([]kube.Result, len(p.Changes)), failed: map[int]*kube.Result{}, reduced: map[int]bool{}}
	for i := range p.Changes {
		change := &p.Changes[i]
		r.results[i] = kube.Result{GVK: change.Key.GVK, Namespace: change.Key.Namespace, Name: change.Key.Name, Cluster: p.Cluster}
		if change.Kind == kube.ChangeRefuse {
			r.results[i].Fail(kube.ApplyAction(change.Key), change.Err)
			r.failed[change.position] = &r.results[i]
		}
	}
	r.steps = r.stepsByStage()
	return r
}

// Write writes the objects of all stages up to the last one that were not written
// before, stage by stage.
func (r *Run) Write(ctx context.Context, last int) {
	for _, stage := range slices.Sorted(maps.Keys(r.steps)) {
		if stage <= last {
			r.writeStage(ctx, r.steps[stage])
			delete(r.steps, stage)
		}
	}
}

// Finish removes what is not wanted any more, completes transitions, and returns
// the results.
func (r *Run) Finish(ctx context.Context) []kube.Result {
	r.Reduce(ctx, math.MinInt)
	var results []kube.Result
	for i := range r.results {
		if r.results[i].Outcome != "" {
			results = append(results, r.results[i])
		}
	}
	return results
}

// Run carries out one plan. It is not safe for concurrent use.
type Run struct {
	plan    *Plan
	opts    RunOptions
	results []kube.Result
	// steps are what is still to be written before anything is removed, by stage.
	steps map[int][]step
	// failed are the results of desired objects that are not there as they should be, by
	// position of the desired object.
	failed map[int]*kube.Result
	// reduced are the stages of which nothing is to be removed any more, elsewhere the
	// hosts that others may still use, and why.
	reduced   map[int]bool
	elsewhere map[string]*kube.Error
	// lost is why the cluster cannot be used any more; nil while it can.
	lost atomic.Pointer[kube.Error]
}

// step is one object to write.
type step struct {
	// change is the position of the change.
	change int
	// transition says that the object is not yet the desired one.
	transition bool
}

// stepsByStage returns what is to be written before anything is removed, by stage.
func (r *Run) stepsByStage() map[int][]step {
	steps := map[int][]step{}
	for i := range r.plan.Changes {
		change := &r.plan.Changes[i]
		switch {
		case change.Kind != kube.ChangeAdd && change.Kind != kube.ChangeModify:
		case change.transition != nil:
			steps[change.early] = append(steps[change.early], step{i, true})
		default:
			steps[change.output.Stage] = append(steps[change.output.Stage], step{i, false})
		}
	}
	return steps
}

// writeStage writes the objects of one stage.
func (r *Run) writeStage(ctx context.Context, steps []step) {
	var objects []*unstructured.Unstructured
	var ready []step
	for _, s := range steps {
		change := &r.plan.Changes[s.change]
		if lost := r.lost.Load(); lost != nil {
			r.fail(s.change, lost)
			continue
		}
		object, err := change.transition, error(nil)
		if !s.transition {
			object, err = change.output.Build()
		}
		if err == nil && r.failed[change.position] != nil {
			continue // the transition failed
		}
		if err == nil {
			err = r.heldBack(change)
		}
		if err != nil {
			r.fail(s.change, r.plan.connection.Translate(kube.ApplyAction(change.Key), err))
			continue
		}
		objects, ready = append(objects, object), append(ready, s)
	}
	// All of these objects is meshctl's: whoever else set a field of it loses it.
	written := kube.Apply(ctx, r.plan.connection, objects, kube.ApplyOptions{Force: true, DryRun: r.opts.DryRun, Owner: r.plan.opts.Owner})
	indices := make([]int, len(ready))
	for i := range ready {
		indices[i] = i
	}
	trimmed := kube.ParallelRequests(indices, func(i int) *kube.Error {
		if written[i].Object == nil || r.opts.DryRun == kube.DryRunServer {
			return nil
		}
		return r.trim(ctx, objects[i], &written[i])
	})
	for i, s := range ready {
		before := r.results[s.change].Outcome
		written[i].Object = nil
		r.results[s.change] = written[i]
		switch {
		case written[i].Err != nil:
			r.fail(s.change, written[i].Err)
		case trimmed[i] != nil:
			r.fail(s.change, trimmed[i])
		case written[i].Outcome == kube.Unchanged && before != "":
			r.results[s.change].Outcome = before // of the transition
		}
	}
}

func (r *Run) fail(change int, e *kube.Error) {
	r.note(e)
	r.results[change].Fail(kube.ApplyAction(r.plan.Changes[change].Key), e)
	r.failed[r.plan.Changes[change].position] = &r.results[change]
}

// heldBack says which object that a desired object needs could not be written; nil if
// there is none.
func (r *Run) heldBack(change *Change) error {
	for _, position := range change.output.Needs {
		if other := r.failed[position]; other != nil {
			e := &kube.Error{
				Cluster: r.plan.Cluster, Action: kube.ApplyAction(change.Key), Reason: other.Err.Reason,
				Why:  "it is held back, because it needs " + kube.DescribeObject(other.GVK.Kind, other.Namespace, other.Name) + ", which could not be written",
				Hint: "see what is wrong with that, then apply again",
			}
			return e.WithCause(other.Err)
		}
	}
	return nil
}

// trim removes from the spec of an object that was written what is not desired
// there: applying leaves fields that only somebody else set.
func (r *Run) trim(ctx context.Context, desired *unstructured.Unstructured, written *kube.Result) *kube.Error {
	patch := extraFields(desired, written.Object)
	if len(patch) == 0 {
		return nil
	}
	c, action := r.plan.connection, "remove fields that others set from "+kube.DescribeObject(written.GVK.Kind, written.Namespace, written.Name)
	// An object that was made anew meanwhile is another one.
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

// extraFields returns the patch that removes what the spec of an object has
// beyond the desired one.
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
