package rollout

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// Reduce removes what is not wanted any more and finishes transitions, which
// take something away, too, in all stages from the last one down to the first one
// given that it has not been called for before. Stages come in the opposite order of
// writing, so that what leads somewhere goes before what it leads to.
func (r *Run) Reduce(ctx context.Context, first int) {
	removals, finals := map[int][]int{}, map[int][]step{}
	stages := map[int]bool{}
	for i := range r.plan.Changes {
		change := &r.plan.Changes[i]
		switch {
		case change.Kind == kube.ChangeRemove && !r.opts.Keep:
			stage := r.plan.opts.StageOf(change.stored)
			removals[stage], stages[stage] = append(removals[stage], i), true
		case change.Kind == kube.ChangeModify && change.transition != nil:
			finals[change.early], stages[change.early] = append(finals[change.early], step{i, false}), true
		}
	}
	for _, stage := range slices.Backward(slices.Sorted(maps.Keys(stages))) {
		if stage < first || r.reduced[stage] {
			continue
		}
		r.reduced[stage] = true
		used := r.usedHosts()
		kube.ParallelRequests(removals[stage], func(i int) struct{} {
			r.removeOne(ctx, i, used)
			return struct{}{}
		})
		r.writeStage(ctx, slices.DeleteFunc(finals[stage], func(s step) bool { return r.leaveInTransition(s.change, used) }))
	}
}

// leaveInTransition reports whether an object keeps for now what it should have
// no more. Where Keep asks for that, it is no failure.
func (r *Run) leaveInTransition(change int, used map[string]*kube.Error) bool {
	c := &r.plan.Changes[change]
	if r.results[change].Err != nil {
		return true
	}
	user := r.userOf(c.stored, used)
	if user == nil {
		return false
	}
	if user != errKept {
		r.fail(change, r.stays(kube.ApplyAction(c.Key), user))
	}
	return true
}

// UsedElsewhere says which hosts others than the stored objects of this cluster may
// still send requests to, and why, for the stages that are yet to be reduced.
func (r *Run) UsedElsewhere(hosts map[string]*kube.Error) { r.elsewhere = hosts }

// errKept stands for an object that stays because Keep says so.
var errKept = &kube.Error{Why: "what is not wanted any more is kept"}

// usedHosts returns the hosts that stored objects still send requests to although
// they should not, and why. The key "" stands for all hosts: it is not known
// where requests are sent to.
func (r *Run) usedHosts() map[string]*kube.Error {
	used := maps.Clone(r.elsewhere)
	if used == nil {
		used = map[string]*kube.Error{}
	}
	routing := r.plan.opts.Routing
	if routing.LeadsTo == nil {
		return used
	}
	if unseen := r.plan.unseen[routing.Kind]; unseen != nil {
		used[""] = unseen
	}
	for i := range r.plan.Changes {
		change, result := &r.plan.Changes[i], &r.results[i]
		if change.stored == nil || change.Key.GVK.GroupKind() != routing.Kind {
			continue
		}
		why := result.Err
		switch {
		case why != nil:
		case change.Kind == kube.ChangeRemove && r.opts.Keep:
			why = errKept
		case change.Kind == kube.ChangeRemove && result.Outcome == kube.Kept:
			why = &kube.Error{Action: "delete " + kube.DescribeObject(change.Key.GVK.Kind, change.Key.Namespace, change.Key.Name), Reason: kube.ReasonConflict}
		default:
			continue
		}
		for _, host := range routing.LeadsTo(change.stored) {
			if known := used[host]; known == nil || known == errKept {
				used[host] = why
			}
		}
	}
	return used
}

// userOf returns why a stored object is still needed; nil if it is not.
func (r *Run) userOf(stored *unstructured.Unstructured, used map[string]*kube.Error) *kube.Error {
	if len(used) == 0 || r.plan.opts.Routing.Provides == nil {
		return nil
	}
	hosts := r.plan.opts.Routing.Provides(stored)
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

// stays says that an object keeps what requests still need.
func (r *Run) stays(action string, user *kube.Error) *kube.Error {
	e := &kube.Error{
		Cluster: r.plan.Cluster, Action: action, Reason: user.Reason,
		Why:  "requests may still be sent there, because meshctl cannot " + user.Action,
		Hint: "see what is wrong with that, then apply again",
	}
	return e.WithCause(user)
}

func (r *Run) removeOne(ctx context.Context, i int, used map[string]*kube.Error) {
	change, c := &r.plan.Changes[i], r.plan.connection
	action := "delete " + kube.DescribeObject(change.Key.GVK.Kind, change.Key.Namespace, change.Key.Name)
	if lost := r.lost.Load(); lost != nil {
		r.results[i].Fail(action, lost)
		return
	}
	if user := r.userOf(change.stored, used); user != nil {
		r.results[i].Fail(action, r.stays(action, user))
		return
	}
	target, err := c.Target(ctx, change.Key.GVK, change.Key.Namespace)
	if err == nil {
		r.results[i].Outcome, err = kube.DeleteSeen(ctx, target, change.stored, r.opts.DryRun, func(now *unstructured.Unstructured) bool {
			same := now.GetUID() == change.stored.GetUID() && now.GetGeneration() == change.stored.GetGeneration()
			return same && kube.IsOwned(now, r.plan.opts.Owner)
		})
	}
	if err != nil {
		e := c.Translate(action, err)
		r.note(e)
		r.results[i].Fail(action, e)
	}
}

// note remembers that the cluster cannot be used any more, so that nothing else
// waits for it.
func (r *Run) note(e *kube.Error) {
	if e.WholeCluster() {
		r.lost.Store(e)
	}
}
