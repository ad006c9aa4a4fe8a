package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/clusters"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

// applyReport is the documented form of -o json and -o yaml: what was done to
// every cluster, or what would be.
type applyReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// DryRun is none, client or server.
	DryRun   string           `json:"dryRun"`
	Clusters []appliedCluster `json:"clusters"`
	// Statuses are the resources of the management cluster whose status was
	// written, or could not be.
	Statuses []appliedStatus `json:"statuses,omitempty"`
}

// appliedCluster is what came of one cluster.
type appliedCluster struct {
	Name string `json:"name"`
	// Errors are about the cluster as a whole, or about whole kinds.
	Errors    []string `json:"errors,omitempty"`
	Unchanged int      `json:"unchanged"`
	// Objects are those that were to be changed, by kind, namespace and name.
	Objects []appliedObject `json:"objects"`
}

// appliedObject is what came of one object.
type appliedObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	// Change is create, change, delete or conflict.
	Change string `json:"change"`
	// Outcome is what came of it; absent if nothing was tried.
	Outcome string   `json:"outcome,omitempty"`
	Error   string   `json:"error,omitempty"`
	Fields  []string `json:"fields,omitempty"`
	// Parents are what it was rendered from.
	Parents []string `json:"parents,omitempty"`
}

// appliedStatus is what came of the status of a resource.
type appliedStatus struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Error     string `json:"error,omitempty"`
}

// The changes of an object as users see them.
func changeWord(change *clusters.OutputChange) string {
	switch change.Kind {
	case clusters.ChangeAdd:
		return "create"
	case clusters.ChangeModify:
		return "change"
	case clusters.ChangeRemove:
		return "delete"
	case clusters.ChangeRefuse, clusters.ChangeNone, clusters.ChangeLeave:
	}
	if change.Err != nil && change.Err.Reason == clusters.ReasonConflict {
		return "conflict"
	}
	return "error"
}

// changes returns the changes of a cluster that take place, or should.
func (a *applying) changes(t *applyTarget) []*clusters.OutputChange {
	var changes []*clusters.OutputChange
	if t.plan == nil {
		return nil
	}
	for i := range t.plan.Changes {
		if change := &t.plan.Changes[i]; a.prune || change.Kind != clusters.ChangeRemove {
			changes = append(changes, change)
		}
	}
	return changes
}

// report puts together what came of everything.
func (a *applying) report() applyReport {
	report := applyReport{APIVersion: "describe.meshctl.io/v1alpha1", Kind: "ApplyReport", DryRun: a.dryRun.String(), Clusters: []appliedCluster{}}
	for i := range a.targets {
		t := &a.targets[i]
		cluster := appliedCluster{Name: t.name, Errors: t.errors(), Objects: []appliedObject{}}
		if t.plan != nil {
			cluster.Unchanged = t.plan.Unchanged
		}
		results := map[clusters.ObjectKey]*clusters.Result{}
		for k := range t.results {
			results[keyOfResult(&t.results[k])] = &t.results[k]
		}
		for _, change := range a.changes(t) {
			cluster.Objects = append(cluster.Objects, newAppliedObject(change, results[change.Key], t.parentsOf(change.Key)))
		}
		report.Clusters = append(report.Clusters, cluster)
	}
	for _, s := range a.statuses {
		status := appliedStatus{Kind: s.kind, Namespace: s.namespace, Name: s.name}
		if s.err != nil {
			status.Error = s.err.Error()
		}
		report.Statuses = append(report.Statuses, status)
	}
	return report
}

func newAppliedObject(change *clusters.OutputChange, result *clusters.Result, parents []policy.ObjectID) appliedObject {
	object := appliedObject{
		APIVersion: change.Key.GVK.GroupVersion().String(), Kind: change.Key.GVK.Kind, Namespace: change.Key.Namespace, Name: change.Key.Name,
		Change: changeWord(change),
	}
	for _, parent := range parents {
		object.Parents = append(object.Parents, parent.String())
	}
	for _, field := range change.Fields {
		object.Fields = append(object.Fields, field.Path)
	}
	if change.Err != nil {
		object.Error = change.Err.Error()
	}
	if result != nil {
		object.Outcome = string(result.Outcome)
		if result.Err != nil {
			object.Error = result.Err.Error()
		}
	}
	return object
}

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

// planCount counts changes.
type planCount struct{ create, change, remove, conflict, unchanged int }

func (c planCount) total() int { return c.create + c.change + c.remove }

func (c planCount) nothing() bool { return c.total()+c.conflict == 0 }

func (a *applying) countOf(t *applyTarget) planCount {
	var count planCount
	if t.plan != nil {
		count.unchanged = t.plan.Unchanged
	}
	for _, change := range a.changes(t) {
		switch change.Kind {
		case clusters.ChangeAdd:
			count.create++
		case clusters.ChangeModify:
			count.change++
		case clusters.ChangeRemove:
			count.remove++
		case clusters.ChangeRefuse, clusters.ChangeNone, clusters.ChangeLeave:
			count.conflict++
		}
	}
	return count
}

// count adds up all clusters.
func (a *applying) count() planCount {
	var sum planCount
	for i := range a.targets {
		c := a.countOf(&a.targets[i])
		sum = planCount{sum.create + c.create, sum.change + c.change, sum.remove + c.remove, sum.conflict + c.conflict, sum.unchanged + c.unchanged}
	}
	return sum
}

// showPlan shows what is to be done: as the answer of a dry run, and otherwise
// on standard error, for whoever has to agree.
func (a *applying) showPlan() error {
	tellOmissions(a.streams, a.omissions, a.verbosity() > 0)
	out := a.streams.Err
	if !a.writes() {
		out = a.streams.Out
	}
	if a.output.String() != "table" || a.quiet {
		out = io.Discard
	}
	if len(a.targets) > 0 {
		if err := a.writePlanTable(out); err != nil {
			return err
		}
	}
	var err error
	for i := range a.targets {
		t := &a.targets[i]
		switch {
		case a.showDiff:
			err = a.writeDiff(out, t)
		case a.yes && a.writes(): // nobody has to agree, and the results say it again
		default:
			_, err = io.WriteString(out, a.changeLines(t))
		}
		if err != nil {
			return err
		}
	}
	a.tellErrors()
	return nil
}

// writePlanTable writes one row for each cluster.
func (a *applying) writePlanTable(out io.Writer) error {
	const columnGap = 3
	w := tabwriter.NewWriter(out, 0, 0, columnGap, ' ', 0)
	fmt.Fprintln(w, "CLUSTER\tCREATE\tCHANGE\tDELETE\tCONFLICT\tUNCHANGED")
	for i := range a.targets {
		t := &a.targets[i]
		if t.plan == nil {
			fmt.Fprintf(w, "%s\t?\t?\t?\t?\t?\n", t.name)
			continue
		}
		c := a.countOf(t)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", t.name, c.create, c.change, c.remove, c.conflict, c.unchanged)
	}
	return w.Flush()
}

// shownChanges bounds the objects of one cluster that a plan lists.
const shownChanges = 20

// changeLines lists the objects of a cluster that change.
func (a *applying) changeLines(t *applyTarget) string {
	var text strings.Builder
	changes := a.changes(t)
	for i, change := range changes {
		if i == 0 {
			fmt.Fprintf(&text, "\n%s:\n", t.name)
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
func fieldsText(fields []clusters.FieldChange) string {
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
func (a *applying) writeDiff(out io.Writer, t *applyTarget) error {
	style := describe.Style{Color: a.streams.OutColor()}
	if a.writes() {
		style.Color = a.streams.ErrColor()
	}
	for _, change := range a.changes(t) {
		if change.Kind == clusters.ChangeRefuse {
			continue
		}
		after, err := change.After()
		if err != nil {
			return err
		}
		name := t.name + "/" + change.Key.GVK.Kind + "/" + change.Key.Namespace + "/" + change.Key.Name
		var texts [2][]byte
		for i, object := range []*unstructured.Unstructured{change.Before(), after} {
			if object == nil {
				continue
			}
			if texts[i], err = yaml.Marshal(object.Object); err != nil {
				return err
			}
		}
		diff := describe.UnifiedDiff(name+" (now)", name+" (applied)", texts[0], texts[1])
		if _, err := out.Write(describe.ColorDiff(diff, style)); err != nil {
			return err
		}
	}
	return nil
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
func refusalsOf(plan *clusters.OutputPlan) []*clusters.Error {
	var errs []*clusters.Error
	missing := map[string]bool{}
	for i := range plan.Changes {
		change := &plan.Changes[i]
		if change.Kind != clusters.ChangeRefuse {
			continue
		}
		kind := change.Key.GVK.Kind
		unread := slices.ContainsFunc(plan.Unread, func(e *clusters.Error) bool { return e.Why == change.Err.Why })
		if unread || missing[kind] {
			continue
		}
		missing[kind] = change.Err.Reason == clusters.ReasonNoSuchKind
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

// showResults prints what was done.
func (a *applying) showResults() error {
	var failures []string
	for i := range a.targets {
		t := &a.targets[i]
		refused := t.refused()
		for k := range t.results {
			r := &t.results[k]
			if r.Err != nil && r.Err.Reason != clusters.ReasonCancelled && !refused[keyOfResult(r)] {
				failures = append(failures, "error: "+r.Err.Error())
			}
		}
	}
	a.tellBounded(failures)
	switch a.output.String() {
	case "json", "yaml":
		return a.printReport()
	case "name":
		for i := range a.targets {
			for _, change := range a.changes(&a.targets[i]) {
				if change.Kind == clusters.ChangeRefuse {
					continue
				}
				if _, err := fmt.Fprintln(a.streams.Out, objectName(change.Key.GVK.GroupKind(), change.Key.Name)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if !a.quiet && a.count().nothing() && len(a.targets) > 0 && a.outcome() == nil {
		a.say("Nothing to do: everything is as it should be.")
	}
	if !a.writes() {
		return nil
	}
	for i := range a.targets {
		for _, r := range a.targets[i].results {
			if r.Err != nil {
				continue
			}
			if _, err := fmt.Fprintf(a.streams.Out, "%s in %s %s on %s\n", objectName(r.GVK.GroupKind(), r.Name), r.Namespace, r.Outcome, r.Cluster); err != nil {
				return err
			}
		}
	}
	return nil
}

// refused returns what the plan has said already that it cannot be written.
func (t *applyTarget) refused() map[clusters.ObjectKey]bool {
	refused := map[clusters.ObjectKey]bool{}
	if t.plan == nil {
		return refused
	}
	for i := range t.plan.Changes {
		if change := &t.plan.Changes[i]; change.Kind == clusters.ChangeRefuse {
			refused[change.Key] = true
		}
	}
	return refused
}

func keyOfResult(r *clusters.Result) clusters.ObjectKey {
	return clusters.ObjectKey{GVK: r.GVK, Namespace: r.Namespace, Name: r.Name}
}

func (a *applying) printReport() error {
	report := a.report()
	if a.output.String() == "yaml" {
		text, err := yaml.Marshal(report)
		if err != nil {
			return fmt.Errorf("encode the report as YAML: %w", err)
		}
		_, err = a.streams.Out.Write(text)
		return err
	}
	encoder := json.NewEncoder(a.streams.Out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(report)
}
