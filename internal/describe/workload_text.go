package describe

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
)

// View implements Answer.
func (l WorkloadDescriptionList) View() view.View {
	return view.View{
		Document: view.Value(newDocument(l.APIVersion, l.Kind, view.Each(l.Items), l.Findings)),
		Text:     view.Lines(l.write),
		Names:    view.NameEach(l.Items, func(d *WorkloadDescription) string { return "workload/" + d.Key() }),
	}
}

// Share implements view.Sharing. Summaries consist mostly of policies that
// workloads share.
func (d *WorkloadDescription) Share() (before any, name string, values iter.Seq[any], after any) {
	if len(d.Policies) == 0 || d.detailed {
		return nil, "", nil, nil
	}
	head := *d
	head.Policies, head.Outbound, head.Inbound = nil, nil, nil
	tail := struct {
		Outbound []OutboundDestination `json:"outbound,omitempty"`
		Inbound  []InboundDestination  `json:"inbound,omitempty"`
	}{d.Outbound, d.Inbound}
	return &head, "policies", func(yield func(any) bool) {
		for _, p := range d.Policies {
			if !yield(p) {
				return
			}
		}
	}, &tail
}

// write writes one row per workload, or full descriptions if details were
// requested.
func (l WorkloadDescriptionList) write(w *view.Text) {
	if len(l.Items) > 0 && l.Items[0].detailed {
		for i := range l.Items {
			l.Items[i].write(w)
			w.Blank()
		}
		writeFindings(w, l.Findings, true)
		return
	}
	if len(l.Items) > 0 {
		w.Table(l.table(w.Wide))
	}
	if len(l.Findings) > 0 {
		w.Blank()
		writeFindings(w, l.Findings, false)
	}
}

func (l WorkloadDescriptionList) table(wide bool) view.Table {
	table := view.Table{
		Columns: append(
			[]view.Column{
				{Name: "NAMESPACE"},
				{Name: "NAME"},
				{Name: "CLUSTER"},
				{Name: "MESH", Priority: 4},
				{Name: "VIRTUAL-MESH", Priority: 3},
				{Name: "TRAFFIC", Priority: 2},
				{Name: "ACCESS", Priority: 1},
				{Name: "FINDINGS"},
			},
			view.WideColumns("KIND", "MESH-VERSION", "TRUST", "GLOBAL-ACCESS", "IDENTITY")...),
		Rows: make([][]string, 0, len(l.Items)),
	}
	for i := range l.Items {
		table.Rows = append(table.Rows, l.Items[i].row(wide))
	}
	return table
}

func (d *WorkloadDescription) row(wide bool) []string {
	mesh, version := view.None, view.None
	if d.Mesh != nil {
		mesh, version = d.Mesh.Name, view.OrNone(d.Mesh.Version)
	}
	trust, access := view.None, view.None
	if vm := d.VirtualMesh; vm != nil {
		trust, access = string(vm.Trust), vm.GlobalAccessPolicy
	}
	row := []string{
		d.Namespace, d.Name, d.Cluster, mesh, d.VirtualMesh.label(),
		strconv.Itoa(d.countPolicies(policy.KindTrafficPolicy)), strconv.Itoa(d.countPolicies(policy.KindAccessPolicy)),
		strconv.Itoa(d.findings),
	}
	if wide {
		row = append(row, d.Kind, version, trust, access, view.OrNone(d.Identity))
	}
	return row
}

// countPolicies counts the policies of a kind; one that affects the workload in
// both roles counts once.
func (d *WorkloadDescription) countPolicies(kind policy.PolicyKind) int {
	count := 0
	last := ObjectRef{}
	for _, p := range d.Policies { // sorted, so that both roles are adjacent
		if ref := (ObjectRef{p.Namespace, p.Name}); p.Kind == string(kind) && ref != last {
			count++
			last = ref
		}
	}
	return count
}

// write writes the full description in the style of kubectl describe.
func (d *WorkloadDescription) write(w *view.Text) {
	d.writeHead(w)
	d.writePolicies(w)
	d.writeOutbound(w)
	d.writeInbound(w)
}

func (d *WorkloadDescription) writeHead(w *view.Text) {
	fields := []view.Field{
		{Key: "Name", Value: d.Name},
		{Key: "Namespace", Value: d.Namespace},
		{Key: "Cluster", Value: d.Cluster},
		{Key: "Kind", Value: d.Kind},
		{Key: "Service Account", Value: view.OrNone(d.ServiceAccount)},
		{Key: "Labels", Items: labelTexts(d.Labels)},
		{Key: "Identity", Value: view.OrNone(d.Identity)},
		{Key: "Mesh", Value: d.Mesh.text()},
		d.VirtualMesh.field(),
	}
	fields = append(fields, proxyFacts(d.Facts)...)
	fields = append(fields, view.Field{Key: "Policies", Value: d.policySummary()}, view.Field{Key: "Calls", Value: d.callSummary()})
	if len(d.unwritten) > 0 {
		fields = append(fields, view.Field{Key: "Not Written", Value: text.Bounded(d.unwritten, shownNames) + "; run 'meshctl apply'"})
	}
	w.Fields(fields)
}

// policySummary counts the policies by state.
func (d *WorkloadDescription) policySummary() string {
	counts := map[string]int{}
	for _, p := range d.Policies {
		counts[shownState(string(p.State))]++
	}
	return countText(counts, "EFFECTIVE", "PARTIAL", "INVALID")
}

// callSummary counts the verdicts about the workload's calls.
func (d *WorkloadDescription) callSummary() string {
	const asTarget = " as target of a shift or mirror"
	counts := map[string]int{}
	for _, o := range d.Outbound {
		counts[string(o.Access.Verdict)]++
		for _, t := range o.Targets {
			counts[string(t.Access.Verdict)+asTarget]++
		}
	}
	text := countText(counts, "ALLOWED", "CONDITIONAL", "DENIED", "UNREACHABLE", "UNKNOWN",
		"DENIED"+asTarget, "UNREACHABLE"+asTarget, "UNKNOWN"+asTarget)
	rest := countText(map[string]int{
		"ALLOWED": d.AllowedByDefaultCount, "CONDITIONAL": d.ConditionalCount, "DENIED": d.DeniedByDefaultCount, "UNREACHABLE": d.UnreachableCount,
		"UNKNOWN": d.UnknownCount,
	}, "ALLOWED", "CONDITIONAL", "DENIED", "UNREACHABLE", "UNKNOWN")
	switch {
	case rest == view.None:
		return text
	case text == view.None:
		return rest + " by default (listed with --all-destinations)"
	default:
		return text + "; by default " + rest + " (listed with --all-destinations)"
	}
}

func countText(counts map[string]int, order ...string) string {
	var parts []string
	for _, what := range order {
		if n := counts[what]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	return view.OrNone(strings.Join(parts, ", "))
}

func labelTexts(labels map[string]string) []string {
	lines := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		lines = append(lines, k+"="+labels[k])
	}
	return lines
}

// shownNames limits the names in a table cell.
const shownNames = 3

func (d *WorkloadDescription) writePolicies(w *view.Text) {
	w.Section("Affected By", len(d.Policies) == 0, func() {
		rows := make([][]string, 0, len(d.Policies))
		for _, p := range d.Policies {
			rows = append(rows, []string{
				p.Kind, ObjectRef{p.Namespace, p.Name}.String(), string(p.Role), shownState(string(p.State)),
				view.Items(p.Fields), view.Items(p.Destinations),
			})
		}
		w.Table(view.Table{Columns: []view.Column{
			{Name: "KIND"},
			{Name: "NAME"},
			{Name: "ROLE"},
			{Name: "STATE", Tone: toneOf},
			{Name: "FIELDS", Content: view.ItemList, Priority: 1},
			{Name: "DESTINATIONS", Content: view.ItemList, Shown: shownNames, Priority: 2},
		}, Rows: rows})
		said := map[string]bool{} // a policy may affect the workload in both roles
		for _, p := range d.Policies {
			for _, e := range p.Errors {
				if line := about(p.Kind, ObjectRef{p.Namespace, p.Name}, e); !said[line] {
					said[line] = true
					w.Line(line)
				}
			}
		}
	})
}
