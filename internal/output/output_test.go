package output_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// pod is an item of the documents of these tests.
type pod struct {
	Name string `json:"name"`
	// Nodes are shared by pods.
	Nodes []*node  `json:"nodes,omitempty"`
	Ports []uint32 `json:"ports,omitempty"`
}

type node struct {
	Name string `json:"name"`
}

// Share implements view.Sharing.
func (p *pod) Share() (before any, name string, values iter.Seq[any], after any) {
	if len(p.Nodes) == 0 {
		return nil, "", nil, nil
	}
	type head struct {
		Name string `json:"name"`
	}
	type tail struct {
		Ports []uint32 `json:"ports,omitempty"`
	}
	nodes := func(yield func(any) bool) {
		for _, n := range p.Nodes {
			if !yield(n) {
				return
			}
		}
	}
	return head{p.Name}, "nodes", nodes, tail{p.Ports}
}

// podList is what a list of pods is as a whole.
type podList struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Items      []pod    `json:"items"`
	Notes      []string `json:"notes,omitempty"`
}

func (l *podList) view() view.View {
	list := view.List{APIVersion: l.APIVersion, Kind: l.Kind, Items: view.Each(l.Items)}
	if len(l.Notes) > 0 {
		list.More = map[string]any{"notes": l.Notes}
	}
	table := view.Table{Columns: append(view.Columns("NAME"), view.WideColumns("PORTS")...)}
	for _, p := range l.Items {
		ports := make([]string, 0, len(p.Ports))
		for _, port := range p.Ports {
			ports = append(ports, strconv.Itoa(int(port)))
		}
		table.Add(p.Name, view.OrNone(strings.Join(ports, ",")))
	}
	return view.View{
		Document: view.Value(list), Table: view.Rows(table),
		Names: view.NameEach(l.Items, func(p *pod) string { return "pod/" + p.Name }),
	}
}

func printed(t *testing.T, format output.Format, v view.View) string {
	t.Helper()
	streams, out, _ := cli.Test("")
	if err := output.Print(streams, format, v); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFormats(t *testing.T) {
	t.Parallel()
	list := &podList{APIVersion: "v1", Kind: "PodList", Items: []pod{{Name: "a", Ports: []uint32{80}}, {Name: "bcd"}}, Notes: []string{"<x>"}}
	for format, want := range map[output.Format]string{
		output.FormatTable: "NAME\na\nbcd\n",
		output.FormatWide:  "NAME   PORTS\na      80\nbcd    <none>\n",
		output.FormatName:  "pod/a\npod/bcd\n",
		output.FormatYAML: `apiVersion: v1
items:
- name: a
  ports:
  - 80
- name: bcd
kind: PodList
notes:
- <x>
`,
		output.FormatJSON: `{
  "apiVersion": "v1",
  "kind": "PodList",
  "items": [
    {
      "name": "a",
      "ports": [
        80
      ]
    },
    {
      "name": "bcd"
    }
  ],
  "notes": [
    "<x>"
  ]
}
`,
	} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(want, printed(t, format, list.view())); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if err := output.Write(io.Discard, "xml", false, list.view()); err == nil || err.Error() != `unknown output format "xml"` {
		t.Errorf("error = %v", err)
	}
}

// TestListIsTheWhole holds lists, which are written item by item, against
// encoding them as a whole.
func TestListIsTheWhole(t *testing.T) {
	t.Parallel()
	x, y := &node{"x"}, &node{"<y>\u0085"}
	for name, list := range map[string]podList{
		"empty":            {APIVersion: "v1", Kind: "PodList", Items: []pod{}},
		"empty with notes": {APIVersion: "v1", Kind: "PodList", Items: []pod{}, Notes: []string{"n"}},
		"plain":            {APIVersion: "v1", Kind: "PodList", Items: []pod{{Name: "a"}, {Name: "b", Ports: []uint32{1, 2}}}},
		"shared": {APIVersion: "v1", Kind: "PodList", Items: []pod{
			{Name: "a", Nodes: []*node{x, y}}, {Name: "b", Nodes: []*node{y}, Ports: []uint32{1}}, {Name: "c"}, {Name: "d", Nodes: []*node{x}},
		}},
		"odd names": {APIVersion: "v1", Kind: "PodList", Items: []pod{{Name: "\x1b[2J\x00\u0085\u009b\x7f\"\\\n\xff\u2028\U000e0001"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var whole bytes.Buffer
			encoder := json.NewEncoder(&whole)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(list); err != nil {
				t.Fatal(err)
			}
			escaped := strings.NewReplacer("\u0085", `\u0085`, "\u009b", `\u009b`, "\x7f", `\u007f`).Replace(whole.String())
			if diff := cmp.Diff(escaped, printed(t, output.FormatJSON, list.view())); diff != "" {
				t.Errorf("JSON (-want +got)\n%s", diff)
			}
			text, err := yaml.JSONToYAML([]byte(escaped))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(text), printed(t, output.FormatYAML, list.view())); diff != "" {
				t.Errorf("YAML (-want +got)\n%s", diff)
			}
		})
	}
}

// TestHostileNames holds that names that no API server would accept make no
// document invalid, and reach no terminal.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	name := "a\x1b[2J\x00\t\n\r\u0085\u009b31m\x7f\u202e\u2028\ufeff\ufffe\U000e0001\xff: - #'\"{"
	list := &podList{APIVersion: "v1", Kind: "PodList", Items: []pod{{Name: name}}}
	manifests := view.View{Document: view.Value(view.Manifests{Items: func(yield func(view.Manifest, error) bool) {
		yield(view.Manifest{Comment: name, Object: func() (any, error) { return pod{Name: name}, nil }}, nil)
	}})}
	whole := view.View{Document: view.Value(list)}
	want := strings.ReplaceAll(name, "\xff", "\ufffd")
	for _, format := range []output.Format{output.FormatJSON, output.FormatYAML} {
		for kind, v := range map[string]view.View{"list": list.view(), "whole": whole, "manifests": manifests} {
			text := printed(t, format, v)
			var got struct {
				Name  string
				Items []pod
			}
			if err := yaml.Unmarshal([]byte(text), &got); err != nil {
				t.Errorf("%s as %s is invalid: %v\n%s", kind, format, err, text)
				continue
			}
			if len(got.Items) == 1 {
				got.Name = got.Items[0].Name
			}
			if got.Name != want {
				t.Errorf("%s as %s has the name %q, want %q", kind, format, got.Name, want)
			}
			if format == output.FormatJSON && !json.Valid([]byte(text)) {
				t.Errorf("%s is invalid JSON:\n%s", kind, text)
			}
			mustBeHarmless(t, kind+" as "+string(format), text)
		}
	}
	text := view.View{Text: view.Lines(func(t *view.Text) {
		t.Line(name)
		t.Marked(view.Word{Text: name}, name)
		t.Section(name, false, func() { t.Fields([]view.Field{{Key: "Key", Value: name, State: view.Word{Text: name}}}) })
		t.Table(view.Table{Columns: view.Columns("NAME"), Rows: [][]string{{name}}})
		t.Diff("old", "new", nil, []byte(name))
	})}
	mustBeHarmless(t, "text", printed(t, output.FormatTable, text))
	for _, format := range []output.Format{output.FormatTable, output.FormatName} {
		text := printed(t, format, list.view())
		mustBeHarmless(t, string(format), text)
		if lines := strings.Count(text, "\n"); lines > 2 {
			t.Errorf("one item takes %d lines as %s:\n%s", lines, format, text)
		}
	}
}

// mustBeHarmless fails if a text has anything that is not visible but line ends
// and, where a diff keeps them, tabs.
func mustBeHarmless(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			t.Errorf("%s has %q:\n%q", what, r, text)
			return
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	bad := view.Word{Text: "INVALID", Tone: view.Bad}
	v := view.View{Text: view.Lines(func(t *view.Text) {
		t.Fields([]view.Field{{Key: "Name", Value: "a"}, {Key: "Long Name", Items: []string{"first", "second"}}, {Key: "State", Value: "is (INVALID) today", State: bad}})
		t.Section("Empty", true, nil)
		t.Section("Pods", false, func() {
			t.Table(view.Table{
				Columns: []view.Column{{Name: "NAME"}, {Name: "STATE", Tone: func(string) view.Tone { return view.Good }}, {Name: "NODE", Wide: true}},
				Rows:    [][]string{{"a", "APPLIED by b", "x"}, {"b-long"}, {"", "IDLE", ""}},
			})
			t.Marked(bad, ": because  ")
		})
		t.Blank()
		t.Linef("%d pods", 3)
		t.Diff("old", "new", []byte("a: 1\nb: 2\n"), []byte("a: 1\nb:\t3\n"))
		t.Diff("old", "new", []byte("a: 1\n"), []byte("a: 1\n"))
	})}
	plain := `Name:       a
Long Name:  first
            second
State:      is (INVALID) today
Empty:  <none>
Pods:
  NAME     STATE
  a        APPLIED by b
  b-long
           IDLE
  INVALID: because

3 pods
--- old
+++ new
@@ -1,2 +1,2 @@
 a: 1
-b: 2
+b:	3
`
	if diff := cmp.Diff(plain, printed(t, output.FormatTable, v)); diff != "" {
		t.Errorf("table (-want +got)\n%s", diff)
	}
	var painted bytes.Buffer
	if err := output.Write(&painted, output.FormatWide, true, v); err != nil {
		t.Fatal(err)
	}
	red, green, yellow, reset := "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
	want := strings.NewReplacer(
		"(INVALID)", "("+red+"INVALID"+reset+")", "  INVALID:", "  "+red+"INVALID"+reset+":",
		"STATE\n", "STATE          NODE\n", "APPLIED by b\n", green+"APPLIED"+reset+" by b   x\n", "IDLE", green+"IDLE"+reset,
		"--- old", red+"--- old"+reset, "+++ new", green+"+++ new"+reset, "@@ -1,2 +1,2 @@", yellow+"@@ -1,2 +1,2 @@"+reset,
		"-b: 2", red+"-b: 2"+reset, "+b:	3", green+"+b:	3"+reset,
	).Replace(plain)
	if diff := cmp.Diff(want, painted.String()); diff != "" {
		t.Errorf("wide with colours (-want +got)\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	v := view.View{
		Document: func() (any, error) { return nil, broken },
		Table:    func(bool) (view.Table, error) { return view.Table{}, broken },
		Names:    func(yield func(string, error) bool) { yield("", broken) },
	}
	items := view.View{
		Document: view.Value(view.List{Items: func(yield func(any, error) bool) { yield(nil, broken) }}),
		Text:     func(t *view.Text) error { t.Line("begun"); return broken },
		Names:    v.Names,
	}
	for _, format := range output.Formats() {
		for kind, v := range map[string]view.View{"view": v, "items": items} {
			if err := output.Write(io.Discard, output.Format(format), false, v); !errors.Is(err, broken) {
				t.Errorf("%s as %s: error = %v, want %v", kind, format, err, broken)
			}
		}
		full := failingWriter{errors.New("no space left on device")}
		list := &podList{Items: []pod{{Name: "a"}}}
		if err := output.Write(full, output.Format(format), false, list.view()); !errors.Is(err, full.err) {
			t.Errorf("%s on a full disk: error = %v, want %v", format, err, full.err)
		}
		if err := output.Write(io.Discard, output.Format(format), false, view.View{}); err != nil {
			t.Errorf("nothing to say as %s: %v", format, err)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
