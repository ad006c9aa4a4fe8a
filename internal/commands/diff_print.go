package commands

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// worldDiff is the documented form of -o json and -o yaml.
type worldDiff struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Objects are the Istio objects that differ, by cluster, kind, namespace and
	// name.
	Objects []differingObject `json:"objects"`
	// Sentences say the changes of behaviour in words.
	Sentences []describe.ImpactLine `json:"sentences"`
	Changes   describe.ChangeView   `json:"changes"`
}

// differingObject is an Istio object that differs.
type differingObject struct {
	Cluster    string `json:"cluster"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	// Change is added, changed or removed.
	Change string `json:"change"`
	// Fields are what differs of one that is changed.
	Fields  []string `json:"fields,omitempty"`
	Parents []string `json:"parents"`
}

func presenceOf(kind kube.ChangeKind) string {
	switch kind {
	case kube.ChangeAdd:
		return "added"
	case kube.ChangeRemove:
		return "removed"
	case kube.ChangeModify, kube.ChangeNone, kube.ChangeLeave, kube.ChangeRefuse:
	}
	return "changed"
}

func (d *differing) print() error {
	switch d.format.String() {
	case "json", "yaml":
		return d.printView()
	case "name":
		for i := range d.objects {
			if _, err := fmt.Fprintln(d.streams.Out, renderedName(d.objects[i].object())); err != nil {
				return err
			}
		}
		return nil
	}
	if err := d.printSentences(); err != nil {
		return err
	}
	if d.full {
		return d.printFull()
	}
	return d.printObjects()
}

func (d *differing) view() (worldDiff, error) {
	view := worldDiff{
		APIVersion: "describe.meshctl.io/v1alpha1", Kind: "WorldDiff",
		Objects: []differingObject{}, Sentences: describe.AllChangeLines(d.changes), Changes: d.changes,
	}
	if view.Sentences == nil {
		view.Sentences = []describe.ImpactLine{}
	}
	for i := range d.objects {
		difference := &d.objects[i]
		o := difference.object()
		fields, err := difference.fields()
		if err != nil {
			return view, err
		}
		object := differingObject{
			Cluster: difference.cluster, APIVersion: o.Kind.APIVersion(), Kind: string(o.Kind), Namespace: o.Namespace, Name: o.Name,
			Change: presenceOf(difference.kind()), Parents: parentNames(o),
		}
		for _, field := range fields {
			object.Fields = append(object.Fields, field.Path)
		}
		view.Objects = append(view.Objects, object)
	}
	return view, nil
}

func (d *differing) printView() error {
	view, err := d.view()
	if err != nil {
		return err
	}
	return printDocument(d.streams.Out, d.format.String(), view)
}

// printSentences says what changes in behaviour.
func (d *differing) printSentences() error {
	lines := describe.ChangeLines(d.changes)
	if d.verbosity() > 0 {
		lines = describe.AllChangeLines(d.changes)
	}
	var text strings.Builder
	text.WriteString("Behaviour:\n")
	if len(lines) == 0 {
		text.WriteString("  nothing changes\n")
	}
	for _, line := range lines {
		label, color := impactLabel(line.Severity)
		if d.streams.OutColor() {
			label = color + label + "\x1b[0m"
		}
		fmt.Fprintf(&text, "  %s%s\n", label, printable(line.Text))
	}
	_, err := d.streams.Out.Write([]byte(text.String()))
	return err
}

// printObjects lists the objects that differ, cluster by cluster.
func (d *differing) printObjects() error {
	var text strings.Builder
	text.WriteString("\nConfiguration:\n")
	if len(d.objects) == 0 {
		text.WriteString("  nothing changes\n")
	}
	for start := 0; start < len(d.objects); {
		end := start
		for end < len(d.objects) && d.objects[end].cluster == d.objects[start].cluster {
			end++
		}
		if err := d.writeCluster(&text, d.objects[start:end]); err != nil {
			return err
		}
		start = end
	}
	_, err := d.streams.Out.Write([]byte(text.String()))
	return err
}

func (d *differing) writeCluster(text *strings.Builder, objects []objectDifference) error {
	count := map[kube.ChangeKind]int{}
	for i := range objects {
		count[objects[i].kind()]++
	}
	fmt.Fprintf(text, "  %s: %d added, %d changed, %d removed\n", objects[0].cluster,
		count[kube.ChangeAdd], count[kube.ChangeModify], count[kube.ChangeRemove])
	for i := range objects {
		if i == shownChanges && d.verbosity() == 0 {
			fmt.Fprintf(text, "    ... and %d more; -v shows all, --diff in full\n", len(objects)-i)
			break
		}
		fields, err := objects[i].fields()
		if err != nil {
			return err
		}
		line := changeSign(objects[i].kind()) + " " + identity(objects[i].object())
		if what := fieldsText(fields); what != "" {
			line += ": " + what
		}
		fmt.Fprintf(text, "    %s\n", printable(line))
	}
	return nil
}

// printFull writes the configuration that differs as unified diffs.
func (d *differing) printFull() error {
	encoder := istio.NewEncoder()
	style := describe.Style{Color: d.streams.OutColor()}
	for i := range d.objects {
		difference := &d.objects[i]
		o := difference.object()
		name := difference.cluster + "/" + string(o.Kind) + "/" + o.Namespace + "/" + o.Name
		var texts [2][]byte
		for k, object := range []*istio.Object{difference.before, difference.after} {
			if object == nil {
				continue
			}
			text, err := encoder.YAML(object)
			if err != nil {
				return err
			}
			texts[k] = text
		}
		diff := describe.ColorDiff(describe.UnifiedDiff(name+" (now)", name+" (then)", texts[0], texts[1]), style)
		if i == 0 {
			diff = append([]byte("\n"), diff...)
		}
		if _, err := d.streams.Out.Write(diff); err != nil {
			return err
		}
	}
	return nil
}
