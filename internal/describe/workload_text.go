package describe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
)

func (l WorkloadDescriptionList) names() []string {
	var names []string
	for i := range l.Items {
		names = append(names, "workload/"+l.Items[i].Key())
	}
	return names
}

// writeTable writes one row per workload, or a full description of each if
// they were built with details.
func (l WorkloadDescriptionList) writeTable(w *textWriter, wide bool) {
	if len(l.Items) > 0 && l.Items[0].detailed {
		for i := range l.Items {
			l.Items[i].write(w, wide)
			w.linef("")
		}
		writeFindings(w, l.Findings)
		return
	}
	l.writeRows(w, wide)
	if len(l.Findings) > 0 {
		w.linef("")
		writeFindings(w, l.Findings)
	}
}

func (l WorkloadDescriptionList) writeRows(w *textWriter, wide bool) {
	if len(l.Items) == 0 {
		return
	}
	header := []string{"NAMESPACE", "NAME", "CLUSTER", "MESH", "VIRTUAL-MESH", "TRAFFIC", "ACCESS", "FINDINGS"}
	if wide {
		header = append(header, "KIND", "MESH-VERSION", "TRUST", "DEFAULT-ACCESS", "IDENTITY")
	}
	rows := make([][]string, 0, len(l.Items))
	for i := range l.Items {
		rows = append(rows, l.Items[i].row(wide))
	}
	w.table(header, rows)
}

func (d *WorkloadDescription) row(wide bool) []string {
	mesh, version := none, none
	if d.Mesh != nil {
		mesh, version = d.Mesh.Name, orNone(d.Mesh.Version)
	}
	virtualMesh, trust, access := none, none, none
	if vm := d.VirtualMesh; vm != nil {
		virtualMesh, trust, access = vm.Name, string(vm.Trust), vm.GlobalAccessPolicy
		if vm.State != "ACCEPTED" {
			virtualMesh += " (" + vm.State + ")"
		}
	}
	row := []string{
		d.Namespace, d.Name, d.Cluster, mesh, virtualMesh,
		strconv.Itoa(d.countPolicies(policy.KindTrafficPolicy)), strconv.Itoa(d.countPolicies(policy.KindAccessPolicy)),
		strconv.Itoa(d.findings),
	}
	if wide {
		row = append(row, d.Kind, version, trust, access, orNone(d.Identity))
	}
	return row
}

// countPolicies counts the policies of a kind, one that meets the workload in
// both roles once.
func (d *WorkloadDescription) countPolicies(kind policy.PolicyKind) int {
	count := 0
	last := ObjectRef{}
	for _, p := range d.Policies { // sorted, so both roles follow each other
		if ref := (ObjectRef{p.Namespace, p.Name}); p.Kind == string(kind) && ref != last {
			count++
			last = ref
		}
	}
	return count
}

// write writes the full description in the manner of kubectl describe.
func (d *WorkloadDescription) write(w *textWriter, wide bool) {
	d.writeHead(w)
	d.writePolicies(w, wide)
	d.writeOutbound(w, wide)
	d.writeInbound(w)
}

func (d *WorkloadDescription) writeHead(w *textWriter) {
	mesh, virtualMesh := none, none
	if m := d.Mesh; m != nil {
		facts := []string{strings.TrimSpace(m.Type + " " + m.Version)}
		if m.TrustDomain != "" {
			facts = append(facts, "trust domain "+m.TrustDomain)
		}
		mesh = fmt.Sprintf("%s.%s (%s)", m.Name, m.Namespace, strings.Join(facts, ", "))
	}
	if vm := d.VirtualMesh; vm != nil {
		virtualMesh = fmt.Sprintf("%s.%s (%s, trust %s, global access policy %s, TLS enforcement %s)",
			vm.Name, vm.Namespace, w.style.state(vm.State), vm.Trust, vm.GlobalAccessPolicy, vm.TLSEnforcement)
	}
	w.fields([][2]string{
		{"Name", d.Name},
		{"Namespace", d.Namespace},
		{"Cluster", d.Cluster},
		{"Kind", d.Kind},
		{"Service Account", orNone(d.ServiceAccount)},
		{"Labels", formatLabels(d.Labels)},
		{"Identity", orNone(d.Identity)},
		{"Mesh", mesh},
		{"Virtual Mesh", virtualMesh},
		{"Policies", d.policySummary()},
		{"Calls", d.callSummary()},
	})
}

// policySummary counts the policies by what became of them.
func (d *WorkloadDescription) policySummary() string {
	counts := map[string]int{}
	for _, p := range d.Policies {
		counts[string(p.State)]++
	}
	return countText(counts, "APPLIED", "PARTIAL", "INVALID")
}

// callSummary counts the verdicts about what the workload calls.
func (d *WorkloadDescription) callSummary() string {
	counts := map[string]int{}
	for _, o := range d.Outbound {
		counts[string(o.Access.Verdict)]++
		for _, t := range o.Targets {
			if t.Access.Verdict == policy.Denied {
				counts["DENIED as target of a shift or mirror"]++
			}
		}
	}
	return countText(counts, "ALLOWED", "CONDITIONAL", "DENIED", "DENIED as target of a shift or mirror")
}

func countText(counts map[string]int, order ...string) string {
	var parts []string
	for _, what := range order {
		if n := counts[what]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	return orNone(strings.Join(parts, ", "))
}

func formatLabels(labels map[string]string) string {
	lines := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		lines = append(lines, k+"="+labels[k])
	}
	return orNone(strings.Join(lines, "\n"))
}

// section writes a title and what body writes under it, or <none>.
func (w *textWriter) section(title string, empty bool, body func()) {
	if empty {
		w.linef("%s:  %s", title, none)
		return
	}
	w.linef("%s:", title)
	w.nested(body)
}

// shownNames is how many names fit into a table cell.
const shownNames = 3

// shorten joins names, and counts those beyond the first few unless all are
// wanted.
func shorten(names []string, all bool) string {
	if all || len(names) <= shownNames {
		return orNone(strings.Join(names, ","))
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shownNames], ","), len(names)-shownNames)
}

func (d *WorkloadDescription) writePolicies(w *textWriter, wide bool) {
	w.section("Affected By", len(d.Policies) == 0, func() {
		rows := make([][]string, 0, len(d.Policies))
		for _, p := range d.Policies {
			rows = append(rows, []string{
				p.Kind, ObjectRef{p.Namespace, p.Name}.String(), string(p.Role), w.style.state(string(p.State)),
				orNone(strings.Join(p.Fields, ",")), shorten(p.Destinations, wide),
			})
		}
		w.table([]string{"KIND", "NAME", "ROLE", "STATE", "FIELDS", "DESTINATIONS"}, rows)
		for _, p := range d.Policies {
			for _, e := range p.Errors {
				w.linef("%s", about(p.Kind, ObjectRef{p.Namespace, p.Name}, e))
			}
		}
	})
}

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
			add(match, s.Field, valueLines(s.Value), from)
			match = ""
		}
	}
	match := "every connection"
	for _, c := range o.Connection {
		add(match, c.Field, valueLines(c.Value), c.Policy.String())
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

// why adds the conditions of a conditional verdict to its reason.
func (a Access) why() string {
	var alternatives []string
	for _, c := range a.Conditions {
		alternatives = append(alternatives, strings.Join(append(
			operationText(c.Paths, c.Methods, c.Ports), c.RequestCondition.text()...), " "))
	}
	if len(alternatives) == 0 {
		return a.Reason
	}
	return a.Reason + ": only " + strings.Join(alternatives, " or ")
}

func operationText(paths, methods []string, ports []uint32) []string {
	var parts []string
	if len(methods) > 0 {
		parts = append(parts, strings.Join(methods, ","))
	}
	if len(paths) > 0 {
		parts = append(parts, strings.Join(paths, ","))
	}
	if len(ports) > 0 {
		numbers := make([]string, 0, len(ports))
		for _, p := range ports {
			numbers = append(numbers, strconv.FormatUint(uint64(p), 10))
		}
		parts = append(parts, "port "+strings.Join(numbers, ","))
	}
	return parts
}

func (c RequestCondition) text() []string {
	var parts []string
	for _, p := range []struct {
		name   string
		values []string
	}{
		{"request principal", c.RequestPrincipals},
		{"not request principal", c.NotRequestPrincipals},
		{"forwarded IP", c.ForwardedIPs},
		{"not forwarded IP", c.NotForwardedIPs},
	} {
		if len(p.values) > 0 {
			parts = append(parts, p.name+" "+strings.Join(p.values, ","))
		}
	}
	return parts
}

func (d *WorkloadDescription) writeInbound(w *textWriter) {
	w.section("Inbound", len(d.Inbound) == 0, func() {
		for _, in := range d.Inbound {
			w.linef("%s", in.Destination)
			w.nested(func() { in.write(w) })
		}
	})
}

func (in *InboundDestination) write(w *textWriter) {
	federated := none
	if in.FederatedHostname != "" {
		meshes := make([]string, 0, len(in.FederatedTo))
		for _, m := range in.FederatedTo {
			meshes = append(meshes, m.String())
		}
		federated = in.FederatedHostname + " (to " + strings.Join(meshes, ", ") + ")"
	}
	w.fields([][2]string{{"Hostname", in.Hostname}, {"Federated", federated}})
	w.section("Traffic Policies", len(in.TrafficPolicies) == 0, func() {
		rows := make([][]string, 0, len(in.TrafficPolicies))
		for _, p := range in.TrafficPolicies {
			rows = append(rows, []string{
				ObjectRef{p.Namespace, p.Name}.String(), w.style.state(string(p.State)), orNone(strings.Join(p.Fields, ",")),
			})
		}
		w.table([]string{"NAME", "STATE", "FIELDS"}, rows)
	})
	in.Access.write(w)
}

func (a *InboundAccess) write(w *textWriter) {
	title := "Access (allowed by default)"
	if a.Default == "DENY" {
		title = "Access (denied unless listed)"
	}
	w.section(title, len(a.Rules) == 0, func() {
		rows := make([][]string, 0, len(a.Rules))
		for _, r := range a.Rules {
			name := r.Policy.String()
			if r.Destination != nil {
				name += " (on " + r.Destination.String() + ")"
			}
			for i, from := range r.From.lines() {
				if i > 0 {
					rows = append(rows, []string{"", from, ""})
					continue
				}
				rows = append(rows, []string{name, from, r.To.text()})
			}
		}
		w.table([]string{"POLICY", "FROM", "TO"}, rows)
	})
}

// lines returns the alternatives, one each.
func (s *AccessSource) lines() []string {
	if s == nil {
		return []string{"anyone"}
	}
	alternatives := slices.Clone(s.Principals)
	for _, n := range s.Namespaces {
		alternatives = append(alternatives, "namespace "+n)
	}
	if len(alternatives) == 0 {
		alternatives = []string{"anyone"}
	}
	for i, who := range alternatives {
		alternatives[i] = strings.Join(append([]string{who}, s.RequestCondition.text()...), " with ")
	}
	return alternatives
}

func (o *AccessOperation) text() string {
	if o == nil {
		return "everything"
	}
	return strings.Join(operationText(o.Paths, o.Methods, o.Ports), " ")
}

func writeFindings(w *textWriter, findings []Finding) {
	w.section("Findings", len(findings) == 0, func() {
		for _, f := range findings {
			w.linef("%s %s %s", w.style.severity(f.Severity), f.Code, f.Object)
			w.nested(func() {
				w.linef("%s", f.Message)
				if f.Hint != "" {
					w.linef("hint: %s", f.Hint)
				}
			})
		}
	})
}

// The colours of states; bold would hide on some terminals.
const (
	ansiRed    = "\x1b[31m"
	ansiGreen  = "\x1b[32m"
	ansiYellow = "\x1b[33m"
	ansiReset  = "\x1b[0m"
)

func (s Style) paint(color, text string) string {
	if !s.Color {
		return text
	}
	return color + text + ansiReset
}

// state colours a state or verdict.
func (s Style) state(state string) string {
	switch state {
	case "APPLIED", "ACCEPTED", "ALLOWED":
		return s.paint(ansiGreen, state)
	case "PARTIAL", "CONDITIONAL", "PENDING":
		return s.paint(ansiYellow, state)
	case "INVALID", "DENIED", "FAILED":
		return s.paint(ansiRed, state)
	default:
		return state
	}
}

func (s Style) severity(severity policy.Severity) string {
	switch severity {
	case policy.SeverityError:
		return s.paint(ansiRed, string(severity))
	case policy.SeverityWarning:
		return s.paint(ansiYellow, string(severity))
	case policy.SeverityInfo:
	}
	return string(severity)
}
