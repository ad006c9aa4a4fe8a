package apply

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/world"
)

// reportInput reports what could not be read of the input.
func (a *applyRun) reportInput(w *world.World) {
	if w == nil {
		return
	}
	_ = cmdutil.ReportProblems(a.streams, w) // the switch below decides what follows
	switch {
	case !w.Incomplete():
	case a.allowIncomplete:
		a.say("warning: the input is incomplete; nothing is deleted")
	default:
		a.say("error: refusing to apply: the input is incomplete, and pruning could delete live objects (pass --allow-incomplete to apply without deleting anything)")
	}
}

// reportIdle reports the clusters that are skipped.
func (a *applyRun) reportIdle() {
	for _, name := range a.plan.Idle {
		a.say("%s: skipped because no Istio mesh was discovered there", name)
	}
	if len(a.plan.Clusters) == 0 {
		a.say("No Istio mesh found. Run 'meshctl discover' first, or 'meshctl check' to find the problem.")
	}
}

// reportOmissions reports what is not rendered, and why.
func (a *applyRun) reportOmissions() {
	cmdutil.ReportOmissions(a.streams, a.plan.Omissions, a.verbosity() > 0)
}

// reportErrors reports why objects of the plan cannot be written: each reason once,
// and not more than fits a screen unless -v is given. What is held back in a pass of
// --watch is left to reportHolds.
func (a *applyRun) reportErrors() {
	var lines []string
	var refusals []*kube.Error
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		if !a.quiet || c.HeldTrustDomain() == nil {
			for _, e := range c.Errors() {
				lines = append(lines, "error: "+e)
			}
		}
		refusals = append(refusals, a.refusalsOf(c)...)
	}
	for _, alike := range byReason(refusals) {
		lines = append(lines, a.refusalLines(alike)...)
	}
	cmdutil.ReportLinesOrAll(a.streams, lines)
}

// byReason groups errors with the same reason and hint, in the order of the first.
func byReason(errs []*kube.Error) [][]*kube.Error {
	type reason struct{ why, hint string }
	var groups [][]*kube.Error
	places := map[reason]int{}
	for _, e := range errs {
		key := reason{e.Why, e.Hint}
		at, known := places[key]
		if !known {
			at = len(groups)
			places[key], groups = at, append(groups, nil)
		}
		groups[at] = append(groups[at], e)
	}
	return groups
}

// refusalLines returns the error for objects that have the same reason: their number
// and the reason, and below that the first names, or all with -v.
func (a *applyRun) refusalLines(alike []*kube.Error) []string {
	if len(alike) == 1 {
		return []string{"error: " + alike[0].Error()}
	}
	verb := ""
	clusters, objects := map[string]bool{}, map[string]bool{}
	for i, e := range alike {
		does, object, _ := strings.Cut(e.Action, " ")
		if i > 0 && does != verb {
			does = "change"
		}
		verb, clusters[e.Cluster], objects[object] = does, true, true
	}
	limit := shownNames
	if a.verbosity() > 0 {
		limit = len(objects)
	}
	all := *alike[0]
	all.Cluster = ""
	all.Action = fmt.Sprintf("%s %s in %s", verb, text.Count(len(alike), "object"), text.Named("cluster", slices.Sorted(maps.Keys(clusters))))
	if rest, about := strings.CutPrefix(all.Why, "it "); about {
		all.Why = "each " + rest
	}
	return []string{"error: " + all.Error(), "  " + text.Bounded(slices.Sorted(maps.Keys(objects)), limit)}
}

// refusalsOf returns why objects of a cluster cannot be written, except for the
// reasons that Unread already has.
func (a *applyRun) refusalsOf(c *rollout.Cluster) []*kube.Error {
	var errs []*kube.Error
	missing := map[string]bool{}
	for i := range c.Changes {
		change := &c.Changes[i]
		if change.Kind != kube.ChangeRefuse || a.quiet && change.Held {
			continue
		}
		kind := change.Key.GVK.Kind
		unread := slices.ContainsFunc(c.Unread, func(e *kube.Error) bool { return e.Why == change.Err.Why })
		if unread || missing[kind] {
			continue
		}
		missing[kind] = change.Err.Reason == kube.ReasonNoSuchKind
		errs = append(errs, change.Err)
	}
	return errs
}

// reportFailures reports the objects that the plan expected to write and that failed.
func (a *applyRun) reportFailures() {
	var lines []string
	for i := range a.plan.Clusters {
		for _, change := range a.plan.Clusters[i].Changes {
			if change.Err != nil && change.Kind != kube.ChangeRefuse && change.Err.Reason != kube.ReasonCancelled {
				lines = append(lines, "error: "+change.Err.Error())
			}
		}
	}
	cmdutil.ReportLinesOrAll(a.streams, lines)
}

// reportUnfinished says how to continue after failures.
func (a *applyRun) reportUnfinished() {
	if failed := a.plan.FailedClusters(); len(failed) > 0 && a.writes() {
		a.say("Some objects could not be applied to %s. Fix the errors and run 'meshctl apply' again.", strings.Join(failed, ", "))
	}
}

// reportInterrupted says what an interrupt left behind, and how to continue.
func (a *applyRun) reportInterrupted() {
	if a.writes() {
		a.say("Interrupted. What was written stays; run 'meshctl apply' again to continue.")
	}
}
