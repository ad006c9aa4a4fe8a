package report

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func mesh(name string) sharedtrust.MeshState {
	return sharedtrust.MeshState{Mesh: sharedtrust.Mesh{Ref: core.ObjectRef{Name: name, Namespace: "gloo-mesh"}, Cluster: name}}
}

// TestTableIsAboutTheStateAfter checks that a plan shows reasons, and an executed plan the
// resulting state.
func TestTableIsAboutTheStateAfter(t *testing.T) {
	t.Parallel()
	east, west, north := mesh("east"), mesh("west"), mesh("north")
	outcomes := []sharedtrust.Outcome{
		{Action: sharedtrust.Action{Mesh: &east, Kind: sharedtrust.ActionIssue, Reason: "the mesh has no certificate yet"}, Changed: true},
		{Action: sharedtrust.Action{Mesh: &west, Kind: sharedtrust.ActionIssue, Reason: "the mesh has no certificate yet"}, Err: errors.New("no answer")},
		{Action: sharedtrust.Action{Mesh: &north, Kind: sharedtrust.ActionIssue, Reason: "the mesh has no certificate yet"}, Changed: true},
	}
	survey := &sharedtrust.Survey{Subject: &sharedtrust.Subject{Resource: &networkingv1.VirtualMesh{}}, Position: trust.Position{Stage: trust.StageIdle}}
	rows := func(states map[core.ObjectRef]string) [][]string {
		report := NewChanges(survey, outcomes, "none", states)
		table := report.table()
		rows := [][]string{{table.Columns[2].Name, table.Columns[4].Name}}
		for _, row := range table.Rows {
			rows = append(rows, []string{row[2], row[4]})
		}
		return rows
	}
	const none = "the mesh has no certificate yet"
	if diff := cmp.Diff([][]string{{"ACTION", "WHY"}, {"issue", none}, {"issue", "failed: no answer"}, {"issue", none}}, rows(nil)); diff != "" {
		t.Errorf("a plan (-want +got):\n%s", diff)
	}
	after := map[core.ObjectRef]string{east.Ref: "valid", west.Ref: none}
	if diff := cmp.Diff([][]string{{"ACTION", "STATE"}, {"issue", "valid"}, {"issue", "failed: no answer"}, {"issue", "<unknown>"}}, rows(after)); diff != "" {
		t.Errorf("what was done (-want +got):\n%s", diff)
	}
}

// TestUnknownIsNotNone checks that information which could not be read is shown as unknown.
func TestUnknownIsNotNone(t *testing.T) {
	t.Parallel()
	const none, unknown = "<none>", "<unknown>"
	failure := errors.New("no answer")
	for name, tt := range map[string]struct {
		change func(*sharedtrust.MeshReport)
		want   []string
	}{
		"no certificate yet":           {func(m *sharedtrust.MeshReport) { m.Missing = true }, []string{none, none, none, none, "0", none}},
		"the Secret is not known":      {func(m *sharedtrust.MeshReport) { m.Err = failure }, []string{unknown, unknown, unknown, unknown, unknown, unknown}},
		"the Secret cannot be decoded": {func(m *sharedtrust.MeshReport) { m.BundleErr = failure }, []string{unknown, unknown, unknown, none, "0", unknown}},
		"namespaces are not known":     {func(m *sharedtrust.MeshReport) { m.ReachErr = failure }, []string{none, none, none, unknown, "0", none}},
		"workloads are not known":      {func(m *sharedtrust.MeshReport) { m.OlderErr = failure }, []string{none, none, none, none, unknown, none}},
		"workloads are older":          {func(m *sharedtrust.MeshReport) { m.Older = make([]restart.Item, 3) }, []string{none, none, none, none, "3", none}},
		"some namespaces": {
			func(m *sharedtrust.MeshReport) {
				m.Reach = []sharedtrust.NamespaceTrust{{Namespace: "a"}, {Namespace: "b", Missing: true}, {Namespace: "c", Err: failure}, {Namespace: "d", Lacks: make([]*x509.Certificate, 1)}}
			},
			[]string{none, none, none, "1/4 (2 unknown)", "0", none},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := mesh("east")
			report := sharedtrust.MeshReport{MeshState: &state}
			tt.change(&report)
			shown := newMeshTrust(&report, time.Now())
			if diff := cmp.Diff(tt.want, shown.row(time.Now())[2:8]); diff != "" {
				t.Errorf("row (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnknownRoot(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		root sharedtrust.Root
		want string
	}{
		"not generated yet": {sharedtrust.Root{Missing: true, Absent: true}, "<none> (generated)"},
		"no Secret":         {sharedtrust.Root{Absent: true, Err: errors.New("not found")}, "<none> (generated)"},
		"no answer":         {sharedtrust.Root{Err: errors.New("no answer")}, "<unknown> (generated)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.root.Source.Kind = sharedtrust.SourceGenerated
			survey := &sharedtrust.Survey{
				Subject: &sharedtrust.Subject{Resource: &networkingv1.VirtualMesh{}, Shared: &networkingv1.SharedTrust{}}, Current: tt.root,
				Position: trust.Position{Stage: trust.StageIdle},
			}
			status := NewStatus(&sharedtrust.Report{Survey: survey}, time.Now(), 0)
			if got := rootText(status.Root, len(status.Unknown) > 0, status.Source, time.Now()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestNothingUnreadIsNone holds that no form of an answer about trust shows none, or
// no, where nothing could be read, and that each says why.
func TestNothingUnreadIsNone(t *testing.T) {
	t.Parallel()
	forbidden := &kube.Error{Cluster: "east", Action: "get secrets", Reason: kube.ReasonForbidden, Why: "not for you"}
	state := mesh("east")
	state.Err = forbidden
	state.Identity = "spiffe://cluster.local/ns/istio-system/sa/istiod"
	survey := &sharedtrust.Survey{
		Subject: &sharedtrust.Subject{Resource: &networkingv1.VirtualMesh{}, Shared: &networkingv1.SharedTrust{}, Meshes: []sharedtrust.Mesh{state.Mesh}},
		Current: sharedtrust.Root{Source: sharedtrust.Source{Kind: sharedtrust.SourceGenerated}, Err: forbidden},
		Coming:  &sharedtrust.Root{Source: sharedtrust.Source{Kind: sharedtrust.SourceGenerated}, Err: forbidden},
		Meshes:  []sharedtrust.MeshState{state}, Position: trust.Position{Stage: trust.StageIdle},
	}
	status := NewStatus(&sharedtrust.Report{Survey: survey, Reports: []sharedtrust.MeshReport{{MeshState: &survey.Meshes[0]}}}, time.Now(), 0)
	confirmed := status
	confirmed.Problems = status.Blocking()
	planned := NewChanges(survey, sharedtrust.Planned(survey.Plan(false)), "client", nil)
	done := NewChanges(survey, sharedtrust.Planned(survey.Plan(false)), "none", map[core.ObjectRef]string{})
	list := func(s Status) view.View {
		return (&StatusList{Items: []Status{s}}).View(time.Now())
	}
	for name, v := range map[string]view.View{"status": list(status), "verify": list(confirmed), "issue, planned": planned.View(), "issue, done": done.View()} {
		for _, format := range []output.Format{output.FormatTable, output.FormatWide, output.FormatJSON, output.FormatYAML} {
			t.Run(name+" "+string(format), func(t *testing.T) {
				t.Parallel()
				var out strings.Builder
				if err := output.Write(&out, format, false, v); err != nil {
					t.Fatal(err)
				}
				for _, claim := range []string{"<none>", "none)", "\"managed\": ", "\"verifies\": ", "\"intermediate\": {", "\"root\": {", "managed: ", "verifies: ", "intermediate: ", "0/0"} {
					if strings.Contains(out.String(), claim) {
						t.Errorf("%s is claimed:\n%s", claim, out.String())
					}
				}
				if !strings.Contains(out.String(), "unknown") {
					t.Errorf("nothing is unknown:\n%s", out.String())
				}
				if !strings.Contains(out.String(), "not for you") && name != "issue, done" { // its errors are on standard error
					t.Errorf("it does not say why:\n%s", out.String())
				}
			})
		}
	}
}
