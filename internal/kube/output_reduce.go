package kube

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Reduce removes what is not wanted any more and finishes transitions, which
// take something away, too, in all stages from the last one down to the first one
// given that it has not been called for before. Stages come in the opposite order of
// writing, so that what leads somewhere goes before what it leads to.
func (r *OutputRun) Reduce(ctx context.Context, first int) {
	removals, finals := map[int][]int{}, map[int][]step{}
	stages := map[int]bool{}
	for i := range r.plan.Changes {
		change := &r.plan.Changes[i]
		switch {
		case change.Kind == ChangeRemove && !r.opts.Keep:
			stage := r.plan.opts.StageOf(change.stored)
			removals[stage], stages[stage] = append(removals[stage], i), true
		case change.Kind == ChangeModify && change.transition != nil:
			finals[change.early], stages[change.early] = append(finals[change.early], step{i, false}), true
		}
	}
	for _, stage := range slices.Backward(slices.Sorted(maps.Keys(stages))) {
		if stage < first || r.reduced[stage] {
			continue
		}
		r.reduced[stage] = true
		used := r.usedHosts()
		ParallelRequests(removals[stage], func(i int) struct{} {
			r.removeOne(ctx, i, used)
			return struct{}{}
		})
		r.writeStage(ctx, slices.DeleteFunc(finals[stage], func(s step) bool { return r.leaveInTransition(s.change, used) }))
	}
}

// leaveInTransition reports whether an object keeps for now what it should have
// no more. Where Keep asks for that, it is no failure.
func (r *OutputRun) leaveInTransition(change int, used map[string]*Error) bool {
	c := &r.plan.Changes[change]
	if r.results[change].Err != nil {
		return true
	}
	user := r.userOf(c.stored, used)
	if user == nil {
		return false
	}
	if user != errKept {
		r.fail(change, r.stays(applyAction(c.Key), user))
	}
	return true
}

// UsedElsewhere says which hosts others than the stored objects of this cluster may
// still send requests to, and why, for the stages that are yet to be reduced.
func (r *OutputRun) UsedElsewhere(hosts map[string]*Error) { r.elsewhere = hosts }

// errKept stands for an object that stays because Keep says so.
var errKept = &Error{Why: "what is not wanted any more is kept"}

// usedHosts returns the hosts that stored objects still send requests to although
// they should not, and why. The key "" stands for all hosts: it is not known
// where requests are sent to.
func (r *OutputRun) usedHosts() map[string]*Error {
	used := maps.Clone(r.elsewhere)
	if used == nil {
		used = map[string]*Error{}
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
		case change.Kind == ChangeRemove && r.opts.Keep:
			why = errKept
		case change.Kind == ChangeRemove && result.Outcome == Kept:
			why = &Error{Action: "delete " + DescribeObject(change.Key.GVK.Kind, change.Key.Namespace, change.Key.Name), Reason: ReasonConflict}
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
func (r *OutputRun) userOf(stored *unstructured.Unstructured, used map[string]*Error) *Error {
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
func (r *OutputRun) stays(action string, user *Error) *Error {
	e := &Error{
		Cluster: r.plan.Cluster, Action: action, Reason: user.Reason,
		Why:  "requests may still be sent there, because meshctl cannot " + user.Action,
		Hint: "see what is wrong with that, then apply again",
	}
	return e.WithCause(user)
}

func (r *OutputRun) removeOne(ctx context.Context, i int, used map[string]*Error) {
	change, c := &r.plan.Changes[i], r.plan.connection
	action := "delete " + DescribeObject(change.Key.GVK.Kind, change.Key.Namespace, change.Key.Name)
	if lost := r.lost.Load(); lost != nil {
		r.results[i].fail(action, lost)
		return
	}
	if user := r.userOf(change.stored, used); user != nil {
		r.results[i].fail(action, r.stays(action, user))
		return
	}
	target, err := c.target(ctx, change.Key.GVK, change.Key.Namespace)
	if err == nil {
		r.results[i].Outcome, err = removeSeen(ctx, target, change.stored, r.opts.DryRun, func(now *unstructured.Unstructured) bool {
			same := now.GetUID() == change.stored.GetUID() && now.GetGeneration() == change.stored.GetGeneration()
			return same && IsOwned(now, r.plan.opts.Owner)
		})
	}
	if err != nil {
		e := c.Translate(action, err)
		r.note(e)
		r.results[i].fail(action, e)
	}
}

// note remembers that the cluster cannot be used any more, so that nothing else
// waits for it.
func (r *OutputRun) note(e *Error) {
	if e.WholeCluster() {
		r.lost.Store(e)
	}
}
