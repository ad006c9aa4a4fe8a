package rollout

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// reduce prunes objects and completes transitions, which remove something too. It processes
// the stages from the last down to first, skipping those already done. Stages come in the
// reverse order of writing, so that an object is removed before the objects that it refers to.
func (w *writer) reduce(ctx context.Context, first int) {
	removals, finals := map[int][]*Change{}, map[int][]step{}
	stages := map[int]bool{}
	for i := range w.Changes {
		change := &w.Changes[i]
		switch {
		case change.Kind == kube.ChangeRemove:
			stage := stageOf(change.stored)
			removals[stage], stages[stage] = append(removals[stage], change), true
		case change.Kind == kube.ChangeModify && change.transition != nil:
			finals[change.early], stages[change.early] = append(finals[change.early], step{change, false}), true
		}
	}
	for _, stage := range slices.Backward(slices.Sorted(maps.Keys(stages))) {
		if stage < first || w.reduced[stage] {
			continue
		}
		w.reduced[stage] = true
		used := w.usedHosts()
		kube.ParallelRequests(removals[stage], func(change *Change) struct{} {
			w.remove(ctx, change, used)
			return struct{}{}
		})
		w.writeStage(ctx, slices.DeleteFunc(finals[stage], func(s step) bool { return w.leaveInTransition(s.change, used) }))
	}
}

// leaveInTransition reports whether an object must stay in its transitional form. This is an
// error unless the object that needs it is kept on purpose.
func (w *writer) leaveInTransition(change *Change, used map[string]*kube.Error) bool {
	if change.Err != nil {
		return true
	}
	user := w.usedBy(change.stored, used)
	if user == nil {
		return false
	}
	if user != errKept {
		w.fail(change, w.stillUsedError(kube.ApplyAction(change.Key), user))
	}
	return true
}

// errKept marks a host that is used by an object which is kept on purpose.
var errKept = &kube.Error{Why: "objects to prune are kept"}

// usedHosts returns the hosts that stored routes use although they should not any more, and
// why. The key "" stands for all hosts: the routes are not known.
func (w *writer) usedHosts() map[string]*kube.Error {
	used := maps.Clone(w.elsewhere)
	if used == nil {
		used = map[string]*kube.Error{}
	}
	routes := istio.KindVirtualService.GVK().GroupKind()
	if unseen := w.unseen[routes]; unseen != nil {
		used[""] = unseen
	}
	for i := range w.Changes {
		change := &w.Changes[i]
		if change.stored == nil || change.Key.GVK.GroupKind() != routes {
			continue
		}
		why := change.Err
		switch {
		case why != nil:
		case change.Kind == kube.ChangeLeave:
			why = errKept
		case change.Kind == kube.ChangeRemove && change.Outcome == kube.Kept:
			why = &kube.Error{Action: deleteAction(change.Key), Reason: kube.ReasonConflict}
		default:
			continue
		}
		for _, host := range istio.LeadsTo(specOf(change.stored)) {
			if known := used[host]; known == nil || known == errKept {
				used[host] = why
			}
		}
	}
	return used
}

// usedBy returns why a stored object is still in use; nil if it is not.
func (w *writer) usedBy(stored *unstructured.Unstructured, used map[string]*kube.Error) *kube.Error {
	if len(used) == 0 {
		return nil
	}
	hosts := istio.Provides(istio.Kind(stored.GetKind()), specOf(stored))
	if len(hosts) == 0 {
		return nil
	}
	for _, host := range append([]string{""}, hosts...) {
		if user := used[host]; user != nil {
			return user
		}
	}
	return nil
}

// stillUsedError returns the error that an object is kept because requests may still need it.
func (w *writer) stillUsedError(action string, user *kube.Error) *kube.Error {
	e := &kube.Error{
		Cluster: w.Name, Action: action, Reason: user.Reason,
		Why:  "requests may still be sent there, because meshctl cannot " + user.Action,
		Hint: "fix that error, then run 'meshctl apply' again",
	}
	return e.WithCause(user)
}

func (w *writer) remove(ctx context.Context, change *Change, used map[string]*kube.Error) {
	action := deleteAction(change.Key)
	if lost := w.lost.Load(); lost != nil {
		change.fail(action, lost)
		return
	}
	if user := w.usedBy(change.stored, used); user != nil {
		change.fail(action, w.stillUsedError(action, user))
		return
	}
	target, err := w.connection.Target(ctx, change.Key.GVK, change.Key.Namespace)
	if err == nil {
		change.Outcome, err = kube.DeleteUnchanged(ctx, target, change.stored, w.dryRun, func(now *unstructured.Unstructured) bool {
			same := now.GetUID() == change.stored.GetUID() && now.GetGeneration() == change.stored.GetGeneration()
			return same && kube.IsOwned(now, w.owner)
		})
	}
	if err != nil {
		e := w.connection.Translate(action, err)
		w.checkLost(e)
		change.fail(action, e)
	}
}

func deleteAction(key kube.ObjectKey) string {
	return "delete " + kube.DescribeObject(key.GVK.Kind, key.Namespace, key.Name)
}

// checkLost records whether the cluster is unusable, so that no further requests are sent to it.
func (w *writer) checkLost(e *kube.Error) {
	if e.WholeCluster() {
		w.lost.Store(e)
	}
}
