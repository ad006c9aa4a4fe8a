package commands

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// print prints what was found.
func (d *discovering) print() error { return output.Print(d.streams, d.output.format(), d.view()) }

// view returns what was found in all forms.
func (d *discovering) view() view.View {
	if d.output.format().ForPeople() {
		return view.View{Table: view.Rows(d.table())}
	}
	objects, err := discoveredObjects(d.merged())
	if err != nil {
		return view.View{
			Document: func() (any, error) { return nil, err },
			Names:    func(yield func(string, error) bool) { yield("", err) },
		}
	}
	return manifestsView(objects, nil)
}

// table has one row for each cluster.
func (d *discovering) table() view.Table {
	table := view.Table{Columns: view.Columns("CLUSTER", "STATUS", "MESHES", "WORKLOADS", "DESTINATIONS")}
	for _, c := range d.found {
		if c.err != nil {
			table.Add(view.OrUnknown(c.name), string(c.reason), view.Unknown, view.Unknown, view.Unknown)
			continue
		}
		var meshes []string
		for _, mesh := range c.output.Meshes {
			meshes = append(meshes, meshText(mesh.Spec))
		}
		table.Add(c.name, c.status(), view.OrNone(strings.Join(meshes, ", ")), strconv.Itoa(len(c.output.Workloads)), strconv.Itoa(len(c.output.Destinations)))
	}
	return table
}

// status says in a word how much of a cluster was seen.
func (c *discoveredCluster) status() string {
	if c.partial {
		return "Partial"
	}
	return "Discovered"
}

// discoveredObjects returns manifests of what was found: meshes, workloads and
// destinations, each by name.
func discoveredObjects(out discovery.Output) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	add := func(resource any) error {
		// Unlike the converter of client libraries, JSON has one kind of integers,
		// the one that clusters print.
		text, err := json.Marshal(resource)
		object := &unstructured.Unstructured{}
		if err == nil {
			err = object.UnmarshalJSON(text)
		}
		if err != nil {
			return fmt.Errorf("make a manifest of what was discovered: %w", err)
		}
		delete(object.Object, "status")
		unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
		objects = append(objects, object)
		return nil
	}
	for i := range out.Meshes {
		if err := add(&out.Meshes[i]); err != nil {
			return nil, err
		}
	}
	for i := range out.Workloads {
		if err := add(&out.Workloads[i]); err != nil {
			return nil, err
		}
	}
	for i := range out.Destinations {
		if err := add(&out.Destinations[i]); err != nil {
			return nil, err
		}
	}
	return objects, nil
}
