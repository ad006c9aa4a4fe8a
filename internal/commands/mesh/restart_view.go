package mesh

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/restart"
)

// APIVersion is the API version of the document printed by mesh restart.
const APIVersion = "restart.meshctl.io/v1alpha1"

// restartReport is the JSON and YAML document of the command: what is restarted, why, and with
// what outcome.
type restartReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// DryRun is none, client or server.
	DryRun string `json:"dryRun"`
	// RestartedAt is the value of the annotation, to be passed to --resume.
	RestartedAt string                `json:"restartedAt"`
	Meshes      []restartedMeshReport `json:"meshes"`
}

// restartedMeshReport is one mesh of a restartReport.
type restartedMeshReport struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster"`
	// Error is why the mesh is not restarted.
	Error string `json:"error,omitempty"`
	// CAChanged is when the CA last changed; absent if the control plane uses a self-generated
	// one.
	CAChanged *time.Time `json:"caChanged,omitempty"`
	Notes     []string   `json:"notes,omitempty"`
	// Items are the workloads of the mesh that match the filters.
	Items []restartedItem `json:"items"`
}

// restartedItem is an item of a plan and its outcome.
type restartedItem struct {
	restart.Item
	// Outcome is absent if the item was not processed.
	Outcome restart.Outcome `json:"outcome,omitempty"`
	Error   string          `json:"error,omitempty"`
	// Seconds is the duration.
	Seconds *float64 `json:"seconds,omitempty"`
}

func (r *restarting) report() restartReport {
	report := restartReport{
		APIVersion: APIVersion, Kind: "MeshRestart", DryRun: r.dryRun.String(), RestartedAt: r.Fleet.RestartedAt, Meshes: []restartedMeshReport{},
	}
	for i := range r.Fleet.Meshes {
		m := &r.Fleet.Meshes[i]
		view := restartedMeshReport{Name: m.Mesh.Ref.Name, Namespace: m.Mesh.Ref.Namespace, Cluster: m.Mesh.Cluster, Items: []restartedItem{}}
		if m.Err != nil {
			view.Error = m.Err.Error()
		}
		if m.Plan != nil {
			if changed := m.Plan.TrustChanged.UTC(); !m.Plan.TrustChanged.IsZero() {
				view.CAChanged = &changed
			}
			view.Notes = m.Plan.Notes
			for k := range m.Plan.Items {
				view.Items = append(view.Items, newRestartedItem(m, &m.Plan.Items[k]))
			}
		}
		report.Meshes = append(report.Meshes, view)
	}
	return report
}

func newRestartedItem(m *restart.MeshRestart, item *restart.Item) restartedItem {
	view := restartedItem{Item: *item}
	result := m.Result(item)
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

// shows reports whether tables have a row for the item.
func (r *restarting) shows(item *restart.Item) bool {
	return item.Action != restart.ActionNone || r.output.Format() == output.FormatWide
}

// showPlan prints the plan as a table: on standard error if it needs confirmation, and on
// standard output if nothing is written, because the plan is the result then.
func (r *restarting) showPlan() error {
	r.ReportFailures()
	printer := output.OnErr(r.streams)
	if !r.Writes() {
		printer = output.OnOut(r.streams)
	}
	format := r.output.Format()
	if !format.ForPeople() {
		return nil
	}
	if err := printer.Print(format, view.View{Table: view.Rows(r.planTable())}); err != nil {
		return err
	}
	for i := range r.Fleet.Meshes {
		m := &r.Fleet.Meshes[i]
		if m.Plan == nil || m.Err != nil {
			continue
		}
		for _, note := range m.Plan.Notes {
			r.Progress.Line("note: %s: %s", m.Mesh.Cluster, note)
		}
		for k := range m.Plan.Items {
			item := &m.Plan.Items[k]
			if !r.shows(item) {
				continue
			}
			for _, note := range item.Notes {
				r.Progress.Line("note: %s.%s: %s", item.Ref, m.Mesh.Cluster, note)
			}
		}
	}
	return nil
}

// planTable returns a table with one row per item; it has no columns if there are none.
func (r *restarting) planTable() view.Table {
	var table view.Table
	r.eachShown(func(m *restart.MeshRestart, item *restart.Item) {
		table.Noun = "workload"
		table.Columns = []view.Column{
			{Name: "CLUSTER"}, {Name: "STAGE", Priority: 2}, {Name: "NAMESPACE"}, {Name: "NAME"}, {Name: "PODS", Priority: 1}, {Name: "ACTION"}, {Name: "WHY", Content: view.Reason},
		}
		var why []string
		for _, reason := range item.Reasons {
			why = append(why, reason.Message)
		}
		table.Add(
			m.Mesh.Cluster, string(item.Stage), item.Namespace, strings.ToLower(item.Kind)+"/"+item.Name,
			fmt.Sprint(item.Pods), string(item.Action), view.OrNone(strings.Join(why, "; ")))
	})
	return table
}

// eachShown calls visit for the items shown in tables, in their order.
func (r *restarting) eachShown(visit func(*restart.MeshRestart, *restart.Item)) {
	for i := range r.Fleet.Meshes {
		m := &r.Fleet.Meshes[i]
		if m.Plan == nil {
			continue
		}
		for k := range m.Plan.Items {
			if item := &m.Plan.Items[k]; r.shows(item) {
				visit(m, item)
			}
		}
	}
}

// print prints the results.
func (r *restarting) print() error {
	v := view.View{Document: func() (any, error) { return r.report(), nil }, Names: r.restartedNames()}
	if r.dryRun.String() != "client" { // otherwise the plan has been printed and is the result
		v.Table = view.Rows(r.outcomeTable())
	}
	return output.Print(r.streams, r.output.Format(), v)
}

// outcomeTable returns a table with one row per processed item; it has no columns if there are
// none.
func (r *restarting) outcomeTable() view.Table {
	var table view.Table
	r.eachShown(func(m *restart.MeshRestart, item *restart.Item) {
		result := m.Result(item)
		if result == nil {
			return
		}
		took := view.None
		if newRestartedItem(m, item).Seconds != nil {
			took = result.Took.Round(100 * time.Millisecond).String()
		}
		table.Columns = []view.Column{
			{Name: "CLUSTER"}, {Name: "STAGE", Priority: 2}, {Name: "NAMESPACE"}, {Name: "NAME"}, {Name: "OUTCOME"}, {Name: "TOOK", Priority: 1},
		}
		table.Add(m.Mesh.Cluster, string(item.Stage), item.Namespace, strings.ToLower(item.Kind)+"/"+item.Name, string(result.Outcome), took)
	})
	return table
}

// restartedNames returns the names of the items that were, or would be, restarted.
func (r *restarting) restartedNames() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range r.Fleet.Meshes {
			m := &r.Fleet.Meshes[i]
			if m.Plan == nil || m.Err != nil {
				continue
			}
			for k := range m.Plan.Items {
				item := &m.Plan.Items[k]
				if item.Action != restart.ActionRestart && item.Action != restart.ActionWait {
					continue
				}
				if !yield(cmdutil.ObjectName(schema.GroupKind{Group: "apps", Kind: item.Kind}, item.Name), nil) {
					return
				}
			}
		}
	}
}
