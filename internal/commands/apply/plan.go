package apply

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/rollout"
)

// changesOf returns the changes of a cluster without those that are left alone.
func changesOf(c *rollout.Cluster) []*rollout.Change {
	var changes []*rollout.Change
	for i := range c.Changes {
		if change := &c.Changes[i]; change.Kind != kube.ChangeLeave {
			changes = append(changes, change)
		}
	}
	return changes
}

// showPlan shows the plan: on standard output if it is the result of a dry run,
// otherwise on standard error, above the confirmation.
func (a *applyRun) showPlan() error {
	a.compareBehaviour()
	printer := output.OnErr(a.streams)
	if !a.writes() {
		printer = output.OnOut(a.streams)
	}
	asked := a.asks()
	if a.writes() && a.yes {
		printer.Out = bestEffort{printer.Out} // an unread plan must not stop the run
	}
	if a.quiet || !a.output.Format().ForPeople() && !asked {
		printer.Out = io.Discard // the report has all of it
	}
	return printer.Print(output.FormatTable, view.View{Text: a.writePlan})
}

// writePlan writes the plan as text.
func (a *applyRun) writePlan(t *view.Text) error {
	a.writeBehaviour(t)
	if len(a.plan.Clusters) > 0 {
		t.Table(a.planTable())
	}
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		switch {
		case a.showDiff:
			if err := writeDiff(t, c); err != nil {
				return err
			}
		case a.yes && a.writes(): // without a confirmation, the results suffice
		default:
			a.writeChanges(t, c)
		}
	}
	a.writeLostFederation(t)
	a.writeLosses(t)
	return nil
}

// bestEffort is a writer that ignores failures, such as those of a closed standard
// error.
type bestEffort struct{ io.Writer }

// Write implements io.Writer.
func (w bestEffort) Write(p []byte) (int, error) {
	_, _ = w.Writer.Write(p)
	return len(p), nil
}

// planTable has one row for each cluster.
func (a *applyRun) planTable() view.Table {
	table := view.Table{Columns: view.Columns("CLUSTER", "CREATE", "CHANGE", "DELETE", "CONFLICT", "UNCHANGED")}
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		if c.Err != nil {
			table.Add(c.Name, "?", "?", "?", "?", "?")
			continue
		}
		row := []string{c.Name}
		for _, kind := range []kube.ChangeKind{kube.ChangeAdd, kube.ChangeModify, kube.ChangeRemove, kube.ChangeRefuse} {
			row = append(row, strconv.Itoa(c.Count(kind)))
		}
		table.Add(append(row, strconv.Itoa(c.Unchanged))...)
	}
	return table
}

// writeChanges lists the objects of a cluster that change.
func (a *applyRun) writeChanges(t *view.Text, c *rollout.Cluster) {
	changes := changesOf(c)
	if len(changes) == 0 {
		return
	}
	t.Blank()
	t.Section(c.Name, false, func() {
		for i, change := range changes {
			if i == cmdutil.ShownChanges && a.verbosity() == 0 {
				t.Linef("... %s; -v shows all, --diff in full", text.More(len(changes)-i))
				return
			}
			line := fmt.Sprintf("%s %s %s/%s", cmp.Or(cmdutil.ChangeSign(change.Kind), "!"), change.Key.GVK.Kind, change.Key.Namespace, change.Key.Name)
			if fields := cmdutil.FieldsText(change.Fields); fields != "" {
				line += ": " + fields
			}
			t.Line(line)
		}
	})
}

// writeDiff writes the changes of a cluster as one unified diff.
func writeDiff(t *view.Text, c *rollout.Cluster) error {
	for _, change := range changesOf(c) {
		if change.Kind == kube.ChangeRefuse {
			continue
		}
		after, err := change.After()
		if err != nil {
			return err
		}
		name := c.Name + "/" + change.Key.GVK.Kind + "/" + change.Key.Namespace + "/" + change.Key.Name
		var texts [2][]byte
		for i, object := range []*unstructured.Unstructured{change.Before(), after} {
			if object == nil {
				continue
			}
			manifest := view.Manifest{Object: func() (any, error) { return object.Object, nil }}
			if texts[i], err = output.Manifest(manifest); err != nil {
				return err
			}
		}
		t.Diff(name+" (now)", name+" (applied)", texts[0], texts[1])
	}
	return nil
}
