package commands

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/discovery"
)

// print prints what was found.
func (d *discovering) print() error {
	if d.output.String() == "table" {
		return d.printTable()
	}
	objects, err := discoveredObjects(d.merged())
	if err != nil {
		return err
	}
	switch d.output.String() {
	case "json":
		return printManifestList(d.streams.Out.Write, objects)
	case "yaml":
		text, err := manifests(objects)
		if err != nil {
			return err
		}
		_, err = d.streams.Out.Write(text)
		return err
	default:
		for _, object := range objects {
			if _, err := fmt.Fprintln(d.streams.Out, objectName(object.GroupVersionKind().GroupKind(), object.GetName())); err != nil {
				return err
			}
		}
		return nil
	}
}

// printTable writes one row for each cluster, in the manner of kubectl.
func (d *discovering) printTable() error {
	const columnGap = 3
	w := tabwriter.NewWriter(d.streams.Out, 0, 0, columnGap, ' ', 0)
	fmt.Fprintln(w, "CLUSTER\tSTATUS\tMESHES\tWORKLOADS\tDESTINATIONS")
	for _, c := range d.found {
		if c.err != nil {
			fmt.Fprintf(w, "%s\t%s\t<unknown>\t<unknown>\t<unknown>\n", orUnknown(c.name), c.reason)
			continue
		}
		var meshes []string
		for _, mesh := range c.output.Meshes {
			meshes = append(meshes, meshText(mesh.Spec))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", c.name, c.status(), orNone(strings.Join(meshes, ", ")), len(c.output.Workloads), len(c.output.Destinations))
	}
	return w.Flush()
}

// status says in a word how much of a cluster was seen.
func (c *discoveredCluster) status() string {
	if c.partial {
		return "Partial"
	}
	return "Discovered"
}

func orUnknown(text string) string {
	if text == "" {
		return "<unknown>"
	}
	return text
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
