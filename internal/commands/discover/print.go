package discover

import (
	"strconv"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// print prints the discovered objects.
func (d *discovering) print() error { return output.Print(d.streams, d.output.Format(), d.view()) }

// view returns the discovered objects in all output formats.
func (d *discovering) view() view.View {
	if d.output.Format().ForPeople() {
		return view.View{Table: view.Rows(d.table())}
	}
	objects, err := inventory.Manifests(inventory.Merge(d.found))
	if err != nil {
		return view.View{
			Document: func() (any, error) { return nil, err },
			Names:    func(yield func(string, error) bool) { yield("", err) },
		}
	}
	return cmdutil.ManifestsView(objects, nil)
}

// table returns a table with one row per cluster.
func (d *discovering) table() view.Table {
	table := view.Table{Columns: []view.Column{
		{Name: "CLUSTER"}, {Name: "STATUS"}, {Name: "MESHES", Content: view.ItemList}, {Name: "WORKLOADS", Priority: 1}, {Name: "DESTINATIONS", Priority: 2},
	}}
	for i := range d.found {
		c := &d.found[i]
		if c.Err != nil {
			table.Add(view.OrUnknown(c.Name), string(c.Err.Reason), view.Unknown, view.Unknown, view.Unknown)
			continue
		}
		var meshes []string
		for _, mesh := range c.Output.Meshes {
			meshes = append(meshes, cmdutil.MeshText(mesh.Spec))
		}
		status, none := "Discovered", view.None
		number := strconv.Itoa
		if c.Partial() { // nothing found does not mean that nothing exists
			status, none = "Partial", view.Unknown
			number = func(n int) string {
				if n == 0 {
					return view.Unknown
				}
				return strconv.Itoa(n)
			}
		}
		found := view.Items(meshes)
		if len(meshes) == 0 {
			found = none
		}
		table.Add(c.Name, status, found, number(len(c.Output.Workloads)), number(len(c.Output.Destinations)))
	}
	return table
}
