package render

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// view returns the objects in all output formats.
func (r *rendering) view() view.View {
	return view.View{Document: r.document, Table: r.table, Names: r.names()}
}

// objects yields the objects cluster by cluster, so that only those of one cluster are in
// memory.
func (r *rendering) objects() iter.Seq2[*istio.Object, error] {
	return func(yield func(*istio.Object, error) bool) {
		stopped := errors.New("enough")
		err := r.each(func(_ string, objects []istio.Object) error {
			for i := range objects {
				if !yield(&objects[i], nil) {
					return stopped
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(nil, err)
		}
	}
}

func (r *rendering) names() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for o, err := range r.objects() {
			name := ""
			if err == nil {
				name = cmdutil.RenderedName(o)
			}
			if !yield(name, err) {
				return
			}
		}
	}
}

// explainedObject is an object in the JSON output of --explain.
type explainedObject struct {
	Cluster string         `json:"cluster"`
	Parents []string       `json:"parents"`
	Object  map[string]any `json:"object"`
}

// document returns the manifests. With --explain, the sources of each object are fields in
// JSON and comments in YAML.
func (r *rendering) document() (any, error) {
	if r.explain && r.format.Format() == output.FormatJSON {
		return view.List{APIVersion: describe.APIVersion, Kind: "RenderedObjectList", Items: r.explained()}, nil
	}
	return view.Manifests{Items: r.manifests(), Separated: true}, nil
}

func (r *rendering) explained() iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for o, err := range r.objects() {
			var item explainedObject
			if err == nil {
				item.Cluster, item.Parents = o.Cluster, cmdutil.ParentNames(o)
				item.Object, err = o.Fields()
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

func (r *rendering) manifests() iter.Seq2[view.Manifest, error] {
	encoder := istio.NewEncoder()
	return func(yield func(view.Manifest, error) bool) {
		for o, err := range r.objects() {
			var manifest view.Manifest
			if err == nil {
				manifest = r.manifest(encoder, o)
			}
			if !yield(manifest, err) {
				return
			}
		}
	}
}

// manifest returns the manifest of an object, with its sources if requested.
func (r *rendering) manifest(encoder *istio.Encoder, o *istio.Object) view.Manifest {
	manifest := view.Manifest{
		Object: func() (any, error) { return o.Fields() },
		YAML:   func() ([]byte, error) { return encoder.YAML(o) },
	}
	if r.explain {
		manifest.Comment = explanation(o)
	}
	return manifest
}

// explanation returns the purpose and the sources of an object.
func explanation(o *istio.Object) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s in cluster %s", o.Kind, o.Cluster)
	if o.Federates != "" {
		fmt.Fprintf(&text, ", about the federated Service %s", o.Federates)
	}
	text.WriteString(", comes from\n")
	for _, parent := range o.Parents {
		fmt.Fprintf(&text, "  %s\n", parent)
	}
	return text.String()
}

// table returns a table with one row per object.
func (r *rendering) table(wide bool) (view.Table, error) {
	wide = wide || r.explain
	table := view.Table{Columns: view.Columns("CLUSTER", "KIND", "NAMESPACE", "NAME")}
	if wide {
		table.Columns = append(table.Columns, view.Column{Name: "FROM", Content: view.ItemList})
	}
	for o, err := range r.objects() {
		if err != nil {
			return table, err
		}
		row := []string{o.Cluster, string(o.Kind), o.Namespace, o.Name}
		if wide {
			row = append(row, view.Items(cmdutil.ParentNames(o)))
		}
		table.Add(row...)
	}
	return table, nil
}
