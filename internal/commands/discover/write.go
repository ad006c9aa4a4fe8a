package discover

import (
	"context"
	"slices"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// write stores the discovered objects in the management cluster, or prints what would change.
func (d *discovering) write(ctx context.Context) error {
	plan, err := d.stored.PlanDiscovered(d.found, d.prune)
	if err != nil {
		return err
	}
	if d.dryRun.String() != "none" {
		if err := d.printDiff(plan); err != nil {
			return err
		}
	}
	var failed error
	for _, group := range plan.Groups() {
		d.explainLeft(plan, group)
		for _, c := range plan.TrustDomainChanges(group) {
			d.say("warning: %s: the trust domain of mesh %s changed from %s to %s; accept it with 'meshctl trust issue VIRTUALMESH --accept-trust-domain %s=%s' if that is intended",
				c.Cluster, c.Mesh, c.Accepted, c.Found, c.Mesh, c.Found)
		}
		lost, err := d.writeGroup(ctx, plan, group)
		if err != nil {
			failed = err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if lost {
			d.say("error: lost the connection to the management cluster; run 'meshctl discover' again to continue")
			break
		}
	}
	return failed
}

// writeGroup writes the objects of one cluster. lost is true if the management cluster became
// unusable.
func (d *discovering) writeGroup(ctx context.Context, plan *inventory.Plan, group string) (lost bool, err error) {
	var results []kube.Result
	dryRun := kube.DryRun(d.dryRun.String())
	if dryRun == "client" {
		results = refusals(plan, group)
	} else {
		changes := plan.Count(group, kube.ChangeAdd) + plan.Count(group, kube.ChangeModify) + plan.Count(group, kube.ChangeRemove)
		if changes >= cmdutil.AnnouncedChanges {
			d.say("%s: writing %s", groupLabel(group), text.Count(changes, "object"))
		}
		results = plan.Run(ctx, group, inventory.RunOptions{Force: d.forceConflicts, DryRun: dryRun})
	}
	var written []kube.Result
	count := map[kube.Outcome]int{kube.Unchanged: plan.Count(group, kube.ChangeNone)}
	var errs []string
	for _, r := range results {
		count[r.Outcome]++
		switch {
		case r.Err != nil && r.Err.Reason == kube.ReasonCancelled:
		case r.Err != nil:
			lost = lost || r.Err.WholeCluster()
			errs = append(errs, "error: "+r.Err.Error())
		case r.Outcome == kube.Created, r.Outcome == kube.Configured, r.Outcome == kube.Deleted:
			written = append(written, r)
		}
	}
	if dryRun == kube.DryRunNone {
		if err := cmdutil.PrintResults(d.streams, output.FormatTable, kube.DryRunNone, written); err != nil {
			return lost, err
		}
		d.say("%s: %s", groupLabel(group), cmdutil.OutcomesText(count))
	}
	cmdutil.ReportLines(d.streams, errs)
	if len(errs) > 0 {
		err = cli.ErrReported
	}
	return lost, err
}

// refusals returns the results for objects of a group that belong to someone else.
func refusals(plan *inventory.Plan, group string) []kube.Result {
	var results []kube.Result
	for i := range plan.Changes {
		if change := &plan.Changes[i]; change.Group == group && change.Kind == kube.ChangeRefuse {
			results = append(results, kube.Result{Outcome: kube.Conflict, Err: change.Err})
		}
	}
	return results
}

// groupLabel returns the name of a group of objects for messages.
func groupLabel(group string) string {
	if group == "" {
		return "several clusters"
	}
	return group
}

// explainLeft prints why stored objects that were not discovered are kept.
func (d *discovering) explainLeft(plan *inventory.Plan, group string) {
	left := plan.Count(group, kube.ChangeLeave)
	at := slices.IndexFunc(d.found, func(c inventory.Cluster) bool { return c.Name == group })
	if left == 0 || at < 0 || !d.prune {
		return
	}
	why := "discovery was incomplete"
	switch cluster := &d.found[at]; {
	case cluster.Err != nil && !cluster.Err.WholeCluster():
		why = "discovery failed"
	case cluster.Err != nil:
		why = "the cluster is unreachable"
	case cluster.Dumped:
		why = "files may be incomplete"
	}
	d.say("%s: kept %s (not found): %s", group, text.Count(left, "stored object"), why)
}

// printDiff prints what a dry run would change, by cluster.
func (d *discovering) printDiff(plan *inventory.Plan) error {
	return output.Print(d.streams, output.FormatTable, view.View{Text: view.Lines(func(t *view.Text) { writePlan(t, plan) })})
}

func writePlan(t *view.Text, plan *inventory.Plan) {
	for _, group := range plan.Groups() {
		add, modify, remove := plan.Count(group, kube.ChangeAdd), plan.Count(group, kube.ChangeModify), plan.Count(group, kube.ChangeRemove)
		if add+modify+remove+plan.Count(group, kube.ChangeNone) == 0 {
			continue
		}
		t.Linef("%s: %d to add, %d to change, %d to remove, %d unchanged", groupLabel(group), add, modify, remove, plan.Count(group, kube.ChangeNone))
		t.Nested(func() {
			for i := range plan.Changes {
				if plan.Changes[i].Group == group {
					writeChange(t, &plan.Changes[i])
				}
			}
		})
	}
}

// shownFields limits the changed fields shown per object.
const shownFields = 12

func writeChange(t *view.Text, change *inventory.Change) {
	sign := cmdutil.ChangeSign(change.Kind)
	if sign == "" {
		return
	}
	t.Linef("%s %s/%s", sign, change.Key.GVK.Kind, change.Key.Name)
	const indent = "    " // aligned below kind and name, after the sign
	for i, field := range change.Fields {
		if i == shownFields {
			t.Linef("%s... %s", indent, text.More(len(change.Fields)-shownFields))
			return
		}
		t.Linef("%s%s %s", indent, cmdutil.ChangeSign(field.Kind), field.Path)
	}
}
