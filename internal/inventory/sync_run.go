package inventory

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// RunOptions say how to execute a plan.
type RunOptions struct {
	// Force takes over fields that other managers own.
	Force bool
	// DryRun set to DryRunServer sends the requests as a server-side dry run, which writes
	// nothing.
	DryRun kube.DryRun
}

// Groups returns the groups of the plan, sorted.
func (p *Plan) Groups() []string {
	var groups []string
	for i := range p.Changes {
		groups = append(groups, p.Changes[i].Group)
	}
	return slices.Compact(groups) // changes are sorted by group
}

// Run executes the changes of one group. It returns one result, in the order of the changes,
// for each object that was to be added, modified or deleted, or that was refused. It writes
// kind by kind, several objects at a time, and then deletes in the reverse order of kinds, so
// that no object refers to one that does not exist.
//
// An object is deleted only if it has not changed since the plan was made; otherwise its
// outcome is Kept. Because of this, and because apply is idempotent, runs may overlap, and an
// interrupted run may be repeated.
func (p *Plan) Run(ctx context.Context, group string, opts RunOptions) []kube.Result {
	results := make([]kube.Result, len(p.Changes))
	var done []int
	for _, gvk := range p.kinds {
		var indices []int
		var objects []*unstructured.Unstructured
		for i := range p.Changes {
			change := &p.Changes[i]
			if change.Group != group || change.Key.GVK != gvk {
				continue
			}
			switch change.Kind {
			case kube.ChangeAdd, kube.ChangeModify:
				indices = append(indices, i)
				objects = append(objects, change.desired)
			case kube.ChangeRefuse:
				results[i] = p.result(change.Key)
				results[i].Outcome, results[i].Err = kube.Conflict, change.Err
				done = append(done, i)
			case kube.ChangeRemove, kube.ChangeNone, kube.ChangeLeave:
			}
		}
		if len(indices) == 0 {
			continue
		}
		owner := p.ownerOf(p.Changes[indices[0]])
		for k, result := range kube.Apply(ctx, p.connection, objects, kube.ApplyOptions{Force: opts.Force, DryRun: opts.DryRun, Owner: owner}) {
			results[indices[k]] = result
			done = append(done, indices[k])
		}
	}
	lost := lostCluster(results)
	for _, gvk := range slices.Backward(p.kinds) {
		var indices []int
		for i := range p.Changes {
			if change := &p.Changes[i]; change.Group == group && change.Key.GVK == gvk && change.Kind == kube.ChangeRemove {
				indices = append(indices, i)
			}
		}
		for k, result := range kube.ParallelRequests(indices, func(i int) kube.Result { return p.remove(ctx, &p.Changes[i], opts.DryRun, lost) }) {
			results[indices[k]] = result
			done = append(done, indices[k])
		}
	}
	slices.Sort(done)
	ordered := make([]kube.Result, 0, len(done))
	for _, i := range done {
		ordered = append(ordered, results[i])
	}
	return ordered
}

func (p *Plan) result(key kube.ObjectKey) kube.Result {
	return kube.Result{GVK: key.GVK, Namespace: key.Namespace, Name: key.Name, Cluster: p.connection.Name}
}

// lostCluster returns the error that makes the cluster unusable, nil if there is none.
func lostCluster(results []kube.Result) *kube.Error {
	for i := range results {
		if e := results[i].Err; e != nil && e.WholeCluster() {
			return e
		}
	}
	return nil
}

// remove deletes an object unless it has changed since the plan was made. If the connection to
// the cluster is lost, it sends no request.
func (p *Plan) remove(ctx context.Context, change *Change, dryRun kube.DryRun, lost *kube.Error) kube.Result {
	result := p.result(change.Key)
	action := "delete " + kube.DescribeObject(change.Key.GVK.Kind, change.Key.Namespace, change.Key.Name)
	if lost != nil {
		result.Fail(action, lost)
		return result
	}
	target, err := p.connection.Target(ctx, change.Key.GVK, change.Key.Namespace)
	if err == nil {
		result.Outcome, err = kube.DeleteUnchanged(ctx, target, change.stored, dryRun, func(now *unstructured.Unstructured) bool {
			return p.unchanged(change.stored, now)
		})
	}
	if err != nil {
		result.Fail(action, p.connection.Translate(action, err))
	}
	return result
}

// unchanged reports whether an object is the same as planned in all that makes it stale: its
// spec (by generation) and its owner.
func (p *Plan) unchanged(seen, now *unstructured.Unstructured) bool {
	return seen.GetUID() == now.GetUID() && seen.GetGeneration() == now.GetGeneration() && kube.IsOwned(now, p.opts.Owner) &&
		seen.GetLabels()[p.opts.GroupLabel] == now.GetLabels()[p.opts.GroupLabel]
}

func (p *Plan) sort() { slices.SortFunc(p.Changes, p.compare) }
