package commands

import (
	"slices"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/rollout"
)

// errors are what is wrong with a cluster as a whole, or with whole kinds.
func (t *applyTarget) errors() []string {
	var errs []string
	if t.err != nil {
		errs = append(errs, t.err.Error())
	}
	if t.plan != nil {
		for _, e := range t.plan.Unread {
			errs = append(errs, e.Error())
		}
	}
	return errs
}

// tellErrors says what is in the way, within bounds: the same reason only once
// for each kind of a cluster.
func (a *applying) tellErrors() {
	var lines []string
	for i := range a.targets {
		t := &a.targets[i]
		for _, text := range t.errors() {
			lines = append(lines, "error: "+text)
		}
		if t.plan == nil {
			continue
		}
		for _, e := range refusalsOf(t.plan) {
			lines = append(lines, "error: "+e.Error())
		}
	}
	a.tellBounded(lines)
}

// refusalsOf are why objects cannot be written, without those that Unread says
// already.
func refusalsOf(plan *rollout.Plan) []*kube.Error {
	var errs []*kube.Error
	missing := map[string]bool{}
	for i := range plan.Changes {
		change := &plan.Changes[i]
		if change.Kind != kube.ChangeRefuse {
			continue
		}
		kind := change.Key.GVK.Kind
		unread := slices.ContainsFunc(plan.Unread, func(e *kube.Error) bool { return e.Why == change.Err.Why })
		if unread || missing[kind] {
			continue
		}
		missing[kind] = change.Err.Reason == kube.ReasonNoSuchKind
		errs = append(errs, change.Err)
	}
	return errs
}

func (a *applying) tellBounded(lines []string) {
	shown := reportedProblems
	if a.verbosity() > 0 {
		shown = len(lines)
	}
	for _, line := range lines[:min(len(lines), shown)] {
		a.say("%s", line)
	}
	if more := len(lines) - shown; more > 0 {
		a.say("... and %d more; -v shows all", more)
	}
}

// refused returns what the plan has said already that it cannot be written.
func (t *applyTarget) refused() map[kube.ObjectKey]bool {
	refused := map[kube.ObjectKey]bool{}
	if t.plan == nil {
		return refused
	}
	for i := range t.plan.Changes {
		if change := &t.plan.Changes[i]; change.Kind == kube.ChangeRefuse {
			refused[change.Key] = true
		}
	}
	return refused
}
