package load

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// cut is a piece in a form that is easy to compare.
type cut struct {
	Place string
	Text  string
	Whole string
}

func split(t *testing.T, text string) []cut {
	t.Helper()
	var cuts []cut
	err := splitDocuments(t.Context(), "f", strings.NewReader(text), func(p piece) error {
		place := p.origin.String()
		switch {
		case p.role == roleItem && p.list.kind != "":
			place += " of " + p.list.kind
		case p.role == roleRest:
			place += " rest"
		}
		if p.form == formJSON {
			place += " json"
		}
		cuts = append(cuts, cut{Place: place, Text: string(p.text), Whole: string(p.whole)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cuts
}

func TestSplitDocuments(t *testing.T) {
	tests := []struct {
		name, text string
		want       []cut
	}{
		{name: "nothing"},
		{name: "only comments and markers", text: "# a\n---\n# b\n---\n\n...\n"},
		{
			name: "one document", text: "kind: A\nx: 1\n",
			want: []cut{{Place: "f:1 (document 1)", Text: "kind: A\nx: 1\n"}},
		},
		{
			name: "no line break at the end", text: "kind: A",
			want: []cut{{Place: "f:1 (document 1)", Text: "kind: A"}},
		},
		{
			name: "documents with comments before, between and behind markers",
			text: "# licence\n\n--- # first\nkind: A\n---\n# empty\n---   \n\n# third\nkind: C\n---\n",
			want: []cut{
				{Place: "f:4 (document 1)", Text: "kind: A\n"},
				{Place: "f:10 (document 3)", Text: "kind: C\n"},
			},
		},
		{
			name: "content before the first marker counts",
			text: "kind: A\n---\nkind: B\n",
			want: []cut{
				{Place: "f:1 (document 1)", Text: "kind: A\n"},
				{Place: "f:3 (document 2)", Text: "kind: B\n"},
			},
		},
		{
			name: "an end marker ends a document, what follows it is another one",
			text: "kind: A\n...\n---\nkind: B\n... # end\nkind: C\n",
			want: []cut{
				{Place: "f:1 (document 1)", Text: "kind: A\n"},
				{Place: "f:4 (document 2)", Text: "kind: B\n"},
				{Place: "f:6 (document 3)", Text: "kind: C\n"},
			},
		},
		{
			name: "byte order mark and line ends of Windows",
			text: "\ufeff---\r\nkind: A\r\n---\r\nkind: B\r\n",
			want: []cut{
				{Place: "f:2 (document 1)", Text: "kind: A\r\n"},
				{Place: "f:4 (document 2)", Text: "kind: B\r\n"},
			},
		},
		{
			name: "what only begins like a marker",
			text: "kind: A\nx: |\n ---\n  ---\n----\n---x\n",
			want: []cut{{Place: "f:1 (document 1)", Text: "kind: A\nx: |\n ---\n  ---\n----\n---x\n"}},
		},
		{
			name: "version directives of any kind",
			text: "%YAML 1.2\n---\nkind: A\n...\n%YAML 1.1\n---\nkind: B\n",
			want: []cut{
				{Place: "f:3 (document 1)", Text: "kind: A\n"},
				{Place: "f:7 (document 2)", Text: "kind: B\n"},
			},
		},
		{
			name: "a tag directive stays with its document, which is not split",
			text: "# x\n%TAG !e! tag:example.com,2000:\n---\nkind: List\nitems:\n- a: !e!x b\n",
			want: []cut{
				{Place: "f:3 (document 1)", Text: "%TAG !e! tag:example.com,2000:\n---\nkind: List\nitems:\n- a: !e!x b\n"},
			},
		},
		{
			name: "content on the line of the marker",
			text: "--- {kind: A}\n--- !!str x\n",
			want: []cut{
				{Place: "f:1 (document 1)", Text: "{kind: A}\n"},
				{Place: "f:2 (document 2)", Text: "    !!str x\n"},
			},
		},
		{
			name: "a List as kubectl prints it",
			text: "apiVersion: v1\nitems:\n- kind: A\n  metadata:\n    name: a\n# note\n- kind: B\n  tags:\n  - x\n\nkind: List\nmetadata: {}\n",
			want: []cut{
				{Place: "f:3 (document 1, item 1)", Text: "- kind: A\n  metadata:\n    name: a\n# note\n"},
				{Place: "f:7 (document 1, item 2)", Text: "- kind: B\n  tags:\n  - x\n\n"},
				{
					Place: "f:1 (document 1) rest", Text: "apiVersion: v1\nitems: []\nkind: List\nmetadata: {}\n",
					Whole: "apiVersion: v1\nitems:\n- kind: A\n  metadata:\n    name: a\n# note\n- kind: B\n  tags:\n  - x\n\nkind: List\nmetadata: {}\n",
				},
			},
		},
		{
			name: "an indented List that starts with its kind",
			text: "kind: MeshList\napiVersion: g/v1\nitems: # all\n\n  # first\n  - spec: {}\n  -\n    spec: {}\n---\nkind: C\n",
			want: []cut{
				{Place: "f:6 (document 1, item 1) of MeshList", Text: "  - spec: {}\n"},
				{Place: "f:7 (document 1, item 2) of MeshList", Text: "  -\n    spec: {}\n"},
				{
					Place: "f:1 (document 1) rest", Text: "kind: MeshList\napiVersion: g/v1\nitems: []\n",
					Whole: "kind: MeshList\napiVersion: g/v1\nitems: # all\n\n  # first\n  - spec: {}\n  -\n    spec: {}\n",
				},
				{Place: "f:10 (document 2)", Text: "kind: C\n"},
			},
		},
		{
			name: "items that are no block sequence",
			text: "items:\nkind: List\n---\nitems:\n  a: b\n---\nitems: &x\n- a\n---\nitems: []\n---\nitems:\n",
			want: []cut{
				{Place: "f:1 (document 1)", Text: "items:\nkind: List\n"},
				{Place: "f:4 (document 2)", Text: "items:\n  a: b\n"},
				{Place: "f:7 (document 3)", Text: "items: &x\n- a\n"},
				{Place: "f:10 (document 4)", Text: "items: []\n"},
				{Place: "f:12 (document 5)", Text: "items:\n"},
			},
		},
		{
			name: "items given twice are left for the parser to reject",
			text: "items:\n- a\nitems:\n- b\n",
			want: []cut{
				{Place: "f:2 (document 1, item 1)", Text: "- a\n"},
				{Place: "f:1 (document 1) rest", Text: "items: []\nitems:\n- b\n", Whole: "items:\n- a\nitems:\n- b\n"},
			},
		},
		{
			name: "concatenated JSON",
			text: "\n{\"kind\": \"A\"}{\"kind\":\"B\"}\n\n[1]\n---\n{\n}\n",
			want: []cut{
				{Place: "f:2 (document 1) json", Text: `{"kind": "A"}`},
				{Place: "f:2 (document 2) json", Text: `{"kind":"B"}`},
				{Place: "f:4 (document 3) json", Text: `[1]`},
				{Place: "f:6 (document 4) json", Text: "{\n}"},
			},
		},
		{
			name: "a JSON List",
			text: `{"kind": "MeshList", "items" : [ {"a": "]}\"", "items": [1]},` + "\n" + ` {"b": {}} ], "x": "\\"} {"c": 1}`,
			want: []cut{
				{Place: "f:1 (document 1, item 1) of MeshList json", Text: `{"a": "]}\"", "items": [1]}`},
				{Place: "f:2 (document 1, item 2) of MeshList json", Text: `{"b": {}} `},
				{
					Place: "f:1 (document 1) rest json", Text: `{"kind": "MeshList", "items" : [], "x": "\\"}`,
					Whole: `{"kind": "MeshList", "items" : [ {"a": "]}\"", "items": [1]},` + "\n" + ` {"b": {}} ], "x": "\\"}`,
				},
				{Place: "f:2 (document 2) json", Text: `{"c": 1}`},
			},
		},
		{
			name: "only top-level items of an object are a List",
			text: `{"spec": {"items": [{}]}, "kind": "items", "x": [{}]}["items", [{}]]`,
			want: []cut{
				{Place: "f:1 (document 1) json", Text: `{"spec": {"items": [{}]}, "kind": "items", "x": [{}]}`},
				{Place: "f:1 (document 2) json", Text: `["items", [{}]]`},
			},
		},
		{
			name: "a flow mapping is no JSON: it goes on to the next marker",
			text: "{a: '}', b:\n# }\nit's}\n---\n{\"c\": 1} # comment } \n---\n{b: {\n",
			want: []cut{
				{Place: "f:1 (document 1)", Text: "{a: '}', b:\n# }\nit's}\n"},
				{Place: "f:5 (document 2) json", Text: `{"c": 1}`},
				{Place: "f:7 (document 3)", Text: "{b: {\n"},
			},
		},
		{
			name: "what follows a JSON value",
			text: "{}\nkind: A\nitems:\n- b\n",
			want: []cut{
				{Place: "f:1 (document 1) json", Text: "{}"},
				{Place: "f:2 (document 2)", Text: "kind: A\nitems:\n- b\n"},
			},
		},
		{
			name: "unbalanced brackets end with the document",
			text: "{\"items\": [{\"a\": [1}, {\"b\": 2}\n---\nkind: B\n",
			want: []cut{
				{
					Place: "f:1 (document 1) rest json", Text: "{\"items\": [{\"a\": [1}, {\"b\": 2}\n",
					Whole: "{\"items\": [{\"a\": [1}, {\"b\": 2}\n",
				},
				{Place: "f:3 (document 2)", Text: "kind: B\n"},
			},
		},
		{
			name: "lines longer than the buffer",
			text: "# " + strings.Repeat("x ", readBufferSize) + "\n{\"a\": \"" + strings.Repeat("y", 2*readBufferSize) + "\"}\n---\nkind: |\n " +
				strings.Repeat("z --- ", readBufferSize) + "\n---\nkind: B # " + strings.Repeat("---", readBufferSize),
			want: []cut{
				{Place: "f:2 (document 1) json", Text: "{\"a\": \"" + strings.Repeat("y", 2*readBufferSize) + "\"}"},
				{Place: "f:4 (document 2)", Text: "kind: |\n " + strings.Repeat("z --- ", readBufferSize) + "\n"},
				{Place: "f:7 (document 3)", Text: "kind: B # " + strings.Repeat("---", readBufferSize)},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, split(t, tt.text)); diff != "" {
				t.Errorf("pieces (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplitDocumentsKeepsNoLargeWhole(t *testing.T) {
	text := "items:\n- a: |\n   " + strings.Repeat("x", maxWhole) + "\n- b: c\n"
	cuts := split(t, text)
	if len(cuts) != 3 || cuts[1].Text != "- b: c\n" {
		t.Fatalf("got %d pieces, want both items and the rest", len(cuts))
	}
	if rest := cuts[2]; rest.Whole != "" || rest.Text != noItems {
		t.Errorf("rest is %.40q with a whole of %d bytes, want %q without", rest.Text, len(rest.Whole), noItems)
	}
}

func TestSplitDocumentsErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		in   io.Reader
		want error
	}{
		{name: "reading fails", ctx: t.Context(), in: io.MultiReader(strings.NewReader("a: b\n"), iotest.ErrReader(broken)), want: broken},
		{name: "UTF-16", ctx: t.Context(), in: strings.NewReader("\xff\xfea\x00"), want: errUTF16},
		{name: "the context ends", ctx: ended, in: strings.NewReader("a: b\n"), want: context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := splitDocuments(tt.ctx, "f", tt.in, func(piece) error { return nil })
			if !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
	stop := errors.New("enough")
	err := splitDocuments(t.Context(), "f", strings.NewReader("a: b\n---\nc: d\n"), func(piece) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("got error %v, want that of emit", err)
	}
}
