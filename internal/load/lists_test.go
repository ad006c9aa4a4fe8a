package load

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadLists(t *testing.T) {
	const mesh = "apiVersion: discovery.mesh.gloo.solo.io/v1, kind: Mesh, metadata: "
	tests := []struct {
		name, text string
		want       summary
	}{
		{
			name: "a List as kubectl prints it",
			text: "apiVersion: v1\nitems:\n- " + discovery + "  kind: Mesh\n  metadata:\n    name: a\n- apiVersion: v1\n  kind: Service\n- null\n" +
				"-\n  {" + mesh + "{name: b}}\nkind: List\nmetadata: {resourceVersion: ''}\n---\n{" + mesh + "{name: c}}\n",
			want: summary{
				Objects: []string{
					"Mesh/a.gloo-mesh stdin:3 (document 1, item 1)",
					"Mesh/b.gloo-mesh stdin:10 (document 1, item 4)",
					"Mesh/c.gloo-mesh stdin:15 (document 2)",
				},
				Ignored: 1,
			},
		},
		{
			name: "items without a type take that of the List, wherever it stands",
			text: discovery + "kind: MeshList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n  kind: Workload\n---\n" +
				"items:\n- metadata: {name: c}\n- metadata: {name: d}\nkind: MeshList\n" + discovery + "---\n" +
				`{"items":[{"metadata":{"name":"e"}}],"kind":"MeshList","apiVersion":"discovery.mesh.gloo.solo.io/v1"}` + "\n" +
				`{"kind":"MeshList","apiVersion":"discovery.mesh.gloo.solo.io/v1","items":[{"metadata":{"name":"f"}}]}` + "\n---\n" +
				"kind: List\nitems:\n- metadata: {name: g}\n- text\n",
			want: summary{
				Objects: []string{
					"Mesh/a.gloo-mesh stdin:4 (document 1, item 1)",
					"Mesh/c.gloo-mesh stdin:9 (document 2, item 1)",
					"Mesh/d.gloo-mesh stdin:10 (document 2, item 2)",
					"Mesh/e.gloo-mesh stdin:14 (document 3, item 1)",
					"Mesh/f.gloo-mesh stdin:15 (document 4, item 1)",
				},
				Problems: []string{
					"UnreadableDocument stdin:5 (document 1, item 2): item of kind Workload has no apiVersion (use apiVersion: discovery.mesh.gloo.solo.io/v1)",
					"UnreadableDocument stdin:19 (document 5, item 1): item has no kind; Kubernetes objects have apiVersion, kind and metadata",
					"UnreadableDocument stdin:20 (document 5, item 2): item is not an object",
				},
			},
		},
		{
			name: "flow items, empty items, a List in a List, and what only ends in List",
			text: "kind: List\nitems: [{" + mesh + "{name: a}}]\n---\nkind: List\nitems: []\n---\nkind: MeshList\n" + discovery + "items:\n---\n" +
				"kind: List\nitems:\n- kind: List\n  items:\n  - {" + mesh + "{name: b}}\n  - {" + mesh + "{name: c}}\n---\n" +
				"apiVersion: example.com/v1\nkind: AllowList\nitems: {}\n",
			want: summary{
				Objects: []string{
					"Mesh/a.gloo-mesh stdin (document 1, item 1)",
					"Mesh/b.gloo-mesh stdin:13 (document 4, item 1)",
					"Mesh/c.gloo-mesh stdin:13 (document 4, item 1)",
				},
				Ignored: 1,
			},
		},
		{
			name: "items that are no List",
			text: "apiVersion: example.com/v1\nkind: Menu\nitems:\n- kind: Mesh\n  metadata: {}\n",
			want: summary{Ignored: 1},
		},
		{
			name: "an anchor of one item that another one refers to",
			text: "kind: List\nitems:\n- apiVersion: &g discovery.mesh.gloo.solo.io/v1\n  kind: Mesh\n  metadata: {name: a}\n" +
				"- apiVersion: *g\n  kind: Mesh\n  metadata: {name: b}\n",
			want: summary{Objects: []string{
				"Mesh/a.gloo-mesh stdin:3 (document 1, item 1)",
				"Mesh/b.gloo-mesh stdin:6 (document 1, item 2)",
			}},
		},
		{
			name: "a quoted text that continues where items start",
			text: "kind: List\nitems:\n- " + discovery + "  kind: Mesh\n  metadata:\n    name: a\n    annotations: {x: \"1\n- 2\"}\n",
			want: summary{Objects: []string{"Mesh/a.gloo-mesh stdin (document 1, item 1)"}},
		},
		{
			name: "one broken item does not hide the others",
			text: "kind: List\nitems:\n- {" + mesh + "{name: a}}\n- kind: Mesh\n  a: b: c\n- {" + mesh + "{name: c}}\n---\n" +
				`{"kind": "List", "items": [` + "\n" + `{"a" 1}, {"apiVersion": "discovery.mesh.gloo.solo.io/v1", "kind": "Mesh", "metadata": {"name": "d"}}]}`,
			want: summary{
				Objects: []string{
					"Mesh/a.gloo-mesh stdin:3 (document 1, item 1)",
					"Mesh/c.gloo-mesh stdin:6 (document 1, item 3)",
					"Mesh/d.gloo-mesh stdin:9 (document 2, item 2)",
				},
				Problems: []string{
					"UnreadableDocument stdin:5 (document 1, item 2): not valid YAML: mapping values are not allowed in this context",
					"UnreadableDocument stdin:9 (document 2, item 1): not valid JSON: invalid character '1' after object key",
				},
			},
		},
		{
			name: "a List that is broken outside of its items",
			text: "kind: List\nitems:\n- {" + mesh + "{name: a}}\n- text\n- metadata: {name: c}\nx: y: z\n---\n{" + mesh + "{name: d}}\n",
			want: summary{
				Objects: []string{
					"Mesh/a.gloo-mesh stdin:3 (document 1, item 1)",
					"Mesh/d.gloo-mesh stdin:8 (document 2)",
				},
				Problems: []string{
					"UnreadableDocument stdin:6 (document 1): not valid YAML: mapping values are not allowed in this context",
				},
			},
		},
		{
			name: "a JSON List that ends too early",
			text: `{"kind": "List", "items": [` + "\n" + `{"apiVersion": "discovery.mesh.gloo.solo.io/v1", "kind": "Mesh", "metadata": {"name": "a"}},` + "\n",
			want: summary{
				Objects:  []string{"Mesh/a.gloo-mesh stdin:2 (document 1, item 1)"},
				Problems: []string{"UnreadableDocument stdin:2 (document 1): not valid JSON: unexpected end of JSON input"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, summarise(load(t, tt.text, "-"))); diff != "" {
				t.Errorf("loaded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadLargeLists(t *testing.T) {
	// These Lists are too large to be parsed at once, so their items cannot refer to one
	// another.
	padding := "- apiVersion: v1\n  kind: ConfigMap\n  data:\n    x: " + strings.Repeat("y", maxWhole) + "\n"
	mesh := func(name string) string {
		return "- " + discovery + "  kind: Mesh\n  metadata: {name: " + name + "}\n"
	}
	tests := []struct {
		name, text string
		want       summary
	}{
		{
			name: "items that cannot be read",
			text: "kind: List\nitems:\n" + mesh("&name a") + padding + mesh("*name") + mesh("c") + "- x: y: z\n",
			want: summary{
				Objects: []string{"Mesh/a.gloo-mesh stdin:3 (document 1, item 1)", "Mesh/c.gloo-mesh stdin:13 (document 1, item 4)"},
				Problems: []string{
					"UnreadableDocument stdin:12 (document 1, item 3): not valid YAML: unknown anchor 'name' referenced",
					"UnreadableDocument stdin:16 (document 1, item 5): not valid YAML: mapping values are not allowed in this context",
				},
				Ignored: 1,
			},
		},
		{
			name: "a List that is broken outside of its items",
			text: "kind: List\nitems:\n" + mesh("a") + padding + "x: y: z\n",
			want: summary{
				Objects:  []string{"Mesh/a.gloo-mesh stdin:3 (document 1, item 1)"},
				Problems: []string{"UnreadableDocument stdin:1 (document 1): not valid YAML: mapping values are not allowed in this context"},
			},
		},
		{
			name: "items that are no List",
			text: "kind: Menu\napiVersion: example.com/v1\nitems:\n" + mesh("a") + padding,
			want: summary{Ignored: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, summarise(load(t, tt.text, "-"))); diff != "" {
				t.Errorf("loaded (-want +got):\n%s", diff)
			}
		})
	}
}
