package commands

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/restart"
)

// restartReport is the documented form of -o json and -o yaml: what is
// restarted and why, and what came of it.
type restartReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// DryRun is none, client or server.
	DryRun string `json:"dryRun"`
	// RestartedAt is the value of the annotation, which --resume takes.
	RestartedAt string                `json:"restartedAt"`
	Meshes      []restartedMeshReport `json:"meshes"`
}

// restartedMeshReport is one mesh of a restartReport.
type restartedMeshReport struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster"`
	// Error is why the mesh is not restarted at all.
	Error string `json:"error,omitempty"`
	// CAChanged is when the certificate authority changed; absent if the control
	// plane has one of its own.
	CAChanged *time.Time `json:"caChanged,omitempty"`
	Notes     []string   `json:"notes,omitempty"`
	// Items are all that belongs to the mesh and passes the filters.
	Items []restartedItem `json:"items"`
}

// restartedItem is one item of a plan with what came of it.
type restartedItem struct {
	restart.Item
	// Outcome is absent if nothing was tried.
	Outcome restart.Outcome `json:"outcome,omitempty"`
	Error   string          `json:"error,omitempty"`
	// Seconds is how long it took.
	Seconds *float64 `json:"seconds,omitempty"`
}

func (r *restarting) report() restartReport {
	report := restartReport{
		APIVersion: describe.APIVersion, Kind: "MeshRestart", DryRun: r.dryRun.String(), RestartedAt: r.restartedAt, Meshes: []restartedMeshReport{},
	}
	for i := range r.meshes {
		m := &r.meshes[i]
		view := restartedMeshReport{Name: m.mesh.Ref.Name, Namespace: m.mesh.Ref.Namespace, Cluster: m.mesh.Cluster, Items: []restartedItem{}}
		if m.err != nil {
			view.Error = m.err.Error()
		}
		if m.plan != nil {
			if changed := m.plan.TrustChanged.UTC(); !m.plan.TrustChanged.IsZero() {
				view.CAChanged = &changed
			}
			view.Notes = m.plan.Notes
			for k := range m.plan.Items {
				view.Items = append(view.Items, m.item(&m.plan.Items[k]))
			}
		}
		report.Meshes = append(report.Meshes, view)
	}
	return report
}

func (m *restartedMesh) item(item *restart.Item) restartedItem {
	view := restartedItem{Item: *item}
	result := m.result(item)
	if result == nil {
		return view
	}
	view.Outcome = result.Outcome
	if result.Err != nil {
		view.Error = result.Err.Error()
	}
	if result.Outcome != restart.OutcomeNotStarted && result.Outcome != restart.OutcomeDryRun {
		seconds := result.Took.Round(100 * time.Millisecond).Seconds()
		view.Seconds = &seconds
	}
	return view
}

// result returns what came of an item, nil if nothing was tried.
func (m *restartedMesh) result(item *restart.Item) *restart.Result {
	for i := range m.report.Results {
		if m.report.Results[i].Item == item {
			return &m.report.Results[i]
		}
	}
	return nil
}

// shows reports whether a table has a row for the item.
func (r *restarting) shows(item *restart.Item) bool {
	return item.Action != restart.ActionNone || r.output.String() == string(describe.FormatWide)
}

// isTable reports whether the output is for people.
func (r *restarting) isTable() bool {
	return r.output.String() == string(describe.FormatTable) || r.output.String() == string(describe.FormatWide)
}

// showPlan prints the plan for people: to those who have to agree on standard
// error, and where nothing is written as what the command was asked for.
func (r *restarting) showPlan() error {
	for i := range r.meshes {
		if m := &r.meshes[i]; m.err != nil {
			r.progress.line("error: %s", m.err)
		}
	}
	out := r.streams.Err
	if !r.writes() {
		out = r.streams.Out
	}
	if !r.isTable() {
		return nil
	}
	if err := r.writePlanTable(out); err != nil {
		return err
	}
	for i := range r.meshes {
		m := &r.meshes[i]
		if m.plan == nil || m.err != nil {
			continue
		}
		for _, note := range m.plan.Notes {
			r.progress.line("note: %s: %s", m.mesh.Cluster, note)
		}
		for k := range m.plan.Items {
			item := &m.plan.Items[k]
			if !r.shows(item) {
				continue
			}
			for _, note := range item.Notes {
				r.progress.line("note: %s.%s: %s", item.Ref, m.mesh.Cluster, note)
			}
		}
	}
	return nil
}

func (r *restarting) writePlanTable(out io.Writer) error {
	rows := [][]string{{"CLUSTER", "STAGE", "NAMESPACE", "NAME", "PODS", "ACTION", "WHY"}}
	r.eachShown(func(m *restartedMesh, item *restart.Item) {
		var why []string
		for _, reason := range item.Reasons {
			why = append(why, reason.Message)
		}
		rows = append(rows, []string{
			m.mesh.Cluster, string(item.Stage), item.Namespace, strings.ToLower(item.Kind) + "/" + item.Name,
			fmt.Sprint(item.Pods), string(item.Action), orNone(strings.Join(why, "; ")),
		})
	})
	if len(rows) == 1 {
		return nil
	}
	return writeColumns(out, rows)
}

// eachShown visits the items that tables show, in their order.
func (r *restarting) eachShown(visit func(*restartedMesh, *restart.Item)) {
	for i := range r.meshes {
		m := &r.meshes[i]
		if m.plan == nil {
			continue
		}
		for k := range m.plan.Items {
			if item := &m.plan.Items[k]; r.shows(item) {
				visit(m, item)
			}
		}
	}
}

// print prints what was done, or would be.
func (r *restarting) print() error {
	switch describe.Format(r.output.String()) {
	case describe.FormatJSON, describe.FormatYAML:
		return printDocument(r.streams.Out, r.output.String(), r.report())
	case describe.FormatName:
		return r.printNames()
	case describe.FormatTable, describe.FormatWide:
	}
	if r.dryRun.String() == "client" {
		return nil // the plan is all there is to say
	}
	rows := [][]string{{"CLUSTER", "STAGE", "NAMESPACE", "NAME", "OUTCOME", "TOOK"}}
	r.eachShown(func(m *restartedMesh, item *restart.Item) {
		if result := m.result(item); result != nil {
			took := "<none>"
			if view := m.item(item); view.Seconds != nil {
				took = result.Took.Round(100 * time.Millisecond).String()
			}
			rows = append(rows, []string{m.mesh.Cluster, string(item.Stage), item.Namespace, strings.ToLower(item.Kind) + "/" + item.Name, string(result.Outcome), took})
		}
	})
	if len(rows) == 1 {
		return nil
	}
	return writeColumns(r.streams.Out, rows)
}

// printNames prints what is, or would be, restarted.
func (r *restarting) printNames() error {
	for i := range r.meshes {
		m := &r.meshes[i]
		if m.plan == nil || m.err != nil {
			continue
		}
		for k := range m.plan.Items {
			item := &m.plan.Items[k]
			if item.Action != restart.ActionRestart && item.Action != restart.ActionWait {
				continue
			}
			if _, err := fmt.Fprintln(r.streams.Out, objectName(schema.GroupKind{Group: "apps", Kind: item.Kind}, item.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// explainNothing says why nothing is restarted.
func (r *restarting) explainNothing() {
	planned := 0
	for i := range r.meshes {
		if m := &r.meshes[i]; m.plan != nil && m.err == nil {
			planned++
		}
	}
	switch {
	case planned == 0:
	case r.count(restart.ActionManual) > 0:
		r.progress.line("Nothing that meshctl can restart needs it; what is listed, its owner has to restart.")
	case r.allWorkloads:
		r.progress.line("There is nothing to restart.")
	default:
		r.progress.line("Nothing needs a restart: no pod is older than the certificate authority of its mesh. --all-workloads restarts all the same.")
	}
}

// summarise says what is left, and how to go on.
func (r *restarting) summarise(ctx context.Context) {
	if !r.writes() {
		return
	}
	left := map[restart.Outcome]int{}
	for i := range r.meshes {
		for _, result := range r.meshes[i].report.Results {
			left[result.Outcome]++
			if result.Err != nil {
				r.progress.line("error: %s", result.Err)
			}
		}
	}
	unfinished := left[restart.OutcomeFailed] + left[restart.OutcomeTimeout] + left[restart.OutcomeInterrupted] + left[restart.OutcomeNotStarted]
	switch {
	case unfinished > 0 && r.allWorkloads:
		r.progress.line("%d of the workloads are not restarted, or not ready. To go on, run the command again with --resume %s.", unfinished, r.restartedAt)
	case unfinished > 0:
		r.progress.line("%d of the workloads are not restarted, or not ready. To go on, run the command again: what is restarted is not restarted again.", unfinished)
	case left[restart.OutcomeBegun] > 0:
		r.progress.line("%d restarts have begun and are not waited for; run the command again to wait for them.", left[restart.OutcomeBegun])
	}
	if left[restart.OutcomeRestarted]+left[restart.OutcomeBegun] > 0 && r.world.fromManagement() && ctx.Err() == nil {
		r.progress.line("New pods have new addresses, which federated Destinations are reached by: run 'meshctl discover', then 'meshctl apply'.")
	}
	if manual := r.count(restart.ActionManual); manual > 0 && ctx.Err() == nil {
		r.progress.line("%d more need a restart that meshctl cannot do: see the notes above.", manual)
	}
}
