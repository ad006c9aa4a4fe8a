package describe

import (
	"iter"
	"slices"

	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// Options configure the level of detail.
type Options struct {
	// Details describes every object in full instead of in one line.
	Details bool
}

// Answer is the result of describe with its findings.
type Answer interface {
	View() view.View
	// CountFindings returns the number of findings of each severity.
	CountFindings() map[finding.Severity]int
}

// description is one object of a List.
type description interface {
	// reference returns TYPE/NAME in the form that commands accept.
	reference() string
	// columns returns the columns of the table. It must not use the object.
	columns() []view.Column
	// row returns the cells of the object; those of wide columns may be missing
	// unless wide is set.
	row(wide bool) []string
	// write writes the full description in the style of kubectl describe.
	write(w *view.Text)
}

// List is the result of describe for one kind: a documented JSON contract with
// the descriptions in the order of the world.
type List[T description] struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Items      []T    `json:"items"`
	// Findings are about the listed objects or unreadable input.
	Findings []Finding `json:"findings,omitempty"`

	detailed bool
}

// newList describes objects one by one; describe also returns the positions of
// the findings about the object.
func newList[S any, T description](v viewer, kind string, objects []S, opts Options, describe func(S) (T, []int)) List[T] {
	list := List[T]{APIVersion: APIVersion, Kind: kind, Items: make([]T, 0, len(objects)), detailed: opts.Details}
	var related []int
	for _, object := range objects {
		item, findings := describe(object)
		list.Items = append(list.Items, item)
		related = append(related, findings...)
	}
	list.Findings = v.findings(related, false)
	return list
}

// CountFindings implements Answer.
func (l List[T]) CountFindings() map[finding.Severity]int { return countFindings(l.Findings) }

// CountFindings implements Answer.
func (l WorkloadDescriptionList) CountFindings() map[finding.Severity]int {
	return countFindings(l.Findings)
}

func countFindings(findings []Finding) map[finding.Severity]int {
	count := map[finding.Severity]int{}
	for _, f := range findings {
		count[f.Severity]++
	}
	return count
}

// newDocument returns the machine-readable form of a list.
func newDocument(apiVersion, kind string, items iter.Seq2[any, error], findings []Finding) view.List {
	list := view.List{APIVersion: apiVersion, Kind: kind, Items: items}
	if len(findings) > 0 {
		list.More = map[string]any{"findings": findings}
	}
	return list
}

// View implements Answer: one row per object, or a full description of each if
// the list was built with details.
func (l List[T]) View() view.View {
	v := view.View{
		Document: view.Value(newDocument(l.APIVersion, l.Kind, view.Each(l.Items), l.Findings)),
		Names:    view.NameEach(l.Items, func(item *T) string { return (*item).reference() }),
	}
	switch {
	case len(l.Items) == 0:
	case l.detailed:
		v.Text = view.Lines(l.write)
	default:
		v.Table = func(wide bool) (view.Table, error) { return l.table(wide), nil }
	}
	return v
}

func (l List[T]) write(w *view.Text) {
	for _, item := range l.Items {
		item.write(w)
		w.Blank()
	}
	writeFindings(w, l.Findings, true)
}

func (l List[T]) table(wide bool) view.Table {
	table := view.Table{Columns: l.Items[0].columns(), Rows: make([][]string, 0, len(l.Items))}
	for _, item := range l.Items {
		table.Rows = append(table.Rows, item.row(wide))
	}
	noteWritten(&table)
	return table
}

// WorkloadKeys returns NAME.NAMESPACE.CLUSTER of workloads, or as much of it as
// is known, sorted.
func WorkloadKeys(w *world.World, ids []int) []string {
	keys := make([]string, 0, len(ids))
	for _, id := range ids {
		workload := &w.Workloads[id]
		keys = append(keys, ServiceRef{workload.Name, workload.Namespace, workload.Cluster}.String())
	}
	slices.Sort(keys)
	return keys
}

// DestinationKeys returns NAME.NAMESPACE.CLUSTER of Destinations, sorted.
func DestinationKeys(w *world.World, ids []int) []string {
	keys := make([]string, 0, len(ids))
	for _, id := range ids {
		keys = append(keys, viewService(&w.Destinations[id]).String())
	}
	slices.Sort(keys)
	return keys
}

// MeshRefs names the meshes at the given positions.
func MeshRefs(w *world.World, ids []int) []ObjectRef {
	var refs []ObjectRef
	for _, id := range ids {
		refs = append(refs, ObjectOf(w.Meshes[id].Ref))
	}
	return refs
}

// meshObjects returns the IDs of a mesh and of the VirtualMeshes that list it, to
// look up their findings; none for nil.
func (v viewer) meshObjects(m *world.Mesh) []world.ObjectID {
	if m == nil {
		return nil
	}
	objects := []world.ObjectID{world.MeshID(m)}
	for _, vm := range v.result.VirtualMeshesListing(m) {
		objects = append(objects, vm.ID())
	}
	return objects
}

func (v viewer) policyID(ref policy.PolicyRef) world.ObjectID {
	meta := v.result.Meta(ref)
	return world.ObjectID{Kind: string(ref.Kind), Namespace: meta.Namespace, Name: meta.Name}
}
