package commands

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/rollout"
)

// changesOf returns the changes of a cluster that take place, or should.
func changesOf(c *rollout.Cluster) []*rollout.Change {
	var changes []*rollout.Change
	for i := range c.Changes {
		if change := &c.Changes[i]; change.Kind != kube.ChangeLeave {
			changes = append(changes, change)
		}
	}
	return changes
}

// showPlan shows what is to be done: as the answer of a dry run, and otherwise
// on standard error, for whoever has to agree.
func (a *applying) showPlan() error {
	a.tellIdle()
	tellOmissions(a.streams, a.plan.Omissions, a.verbosity() > 0)
	out := a.streams.Err
	if !a.writes() {
		out = a.streams.Out
	}
	asked := a.writes() && !a.yes
	if a.writes() && a.yes {
		out = forgiving{out} // nobody has to see it
	}
	if a.quiet || a.output.String() != "table" && !asked {
		out = io.Discard // the report says all of it
	}
	if len(a.plan.Clusters) > 0 {
		if err := a.writePlanTable(out); err != nil {
			return err
		}
	}
	var err error
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		switch {
		case a.showDiff:
			err = a.writeDiff(out, c)
		case a.yes && a.writes(): // nobody has to agree, and the results say it again
		default:
			_, err = io.WriteString(out, a.changeLines(c))
		}
		if err != nil {
			return err
		}
	}
	a.tellErrors()
	return nil
}

// forgiving is a writer whose failures do not matter, such as a standard error
// that nobody reads any more.
type forgiving struct{ io.Writer }

// Write implements io.Writer.
func (w forgiving) Write(p []byte) (int, error) {
	_, _ = w.Writer.Write(p)
	return len(p), nil
}

// writePlanTable writes one row for each cluster.
func (a *applying) writePlanTable(out io.Writer) error {
	const columnGap = 3
	w := tabwriter.NewWriter(out, 0, 0, columnGap, ' ', 0)
	fmt.Fprintln(w, "CLUSTER\tCREATE\tCHANGE\tDELETE\tCONFLICT\tUNCHANGED")
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		if c.Err != nil {
			fmt.Fprintf(w, "%s\t?\t?\t?\t?\t?\n", c.Name)
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", c.Name,
			c.Count(kube.ChangeAdd), c.Count(kube.ChangeModify), c.Count(kube.ChangeRemove), c.Count(kube.ChangeRefuse), c.Unchanged)
	}
	return w.Flush()
}

// shownChanges bounds the objects of one cluster that a plan lists.
const shownChanges = 20

// changeLines lists the objects of a cluster that change.
func (a *applying) changeLines(c *rollout.Cluster) string {
	var text strings.Builder
	changes := changesOf(c)
	for i, change := range changes {
		if i == 0 {
			fmt.Fprintf(&text, "\n%s:\n", c.Name)
		}
		if i == shownChanges && a.verbosity() == 0 {
			fmt.Fprintf(&text, "  ... and %d more; -v shows all, --diff in full\n", len(changes)-i)
			break
		}
		sign := changeSign(change.Kind)
		if sign == "" {
			sign = "!"
		}
		fmt.Fprintf(&text, "  %s %s %s/%s", sign, change.Key.GVK.Kind, change.Key.Namespace, change.Key.Name)
		if fields := fieldsText(change.Fields); fields != "" {
			text.WriteString(": " + printable(fields))
		}
		text.WriteString("\n")
	}
	return text.String()
}

// fieldsText names the fields that change, within bounds.
func fieldsText(fields []kube.FieldChange) string {
	const shown = 4
	var paths []string
	for _, field := range fields {
		if strings.HasPrefix(field.Path, "spec") {
			paths = append(paths, changeSign(field.Kind)+field.Path)
		}
	}
	if len(paths) == 0 && len(fields) > 0 {
		return "only labels or annotations" // which nobody needs to read beside others
	}
	more := ""
	if len(paths) > shown {
		more = fmt.Sprintf(" and %d more", len(paths)-shown)
		paths = paths[:shown]
	}
	return strings.Join(paths, ", ") + more
}

// writeDiff writes the changes of a cluster as one unified diff.
func (a *applying) writeDiff(out io.Writer, c *rollout.Cluster) error {
	color := a.streams.OutColor()
	if a.writes() {
		color = a.streams.ErrColor()
	}
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
			if texts[i], err = yaml.Marshal(object.Object); err != nil {
				return err
			}
		}
		diff := view.View{Text: view.Lines(func(t *view.Text) { t.Diff(name+" (now)", name+" (applied)", texts[0], texts[1]) })}
		if err := output.Write(out, output.FormatTable, color, diff); err != nil {
			return err
		}
	}
	return nil
}
