package output_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// TestCommandsAreCompleted holds that every part of every form completes the
// commands that it suggests, as messages do, except manifests, which are data.
func TestCommandsAreCompleted(t *testing.T) {
	t.Parallel()
	const run, whole = "run 'meshctl apply'", `run 'meshctl apply --context "my mgmt"'`
	table := view.Table{
		Noun:    "mesh",
		Columns: []view.Column{{Name: "NAME"}, {Name: "NEXT", Content: view.ItemList}, {Name: "WHY", Content: view.Reason}},
		Rows:    [][]string{{"a", view.Items([]string{run, "x"}), run}, {"b", "y", run}, {"c", "z", run}},
	}
	texts := view.View{Text: view.Lines(func(t *view.Text) {
		t.Line(run)
		t.Marked(view.Word{Text: "WARN", Tone: view.Warning}, " "+run)
		t.Fields([]view.Field{{Key: "Next", Value: run}, {Key: "List", Items: []string{"x", run}}})
		t.Section("Findings", false, func() { t.Line("hint: " + run) })
		t.Table(table)
	})}
	x := &node{run}
	list := &podList{APIVersion: "v1", Kind: "PodList", Items: []pod{{Name: run}, {Name: "b", Nodes: []*node{x}}}, Notes: []string{run, "'meshctl \"apply'"}}
	for name, tt := range map[string]struct {
		view   view.View
		format output.Format
		want   string
	}{
		"text": {texts, output.FormatTable, whole + "\nWARN " + whole + "\nNext:  " + whole + "\nList:  x\n       " + whole + "\nFindings:\n  hint: " + whole + `
NAME   NEXT
a      ` + whole + `, x
b      y
c      z
3 meshes: ` + whole + "\n"},
		"JSON":              {view.View{Document: view.Value(list)}, output.FormatJSON, ""},
		"JSON item by item": {list.view(), output.FormatJSON, ""},
		"YAML":              {view.View{Document: view.Value(list)}, output.FormatYAML, ""},
		"YAML item by item": {list.view(), output.FormatYAML, ""},
	} {
		for place, printer := range map[string]func(*cli.Streams) output.Printer{"standard output": output.OnOut, "standard error": output.OnErr} {
			t.Run(name+" on "+place, func(t *testing.T) {
				t.Parallel()
				streams, _, _ := cli.Test("")
				streams.Complete = func(text string) string {
					return strings.ReplaceAll(text, "'meshctl apply'", `'meshctl apply --context "my mgmt"'`)
				}
				var out bytes.Buffer
				p := printer(streams)
				p.Out = &out
				if err := p.Print(tt.format, tt.view); err != nil {
					t.Fatal(err)
				}
				want := tt.want
				if want == "" { // the document as if it had been about the whole commands
					complete := func(text string) string { return strings.ReplaceAll(text, run, whole) }
					other := podList{list.APIVersion, list.Kind, []pod{{Name: whole}, {Name: "b", Nodes: []*node{{whole}}}}, []string{complete(list.Notes[0]), list.Notes[1]}}
					want = printed(t, tt.format, other.view())
				}
				if diff := cmp.Diff(want, out.String()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// TestManifestsAreNotCompleted holds that what is applied to clusters stays as it
// is.
func TestManifestsAreNotCompleted(t *testing.T) {
	t.Parallel()
	object := pod{Name: "run 'meshctl apply'"}
	v := view.View{Document: view.Value(view.Manifests{Items: func(yield func(view.Manifest, error) bool) {
		yield(view.Manifest{Object: func() (any, error) { return object, nil }}, nil)
	}})}
	for _, format := range []output.Format{output.FormatJSON, output.FormatYAML} {
		var out bytes.Buffer
		p := output.Printer{Out: &out, Complete: func(text string) string { return strings.ReplaceAll(text, "apply", "APPLY") }}
		if err := p.Print(format, v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(printed(t, format, v), out.String()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", format, diff)
		}
	}
}
