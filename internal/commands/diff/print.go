package diff

import (
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// APIVersion is the version of the document of diff.
const APIVersion = "diff.meshctl.io/v1alpha1"

// worldDiff is the documented form of -o json and -o yaml.
type worldDiff struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Objects are the Istio objects that differ, by cluster, kind, namespace and
	// name.
	Objects []differingObject `json:"objects"`
	// Sentences say the changes of behaviour in words.
	Sentences []impact.Line     `json:"sentences"`
	Changes   impact.ChangeView `json:"changes"`
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
	// Fields are the paths that differ in a changed object.
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

// view returns the differences in all forms.
func (d *diffRun) view() view.View {
	return view.View{
		Document: d.document, Text: d.write,
		Names: view.NameEach(d.objects, func(o *objectDifference) string { return cmdutil.RenderedName(o.object()) }),
	}
}

// document returns the differences as a document.
func (d *diffRun) document() (any, error) {
	document := worldDiff{
		APIVersion: APIVersion, Kind: "WorldDiff",
		Objects: []differingObject{}, Sentences: impact.AllChangeLines(d.changes), Changes: d.changes,
	}
	if document.Sentences == nil {
		document.Sentences = []impact.Line{}
	}
	for i := range d.objects {
		difference := &d.objects[i]
		o := difference.object()
		fields, err := difference.fields()
		if err != nil {
			return document, err
		}
		object := differingObject{
			Cluster: difference.cluster, APIVersion: o.Kind.APIVersion(), Kind: string(o.Kind), Namespace: o.Namespace, Name: o.Name,
			Change: presenceOf(difference.kind()), Parents: cmdutil.ParentNames(o),
		}
		for _, field := range fields {
			object.Fields = append(object.Fields, field.Path)
		}
		document.Objects = append(document.Objects, object)
	}
	return document, nil
}

// write writes the differences as text.
func (d *diffRun) write(t *view.Text) error {
	d.writeBehaviour(t)
	if d.full {
		return d.writeFull(t)
	}
	return d.writeObjects(t)
}

// writeBehaviour writes the changes of behaviour.
func (d *diffRun) writeBehaviour(t *view.Text) {
	lines := impact.ChangeLines(d.changes)
	if d.verbosity() > 0 {
		lines = impact.AllChangeLines(d.changes)
	}
	cmdutil.WriteBehaviour(t, lines, cmdutil.NothingChanges)
}

// writeObjects lists the objects that differ, cluster by cluster.
func (d *diffRun) writeObjects(t *view.Text) error {
	t.Blank()
	t.Line("Configuration:")
	var err error
	t.Nested(func() {
		if len(d.objects) == 0 {
			t.Line(cmdutil.NothingChanges)
		}
		for start := 0; start < len(d.objects) && err == nil; {
			end := start
			for end < len(d.objects) && d.objects[end].cluster == d.objects[start].cluster {
				end++
			}
			err = d.writeCluster(t, d.objects[start:end])
			start = end
		}
	})
	return err
}

func (d *diffRun) writeCluster(t *view.Text, objects []objectDifference) error {
	count := map[kube.ChangeKind]int{}
	for i := range objects {
		count[objects[i].kind()]++
	}
	t.Linef("%s: %d added, %d changed, %d removed", objects[0].cluster,
		count[kube.ChangeAdd], count[kube.ChangeModify], count[kube.ChangeRemove])
	var err error
	t.Nested(func() {
		for i := range objects {
			if i == cmdutil.ShownChanges && d.verbosity() == 0 {
				t.Linef("... %s; -v shows all, --diff in full", text.More(len(objects)-i))
				return
			}
			var fields []kube.FieldChange
			if fields, err = objects[i].fields(); err != nil {
				return
			}
			line := cmdutil.ChangeSign(objects[i].kind()) + " " + identity(objects[i].object())
			if what := cmdutil.FieldsText(fields); what != "" {
				line += ": " + what
			}
			t.Line(line)
		}
	})
	return err
}

// writeFull writes the configuration that differs as unified diffs.
func (d *diffRun) writeFull(t *view.Text) error {
	encoder := istio.NewEncoder()
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
		if i == 0 {
			t.Blank()
		}
		t.Diff(name+" (now)", name+" (then)", texts[0], texts[1])
	}
	return nil
}
