package commands

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/rollout"
)

// tellBegun asks for patience where much is to be written.
func (a *applying) tellBegun(c *rollout.Cluster) {
	if count := c.Writes(); count >= announcedChanges {
		a.say("%s: writing %d objects", c.Name, count)
	}
}

// tellDone says what came of a cluster.
func (a *applying) tellDone(c *rollout.Cluster) {
	a.say("%s: %s", c.Name, outcomesText(c.Outcomes()))
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
		a.say("%s: the status of %s written", management, countOf(written, "resource", "resources"))
	}
}

// showResults prints what was done.
func (a *applying) showResults() error {
	a.tellFailures()
	switch a.output.String() {
	case "json", "yaml":
		return a.printReport()
	case "name":
		for i := range a.plan.Clusters {
			for _, change := range changesOf(&a.plan.Clusters[i]) {
				if change.Kind == kube.ChangeRefuse {
					continue
				}
				if _, err := fmt.Fprintln(a.streams.Out, objectName(change.Key.GVK.GroupKind(), change.Key.Name)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if !a.quiet && a.plan.Writes() == 0 && len(a.plan.Clusters) > 0 && a.outcome() == nil {
		a.say("Nothing to do: everything is as it should be.")
	}
	if !a.writes() {
		return nil
	}
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		for k := range c.Changes {
			change := &c.Changes[k]
			if change.Outcome == "" || change.Err != nil {
				continue
			}
			if _, err := fmt.Fprintf(a.streams.Out, "%s in %s %s on %s\n", objectName(change.Key.GVK.GroupKind(), change.Key.Name), change.Key.Namespace, change.Outcome, c.Name); err != nil {
				return err
			}
		}
	}
	return nil
}
