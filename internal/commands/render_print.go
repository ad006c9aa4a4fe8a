package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/meshctl/meshctl/internal/render/istio"
)

// print writes the objects to standard output, cluster by cluster, so that only
// those of one are in memory.
func (r *rendering) print() error {
	switch r.format.String() {
	case "json":
		return r.printJSON(r.streams.Out)
	case "name":
		return r.each(func(_ string, objects []istio.Object) error {
			for i := range objects {
				if _, err := fmt.Fprintln(r.streams.Out, renderedName(&objects[i])); err != nil {
					return err
				}
			}
			return nil
		})
	case "table", "wide":
		return r.printTable(r.streams.Out)
	default:
		return r.printYAML(r.streams.Out)
	}
}

// renderedName names an object in one word: CLUSTER/KIND.GROUP/NAMESPACE/NAME.
func renderedName(o *istio.Object) string {
	return o.Cluster + "/" + objectName(o.Kind.GVK().GroupKind(), o.Namespace+"/"+o.Name)
}

// printYAML writes one document for each object.
func (r *rendering) printYAML(out io.Writer) error {
	encoder := istio.NewEncoder()
	return r.each(func(_ string, objects []istio.Object) error {
		for i := range objects {
			text, err := encoder.YAML(&objects[i])
			if err == nil {
				_, err = io.WriteString(out, "---\n"+r.comments(&objects[i]))
			}
			if err == nil {
				_, err = out.Write(text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// comments says in YAML comments what an object is for and comes from, if that
// is wanted.
func (r *rendering) comments(o *istio.Object) string {
	if !r.explain {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "# %s in cluster %s", o.Kind, o.Cluster)
	if o.Federates != "" {
		fmt.Fprintf(&text, ", about the federated Service %s", printable(o.Federates))
	}
	text.WriteString(", comes from\n")
	for _, parent := range o.Parents {
		fmt.Fprintf(&text, "#   %s\n", printable(parent.String()))
	}
	return text.String()
}

// explainedObject is an object of -o json with --explain.
type explainedObject struct {
	Cluster string         `json:"cluster"`
	Parents []string       `json:"parents"`
	Object  map[string]any `json:"object"`
}

// printJSON writes one List, object by object.
func (r *rendering) printJSON(out io.Writer) error {
	const indent = "  "
	head, open := `{
  "apiVersion": "v1",
  "kind": "List",
  "items": [`, ""
	if r.explain {
		head = strings.Replace(head, `"v1",
  "kind": "List"`, `"describe.meshctl.io/v1alpha1",
  "kind": "RenderedObjectList"`, 1)
	}
	if _, err := io.WriteString(out, head); err != nil {
		return err
	}
	err := r.each(func(_ string, objects []istio.Object) error {
		for i := range objects {
			fields, err := objects[i].Fields()
			if err != nil {
				return err
			}
			var item any = fields
			if r.explain {
				item = explainedObject{Cluster: objects[i].Cluster, Parents: parentNames(&objects[i]), Object: fields}
			}
			text, err := json.MarshalIndent(item, indent+indent, indent)
			if err != nil {
				return fmt.Errorf("encode %s: %w", objects[i].ID(), err)
			}
			if _, err := fmt.Fprintf(out, "%s\n%s%s%s", open, indent, indent, text); err != nil {
				return err
			}
			open = ","
		}
		return nil
	})
	if err != nil {
		return err
	}
	end := "\n  ]\n}\n"
	if open == "" {
		end = "]\n}\n"
	}
	_, err = io.WriteString(out, end)
	return err
}

func parentNames(o *istio.Object) []string {
	names := []string{}
	for _, parent := range o.Parents {
		names = append(names, parent.String())
	}
	return names
}

// printTable writes one row for each object, in the manner of kubectl.
func (r *rendering) printTable(out io.Writer) error {
	const columnGap = 3
	w := tabwriter.NewWriter(out, 0, 0, columnGap, ' ', 0)
	wide := r.explain || r.format.String() == "wide"
	header := "CLUSTER\tKIND\tNAMESPACE\tNAME"
	if wide {
		header += "\tFROM"
	}
	fmt.Fprintln(w, header)
	if err := r.each(func(cluster string, objects []istio.Object) error {
		for i := range objects {
			o := &objects[i]
			row := []string{cluster, string(o.Kind), o.Namespace, o.Name}
			if wide {
				row = append(row, strings.Join(parentNames(o), ", "))
			}
			if _, err := fmt.Fprintln(w, strings.Join(row, "\t")); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return w.Flush()
}
