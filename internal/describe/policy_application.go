package describe

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
)

// PolicyApplication says whom a policy affects, the reverse of what a workload or a
// destination is described by.
type PolicyApplication struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// State is APPLIED if the policy is effective on every destination that it
	// selects, PARTIAL if on some, INVALID if on none, and IDLE if it is valid
	// but selects none.
	State policy.State `json:"state"`
	// Written says whether the clusters have it.
	Written WrittenDescription `json:"written"`
	Fields  []string           `json:"fields,omitempty"`
	// From and To say in words what the selectors pick, alternatives.
	From []string `json:"from"`
	To   []string `json:"to"`
	// Errors say why the policy is INVALID as a whole; what is wrong on single
	// destinations is said there.
	Errors []string `json:"errors,omitempty"`
	// Destinations are those that it selects; summaries only have the number of
	// those it is effective on and of those it is not.
	Destinations     []PolicyDestination `json:"destinations,omitempty"`
	DestinationCount *int                `json:"destinationCount,omitempty"`
	RejectedCount    *int                `json:"rejectedCount,omitempty"`
	// Sources are NAME.NAMESPACE.CLUSTER of the workloads whose requests it
	// affects, Targets of those behind the destinations that it is effective on.
	Sources     []string `json:"sources,omitempty"`
	SourceCount *int     `json:"sourceCount,omitempty"`
	Targets     []string `json:"targets,omitempty"`
	TargetCount *int     `json:"targetCount,omitempty"`

	findings int
}

// PolicyDestination is one destination that a policy selects.
type PolicyDestination struct {
	Destination ServiceRef `json:"destination"`
	// State is APPLIED or INVALID.
	State  policy.State `json:"state"`
	Errors []string     `json:"errors,omitempty"`
	// Lost lists the settings that do not take effect, and to whom they lost; if
	// the state is APPLIED, they lost for some of the requests only.
	Lost []OverriddenSetting `json:"lost,omitempty"`
}

// OverriddenSetting is a setting of the policy that does not take effect.
type OverriddenSetting struct {
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	// Winner is the policy that took effect instead, if one did.
	Winner *ObjectRef `json:"winner,omitempty"`
}

func (v viewer) policyApplication(ref policy.PolicyRef, opts Options) PolicyApplication {
	meta, app := v.result.Meta(ref), v.result.ApplicationOf(ref)
	application := PolicyApplication{Name: meta.Name, Namespace: meta.Namespace, State: app.State(), Fields: app.Fields, Errors: app.AllErrors()}
	application.Written = describeWritten(v.result.PolicyWritten(ref))
	sources, targets := v.result.AffectedSources(ref), v.result.AffectedTargets(ref)
	if !opts.Details {
		effective := len(app.EffectiveDestinations())
		rejected, sourceCount, targetCount := len(app.Destinations)-effective, len(sources), len(targets)
		application.DestinationCount, application.RejectedCount, application.SourceCount, application.TargetCount = &effective, &rejected, &sourceCount, &targetCount
		return application
	}
	application.Sources, application.Targets = WorkloadKeys(v.world, sources), WorkloadKeys(v.world, targets)
	for _, id := range app.Destinations {
		application.Destinations = append(application.Destinations, v.policyDestination(ref, app, id))
	}
	return application
}

func (v viewer) policyDestination(ref policy.PolicyRef, app *policy.Application, id int) PolicyDestination {
	on := v.policyOn(ref, id)
	view := PolicyDestination{Destination: viewService(&v.world.Destinations[id]), State: on.State}
	if !app.Valid() {
		return view // the errors are the policy's
	}
	if ref.Kind == policy.KindAccessPolicy {
		view.Errors = on.Errors
		return view
	}
	for _, lost := range v.rejected(v.result.RejectionsOf(ref.Index, id)) {
		view.Lost = append(view.Lost, OverriddenSetting{Field: lost.Field, Reason: lost.Reason, Winner: lost.Winner})
	}
	return view
}

func (a *PolicyApplication) name() string { return ObjectRef{a.Namespace, a.Name}.String() }

// effectiveText says on how many of the selected destinations the policy is
// effective.
func (a *PolicyApplication) effectiveText() string {
	if *a.RejectedCount == 0 {
		return fmt.Sprint(*a.DestinationCount)
	}
	return fmt.Sprintf("%d of %d", *a.DestinationCount, *a.DestinationCount+*a.RejectedCount)
}

// writeHead writes what the policy asks for; more goes below the selectors.
func (a *PolicyApplication) writeHead(w *view.Text, more []view.Field) {
	w.Fields(append([]view.Field{
		{Key: "Name", Value: a.Name},
		{Key: "Namespace", Value: a.Namespace},
		{Key: "State", Value: shownState(string(a.State)), State: stateWord(shownState(string(a.State)))},
		a.Written.field(),
		{Key: "From", Items: a.From},
		{Key: "To", Items: a.To},
	}, more...))
	for _, e := range a.Errors {
		w.Marked(bad("error"), " "+e)
	}
}

// writeApplication writes whom the policy affects.
func (a *PolicyApplication) writeApplication(w *view.Text) {
	w.Section("Destinations", len(a.Destinations) == 0, func() {
		columns, reasons := []view.Column{{Name: "NAME"}, {Name: "STATE", Tone: toneOf}}, a.reasons()
		if slices.ContainsFunc(a.Destinations, func(d PolicyDestination) bool { return len(d.Lost) > 0 }) {
			columns = append(columns, view.Columns("OVERRIDDEN", "OVERRIDDEN-BY")...)
		}
		var rows [][]string
		for _, d := range a.Destinations {
			rows = append(rows, d.rows(len(columns))...)
		}
		w.Table(view.Table{Columns: columns, Rows: rows})
		for _, reason := range reasons {
			w.Marked(bad("rejected"), " "+reason)
		}
	})
	writeKeys(w, "Sources", a.Sources, w.Wide)
	writeKeys(w, "Targets", a.Targets, w.Wide)
}

// reasons returns why the policy is not effective on single destinations, each
// reason once.
func (a *PolicyApplication) reasons() []string {
	var reasons []string
	for _, d := range a.Destinations {
		reasons = append(reasons, d.Errors...)
		for _, l := range d.Lost {
			reasons = append(reasons, l.Reason)
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// rows returns one row per setting that is not effective, at least one, cut to
// the number of columns.
func (d *PolicyDestination) rows(columns int) [][]string {
	name, state := d.Destination.String(), shownState(string(d.State))
	if len(d.Lost) == 0 {
		return [][]string{[]string{name, state, view.None, view.None}[:columns]}
	}
	var rows [][]string
	for _, l := range d.Lost {
		winner := view.None
		if l.Winner != nil {
			winner = l.Winner.String()
		}
		rows = append(rows, []string{name, state, view.OrNone(l.Field), winner})
		name, state = "", ""
	}
	return rows
}

// shownKeys is how many names a section lists unless all are wanted.
const shownKeys = 20

// writeKeys writes a count and the names, one a line.
func writeKeys(w *view.Text, title string, keys []string, all bool) {
	w.Section(fmt.Sprintf("%s (%d)", title, len(keys)), len(keys) == 0, func() {
		for i, k := range keys {
			if i == shownKeys && !all {
				w.Linef("%s; -o wide lists all", text.More(len(keys)-shownKeys))
				return
			}
			w.Line(k)
		}
	})
}
