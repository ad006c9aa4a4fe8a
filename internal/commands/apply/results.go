package apply

import (
	"iter"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
)

// reportStart announces a cluster in which many objects are written.
func (a *applyRun) reportStart(c *rollout.Cluster) {
	if count := c.Writes(); count >= cmdutil.AnnouncedChanges {
		a.say("%s: writing %s", c.Name, text.Count(count, "object"))
	}
}

// reportCluster counts the outcomes of a cluster.
func (a *applyRun) reportCluster(c *rollout.Cluster) {
	a.say("%s: %s", c.Name, cmdutil.OutcomesText(c.Outcomes()))
}

// reportStatuses reports the statuses written to the management cluster.
func (a *applyRun) reportStatuses() {
	if a.plan.StatusErr != nil {
		a.say("error: %s", a.plan.StatusErr)
	}
	var failed []*kube.Error
	var management string
	written := 0
	for i := range a.plan.Statuses {
		r := &a.plan.Statuses[i]
		if r.Outcome == kube.Configured {
			management = r.Cluster
			written++
		}
		if r.Err != nil && r.Err.Reason != kube.ReasonCancelled {
			failed = append(failed, r.Err)
		}
	}
	var lines []string
	for _, e := range kube.FoldForbiddenStatuses(failed) {
		lines = append(lines, "error: "+e.Error())
	}
	cmdutil.ReportLinesOrAll(a.streams, lines)
	if written > 0 {
		a.say("%s: wrote the status of %s", management, text.Count(written, "resource"))
	}
}

// reportDraining says when access rules that were written act on existing
// connections (D78).
func (a *applyRun) reportDraining() {
	written := a.changes(func(change *rollout.Change) bool {
		return change.Key.GVK.Kind == string(istio.KindAuthorizationPolicy) && (change.Outcome == kube.Created || change.Outcome == kube.Configured)
	})
	if len(written) > 0 && !a.quiet {
		a.say("Access rules hold for new connections. Existing ones keep the previous rules until their listeners have drained (Istio's drainDuration, 45s by default).")
	}
}

// showResults prints the result of the command.
func (a *applyRun) showResults() error {
	a.reportFailures()
	a.reportDraining()
	if a.output.Format().ForPeople() && !a.quiet && a.plan.Writes() == 0 && len(a.plan.Clusters) > 0 && a.outcome() == nil {
		a.say("Nothing to do: all clusters are up to date.")
	}
	return output.Print(a.streams, a.output.Format(), view.View{
		Document: func() (any, error) { return a.report(), nil }, Text: view.Lines(a.writeResults), Names: a.changedNames(),
	})
}

// writeResults writes a line for each object that was written, for people.
func (a *applyRun) writeResults(t *view.Text) {
	if !a.writes() {
		return // the plan is the result
	}
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		for k := range c.Changes {
			if change := &c.Changes[k]; change.Outcome != "" && change.Err == nil {
				t.Linef("%s in %s %s on %s", cmdutil.ObjectName(change.Key.GVK.GroupKind(), change.Key.Name), change.Key.Namespace, change.Outcome, c.Name)
			}
		}
	}
}

// changedNames are the names of the objects that change.
func (a *applyRun) changedNames() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range a.plan.Clusters {
			for _, change := range changesOf(&a.plan.Clusters[i]) {
				if change.Kind != kube.ChangeRefuse && !yield(cmdutil.ObjectName(change.Key.GVK.GroupKind(), change.Key.Name), nil) {
					return
				}
			}
		}
	}
}
