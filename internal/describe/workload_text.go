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
		header = append(header, "KIND", "MESH-VERSION", "TRUST", "GLOBAL-ACCESS", "IDENTITY")
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
