package describe

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// ClusterDescriptionList is what `describe cluster -o json` prints.
type ClusterDescriptionList = List[*ClusterDescription]

// ClusterDescription describes a cluster.
type ClusterDescription struct {
	Name string `json:"name"`
	// Registered is true if a KubernetesCluster of that name exists; otherwise
	// the cluster is known from discovered objects.
	Registered bool `json:"registered"`
	// Domain is the DNS domain of Services in the cluster.
	Domain        string      `json:"domain"`
	Meshes        []MeshOf    `json:"meshes,omitempty"`
	VirtualMeshes []ObjectRef `json:"virtualMeshes,omitempty"`
	// Namespaces are the namespaces with workloads or destinations.
	Namespaces []string `json:"namespaces,omitempty"`
	// Outsiders are the workloads without a mesh, as NAME.NAMESPACE.CLUSTER;
	// summaries only have their number.
	Outsiders        []string `json:"workloadsWithoutMesh,omitempty"`
	OutsiderCount    *int     `json:"workloadWithoutMeshCount,omitempty"`
	WorkloadCount    int      `json:"workloadCount"`
	DestinationCount int      `json:"destinationCount"`
	ExportedCount    int      `json:"exportedDestinationCount"`

	findings int
}

// MeshOf is a mesh of a cluster.
type MeshOf struct {
	MeshSummary
	VirtualMesh *VirtualMeshSummary `json:"virtualMesh,omitempty"`
}

// Clusters describes the clusters of the given names, in their order.
func Clusters(result *policy.Result, names []string, opts Options) ClusterDescriptionList {
	v := newViewer(result)
	return newList(v, "ClusterDescriptionList", names, opts, func(name string) (*ClusterDescription, []int) {
		item := &ClusterDescription{Name: name, Registered: v.world.Registered(name), Domain: v.world.ClusterDomain(name)}
		var objects []world.ObjectID
		for i := range v.world.Meshes {
			m := &v.world.Meshes[i]
			if m.Cluster != name {
				continue
			}
			view := MeshOf{MeshSummary: *viewMesh(m), VirtualMesh: v.virtualMesh(m)}
			item.Meshes = append(item.Meshes, view)
			if vm := view.VirtualMesh; vm != nil {
				item.VirtualMeshes = append(item.VirtualMeshes, ObjectRef{vm.Namespace, vm.Name})
			}
			objects = append(objects, v.meshObjects(m)...)
		}
		slices.SortFunc(item.VirtualMeshes, compareRefs)
		item.VirtualMeshes = slices.Compact(item.VirtualMeshes)
		objects = append(objects, v.addContents(item, opts)...)
		findings := v.result.FindingsOn(objects...)
		item.findings = len(findings)
		return item, findings
	})
}

func compareRefs(a, b ObjectRef) int {
	return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
}

// addContents counts the objects in the cluster and returns their IDs.
func (v viewer) addContents(item *ClusterDescription, opts Options) []world.ObjectID {
	var objects []world.ObjectID
	var outsiders []int
	cluster := []string{item.Name}
	workloads, destinations := v.world.WorkloadsWithin(cluster, nil, nil), v.world.DestinationsWithin(cluster, nil, nil)
	for _, id := range workloads {
		w := &v.world.Workloads[id]
		if w.Mesh == nil {
			outsiders = append(outsiders, id)
		}
		item.Namespaces = append(item.Namespaces, w.Namespace)
		objects = append(objects, world.WorkloadID(w))
	}
	for _, id := range destinations {
		d := &v.world.Destinations[id]
		if v.result.Destinations[id].Federation != nil {
			item.ExportedCount++
		}
		item.Namespaces = append(item.Namespaces, d.Ref.Namespace)
		objects = append(objects, world.DestinationID(d))
	}
	item.WorkloadCount, item.DestinationCount = len(workloads), len(destinations)
	slices.Sort(item.Namespaces)
	item.Namespaces = slices.Compact(item.Namespaces)
	if opts.Details {
		item.Outsiders = WorkloadKeys(v.world, outsiders)
	} else {
		count := len(outsiders)
		item.OutsiderCount = &count
	}
	return objects
}

func (c *ClusterDescription) reference() string { return "cluster/" + c.Name }

func (*ClusterDescription) columns() []view.Column {
	return []view.Column{
		{Name: "NAME"},
		{Name: "REGISTERED", Priority: 3},
		{Name: "MESHES", Content: view.ItemList, Shown: shownNames},
		{Name: "VIRTUAL-MESHES", Content: view.ItemList, Shown: shownNames},
		{Name: "WORKLOADS", Priority: 1},
		{Name: "DESTINATIONS", Priority: 2},
		{Name: "EXPORTED", Priority: 4},
		{Name: "FINDINGS"},
		{Name: "DOMAIN", Wide: true},
		{Name: "NAMESPACES", Wide: true, Content: view.ItemList},
		{Name: "WITHOUT-MESH", Wide: true},
	}
}

func (c *ClusterDescription) row(wide bool) []string {
	meshes := make([]string, 0, len(c.Meshes))
	for _, m := range c.Meshes {
		meshes = append(meshes, m.Name)
	}
	row := []string{
		c.Name, c.registeredText(), view.Items(meshes), view.Items(RefNames(c.VirtualMeshes)),
		strconv.Itoa(c.WorkloadCount), strconv.Itoa(c.DestinationCount), strconv.Itoa(c.ExportedCount), strconv.Itoa(c.findings),
	}
	if wide {
		row = append(row, c.Domain, view.Items(c.Namespaces), strconv.Itoa(*c.OutsiderCount))
	}
	return row
}

func (c *ClusterDescription) registeredText() string {
	if c.Registered {
		return "yes"
	}
	return "no"
}

func (c *ClusterDescription) write(w *view.Text) {
	registered := "yes"
	if !c.Registered {
		registered = "no, only found in discovered objects"
	}
	w.Fields([]view.Field{
		{Key: "Name", Value: c.Name},
		{Key: "Registered", Value: registered},
		{Key: "Domain", Value: c.Domain},
		{Key: "Namespaces", Items: c.Namespaces},
		{Key: "Workloads", Value: strconv.Itoa(c.WorkloadCount)},
		{Key: "Destinations", Value: strconv.Itoa(c.DestinationCount)},
		{Key: "Exported", Value: text.Count(c.ExportedCount, "destination")},
	})
	w.Section("Meshes", len(c.Meshes) == 0, func() {
		rows := make([][]string, 0, len(c.Meshes))
		for _, m := range c.Meshes {
			rows = append(rows, []string{ObjectRef{m.Namespace, m.Name}.String(), m.Type, view.OrNone(m.Version), view.OrNone(m.TrustDomain), m.VirtualMesh.label()})
		}
		w.Table(view.Table{Columns: []view.Column{
			{Name: "NAME"}, {Name: "TYPE", Priority: 2}, {Name: "VERSION", Priority: 1}, {Name: "TRUST-DOMAIN", Priority: 3}, {Name: "VIRTUAL-MESH"},
		}, Rows: rows})
	})
	w.Section("Workloads Without Mesh", len(c.Outsiders) == 0, func() {
		for _, key := range c.Outsiders {
			w.Line(key)
		}
	})
}
