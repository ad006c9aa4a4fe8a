package describe

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
)

// TrafficPolicyDescriptionList is what `describe trafficpolicy -o json` prints.
type TrafficPolicyDescriptionList = List[*TrafficPolicyDescription]

// TrafficPolicyDescription describes a TrafficPolicy and where it is effective.
type TrafficPolicyDescription struct {
	PolicyApplication
	// Matches are the requests it applies to, as alternatives; absent for all.
	Matches []RequestMatch `json:"matches,omitempty"`
	// Ports of the destinations; absent for all.
	Ports []uint32 `json:"ports,omitempty"`
	// Settings have the form of the manifest fields, with defaults filled in.
	Settings []PolicySetting `json:"settings,omitempty"`
}

// PolicySetting is one setting of a policy.
type PolicySetting struct {
	Field string `json:"field"`
	Value any    `json:"value"`
}

// TrafficPolicies describes the policies at the given positions in the world,
// in their order.
func TrafficPolicies(result *policy.Result, positions []int, opts Options) TrafficPolicyDescriptionList {
	v := newViewer(result)
	return newList(v, "TrafficPolicyDescriptionList", positions, opts, func(i int) (*TrafficPolicyDescription, []int) {
		p := &result.TrafficPolicies[i]
		spec := &p.Resource.Spec
		ref := policy.PolicyRef{Kind: policy.KindTrafficPolicy, Index: i}
		item := &TrafficPolicyDescription{PolicyApplication: v.policyApplication(ref, opts), Ports: slices.Sorted(slices.Values(spec.DestinationPorts))}
		item.From, item.To = workloadSelectorTexts(spec.SourceSelector), destinationSelectorTexts(spec.DestinationSelector)
		for _, m := range p.Matches() {
			item.Matches = append(item.Matches, *MatchOf(m))
		}
		for _, f := range result.Settings(i) {
			item.Settings = append(item.Settings, PolicySetting(f))
		}
		findings := result.FindingsOn(p.ID())
		item.findings = len(findings)
		return item, findings
	})
}

func (p *TrafficPolicyDescription) reference() string { return "trafficpolicy/" + p.name() }

func (*TrafficPolicyDescription) columns() []view.Column {
	return append([]view.Column{
		{Name: "NAMESPACE"},
		{Name: "NAME"},
		{Name: "STATE", Tone: toneOf},
		{Name: "WRITTEN", Tone: writtenTone, Priority: 1},
		{Name: "FIELDS", Content: view.ItemList},
		{Name: "DESTINATIONS", Priority: 2},
		{Name: "SOURCES", Priority: 3},
		{Name: "FINDINGS"},
	}, view.WideColumns("FROM", "TO", "MATCHES")...)
}

func (p *TrafficPolicyDescription) row(wide bool) []string {
	row := []string{
		p.Namespace, p.Name, shownState(string(p.State)), p.Written.cell(), view.Items(p.Fields),
		p.effectiveText(), strconv.Itoa(*p.SourceCount), strconv.Itoa(p.findings),
	}
	if wide {
		row = append(row, strings.Join(p.From, "; "), strings.Join(p.To, "; "), strings.Join(p.matchTexts(), "; "))
	}
	return row
}

func (p *TrafficPolicyDescription) matchTexts() []string {
	if len(p.Matches) == 0 {
		return []string{"all requests"}
	}
	texts := make([]string, 0, len(p.Matches))
	for i := range p.Matches {
		texts = append(texts, p.Matches[i].Text())
	}
	return texts
}

func (p *TrafficPolicyDescription) write(w *view.Text) {
	p.writeHead(w, []view.Field{
		{Key: "Requests", Items: p.matchTexts()},
		{Key: "Ports", Value: portsOrAll(p.Ports)},
	})
	w.Section("Settings", len(p.Settings) == 0, func() {
		var rows [][]string
		for _, s := range p.Settings {
			field := s.Field
			for _, value := range feature.Explained(s.Field, s.Value) {
				rows = append(rows, []string{field, value})
				field = ""
			}
		}
		w.Table(view.Table{Columns: []view.Column{{Name: "SETTING"}, {Name: "VALUE", Content: view.Wrapped}}, Rows: rows})
	})
	p.writeApplication(w)
}

func portsOrAll(ports []uint32) string {
	if len(ports) == 0 {
		return "all"
	}
	numbers := make([]string, 0, len(ports))
	for _, p := range ports {
		numbers = append(numbers, strconv.FormatUint(uint64(p), 10))
	}
	return strings.Join(numbers, ", ")
}
