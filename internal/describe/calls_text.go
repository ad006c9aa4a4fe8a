package describe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

// about adds the name of the policy to a sentence that does not contain it.
func about(kind string, ref ObjectRef, sentence string) string {
	if strings.Contains(sentence, ref.String()) {
		return sentence
	}
	return kind + " " + ref.String() + ": " + sentence
}

func (d *WorkloadDescription) writeOutbound(w *view.Text) {
	w.Section("Outbound", len(d.Outbound) == 0, func() {
		columns := []view.Column{{Name: "DESTINATION"}, {Name: "HOSTNAME", Wide: true}, {Name: "VIA", Priority: 1}, {Name: "ACCESS", Tone: toneOf}, {Name: "WHY", Content: view.Reason}}
		rows := make([][]string, 0, len(d.Outbound))
		for _, o := range d.Outbound {
			rows = append(rows, []string{o.Destination.String(), o.Hostname, string(o.Via), o.Access.marked(), o.Access.Why()})
		}
		w.Table(view.Table{Columns: columns, Rows: rows, Noun: "destination"})
		d.writeAssumptions(w)
	})
	for i := range d.Outbound {
		if o := &d.Outbound[i]; len(o.Routes)+len(o.Connection)+len(o.Rejected) > 0 {
			w.Section("Requests to "+o.Destination.String(), false, func() { o.writeTraffic(w) })
		}
	}
}

// setsRetries reports whether a policy sets the retries of the route.
func (r Route) setsRetries() bool {
	return slices.ContainsFunc(r.Settings, func(s Setting) bool { return s.Field == feature.Retries })
}

// meshRetries describes the retries of routes without any, if the mesh has a default
// of its own (D76).
func meshRetries(m *world.Mesh) string {
	if m == nil {
		return ""
	}
	standard, _ := m.DefaultRetryPolicy()
	if standard == nil {
		return ""
	}
	set := "the default of mesh " + m.Ref.Name + "." + m.Ref.Namespace + " "
	if *standard.Attempts == 0 {
		return set + "switches retries off"
	}
	set += "makes " + text.Count(int(*standard.Attempts), "attempt")
	if standard.PerTryTimeout != nil {
		set += " of " + standard.PerTryTimeout.String()
	}
	return set + " on " + cmp.Or(standard.RetryOn, "connect-failure, refused-stream, unavailable, cancelled")
}

// assumedMark marks a verdict that depends on facts that are not known (D46).
const assumedMark = "*"

// marked returns the verdict, with a mark if it depends on assumptions.
func (a Access) marked() string {
	if len(a.Assumed) > 0 {
		return string(a.Verdict) + assumedMark
	}
	return string(a.Verdict)
}

// assumptions returns what the verdict depends on, to follow its reason.
func (a Access) assumptions() string {
	if len(a.Assumed) == 0 {
		return ""
	}
	return " (assumed: " + text.Bounded(a.Assumed, shownAssumptions) + ")"
}

// shownAssumptions limits the footnotes of a table.
const shownAssumptions = 5

// writeAssumptions writes what the marked verdicts about calls depend on.
func (d *WorkloadDescription) writeAssumptions(w *view.Text) {
	seen := map[string]bool{}
	for i := range d.Outbound {
		for _, fact := range d.Outbound[i].Access.Assumed {
			seen[fact] = true
		}
	}
	facts := slices.Sorted(maps.Keys(seen))
	for i, fact := range facts {
		if more := len(facts) - shownAssumptions; i == shownAssumptions && more > 0 && !w.Wide {
			w.Linef("%s %s; all with -o wide", assumedMark, text.More(more))
			return
		}
		w.Linef("%s assumes that %s", assumedMark, fact)
	}
}

// settingColumns are the columns of settings with their policies.
func settingColumns() []view.Column {
	return []view.Column{{Name: "MATCH", Content: view.Wrapped}, {Name: "SETTING"}, {Name: "VALUE", Content: view.Wrapped}, {Name: "FROM", Priority: 2}}
}

// policiesTable lists the states of policies and the fields that they set.
func policiesTable(rows [][]string) view.Table {
	return view.Table{Columns: []view.Column{{Name: "NAME"}, {Name: "STATE", Tone: toneOf}, {Name: "FIELDS", Content: view.ItemList}}, Rows: rows}
}

// writeTraffic writes the routes in the order in which they are tried, the
// connection settings, and the settings that are not effective.
func (o *OutboundDestination) writeTraffic(w *view.Text) {
	var rows [][]string
	add := func(match, field string, values []string, from string) {
		for i, value := range values {
			if i > 0 {
				match, field, from = "", "", ""
			}
			rows = append(rows, []string{match, field, value, from})
		}
	}
	for i, r := range o.Routes {
		match := r.Match.Text()
		if i > 0 && r.Match == nil {
			match = "all other requests"
		}
		if len(r.Settings) == 0 {
			add(match, "-", []string{"no settings"}, view.None)
		}
		for _, s := range r.Settings {
			from := s.Policy.String()
			if s.Inherited {
				from += " (inherited)"
			}
			add(match, s.Field, feature.Explained(s.Field, s.Value), from)
			match = ""
		}
	}
	match := "every connection"
	for _, c := range o.Connection {
		add(match, c.Field, feature.Lines(c.Field, c.Value), c.Policy.String())
		match = ""
	}
	if len(rows) > 0 {
		w.Table(view.Table{Columns: settingColumns(), Rows: rows})
	}
	if o.meshRetries != "" && slices.ContainsFunc(o.Routes, func(r Route) bool { return !r.setsRetries() }) {
		w.Line("routes without retries: " + o.meshRetries)
	}
	for _, t := range o.Targets {
		if t.Access.Verdict != reach.Allowed {
			w.Marked(stateWord(string(t.Access.Verdict)), fmt.Sprintf(" by %s: %s%s", t.Destination, t.Access.Why(), t.Access.assumptions()))
		}
	}
	for _, r := range o.Rejected {
		w.Marked(bad("rejected:"), " "+about("TrafficPolicy", r.Policy, r.Reason))
	}
}
