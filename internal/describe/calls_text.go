package describe

import (
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
)

// about puts the policy in front of a sentence about it that does not name it.
func about(kind string, ref ObjectRef, sentence string) string {
	if strings.Contains(sentence, ref.String()) {
		return sentence
	}
	return kind + " " + ref.String() + ": " + sentence
}

func (d *WorkloadDescription) writeOutbound(w *textWriter, wide bool) {
	w.section("Outbound", len(d.Outbound) == 0, func() {
		header := []string{"DESTINATION", "VIA", "ACCESS", "WHY"}
		if wide {
			header = []string{"DESTINATION", "HOSTNAME", "VIA", "ACCESS", "WHY"}
		}
		rows := make([][]string, 0, len(d.Outbound))
		for _, o := range d.Outbound {
			row := []string{o.Destination.String()}
			if wide {
				row = append(row, o.Hostname)
			}
			rows = append(rows, append(row, string(o.Via), w.style.state(string(o.Access.Verdict)), o.Access.why()))
		}
		w.table(header, rows)
	})
	for i := range d.Outbound {
		if o := &d.Outbound[i]; len(o.Routes)+len(o.Connection)+len(o.Rejected) > 0 {
			w.section("Requests to "+o.Destination.String(), false, func() { o.writeTraffic(w) })
		}
	}
}

// writeTraffic writes what happens to requests: the routes in the order they
// are tried, then what holds for every connection, then what was asked in vain.
func (o *OutboundDestination) writeTraffic(w *textWriter) {
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
		match := r.Match.text()
		if i > 0 && r.Match == nil {
			match = "all other requests"
		}
		if len(r.Settings) == 0 {
			add(match, "-", []string{"no settings"}, none)
		}
		for _, s := range r.Settings {
			from := s.Policy.String()
			if s.Inherited {
				from += " (inherited)"
			}
			add(match, s.Field, feature.Lines(s.Field, s.Value), from)
			match = ""
		}
	}
	match := "every connection"
	for _, c := range o.Connection {
		add(match, c.Field, feature.Lines(c.Field, c.Value), c.Policy.String())
		match = ""
	}
	if len(rows) > 0 {
		w.table([]string{"MATCH", "SETTING", "VALUE", "FROM"}, rows)
	}
	for _, t := range o.Targets {
		if t.Access.Verdict != policy.Allowed {
			w.linef("%s by %s: %s", w.style.state(string(t.Access.Verdict)), t.Destination, t.Access.why())
		}
	}
	for _, r := range o.Rejected {
		w.linef("%s %s", w.style.paint(ansiRed, "rejected:"), about("TrafficPolicy", r.Policy, r.Reason))
	}
}
