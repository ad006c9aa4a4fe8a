package describe

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
)

// PolicyApplication describes what a policy affects.
type PolicyApplication struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// State is APPLIED if the policy is effective on every destination that it
	// selects, PARTIAL if on some, INVALID if on none, and IDLE if it is valid
	// but selects no destination.
	State policy.State `json:"state"`
	// Written is the state of the policy in the clusters.
	Written WrittenDescription `json:"written"`
	Fields  []string           `json:"fields,omitempty"`
	// From and To describe what the selectors select, as alternatives.
	From []string `json:"from"`
	To   []string `json:"to"`
	// Errors are the reasons if the policy is INVALID as a whole; problems on
	// single destinations are in Destinations.
	Errors []string `json:"errors,omitempty"`
	// Destinations are the selected destinations; summaries only have the numbers
	// of those on which it is and is not effective.
	Destinations     []PolicyDestination `json:"destinations,omitempty"`
	DestinationCount *int                `json:"destinationCount,omitempty"`
	RejectedCount    *int                `json:"rejectedCount,omitempty"`
	// Sources are the workloads whose requests it affects, Targets those behind
	// the destinations on which it is effective, as NAME.NAMESPACE.CLUSTER.
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
	// Lost lists the settings that are not effective and what overrides them; if
	// the state is APPLIED, for some of the requests only.
	Lost []OverriddenSetting `json:"lost,omitempty"`
}

// OverriddenSetting is a setting of the policy that is not effective.
type OverriddenSetting struct {
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	// Winner is the policy that is effective instead, if any.
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
		return view // the policy's own errors are already listed
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

// effectiveText returns on how many of the selected destinations the policy is
// effective.
func (a *PolicyApplication) effectiveText() string {
	if *a.RejectedCount == 0 {
		return fmt.Sprint(*a.DestinationCount)
	}
	return fmt.Sprintf("%d of %d", *a.DestinationCount, *a.DestinationCount+*a.RejectedCount)
}

// writeHead writes the policy's selectors and settings; more follows the
// selectors.
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

// writeApplication writes what the policy affects.
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

// reasons returns why the policy is not effective on single destinations, without
// duplicates.
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

// rows returns one row per ineffective setting, at least one, cut to the number
// of columns.
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

// shownKeys limits the names in a section unless all are requested.
const shownKeys = 20

// writeKeys writes a count and the names, one per line.
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
