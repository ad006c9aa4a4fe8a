package apply

import (
	"iter"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/rollout"
)

// tellBegun asks for patience where much is to be written.
func (a *applying) tellBegun(c *rollout.Cluster) {
	if count := c.Writes(); count >= cmdutil.AnnouncedChanges {
		a.say("%s: writing %s", c.Name, text.Count(count, "object"))
	}
}

// tellDone says what came of a cluster.
func (a *applying) tellDone(c *rollout.Cluster) {
	a.say("%s: %s", c.Name, cmdutil.OutcomesText(c.Outcomes()))
}

// tellStatuses says what came of the statuses on the management cluster.
func (a *applying) tellStatuses() {
	if a.plan.StatusErr != nil {
		a.say("error: %s", a.plan.StatusErr)
	}
	var errs []string
	var management string
	written := 0
	for i := range a.plan.Statuses {
		r := &a.plan.Statuses[i]
		if r.Outcome == kube.Configured {
			management = r.Cluster
			written++
		}
		if r.Err != nil && r.Err.Reason != kube.ReasonCancelled {
			errs = append(errs, "error: "+r.Err.Error())
		}
	}
	a.tellBounded(errs)
	if written > 0 {
		a.say("%s: wrote the status of %s", management, text.Count(written, "resource"))
	}
}

// showResults prints what was done.
func (a *applying) showResults() error {
	a.tellFailures()
	if a.output.Format().ForPeople() && !a.quiet && a.plan.Writes() == 0 && len(a.plan.Clusters) > 0 && a.outcome() == nil {
		a.say("Nothing to do: all clusters are up to date.")
	}
	return output.Print(a.streams, a.output.Format(), view.View{
		Document: func() (any, error) { return a.report(), nil }, Text: view.Lines(a.writeResults), Names: a.changedNames(),
	})
}

// writeResults writes a line for each object that was written, for people.
func (a *applying) writeResults(t *view.Text) {
	if !a.writes() {
		return // the plan is all there is to say
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
func (a *applying) changedNames() iter.Seq2[string, error] {
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
