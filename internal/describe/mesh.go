package describe

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// MeshDescriptionList is what `describe mesh -o json` prints.
type MeshDescriptionList = List[*MeshDescription]

// MeshDescription describes a mesh and what it shares with others.
type MeshDescription struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Type      string `json:"type"`
	Version   string `json:"version,omitempty"`
	Cluster   string `json:"cluster,omitempty"`
	Region    string `json:"region,omitempty"`
	// InstallationNamespace is the namespace of the control plane, RootNamespace
	// that of mesh-wide configuration.
	InstallationNamespace string              `json:"installationNamespace,omitempty"`
	RootNamespace         string              `json:"rootNamespace,omitempty"`
	TrustDomain           string              `json:"trustDomain,omitempty"`
	SmartDNS              *bool               `json:"smartDNS,omitempty"`
	VirtualMesh           *VirtualMeshSummary `json:"virtualMesh,omitempty"`
	MeshSharing
	WorkloadCount    int `json:"workloadCount"`
	DestinationCount int `json:"destinationCount"`
	// Facts are those of the resource that can be used; absent ones are not known.
	Facts *discoveryv1.MeshFacts `json:"facts,omitempty"`

	findings int
}

// MeshSharing describes what a mesh shares with the others of its virtual mesh.
type MeshSharing struct {
	// ExportedDestinations are NAME.NAMESPACE.CLUSTER of Destinations that other
	// meshes can call; summaries only have their number.
	ExportedDestinations     []string `json:"exportedDestinations,omitempty"`
	ExportedDestinationCount *int     `json:"exportedDestinationCount,omitempty"`
	// ExportedTo are the meshes that can call any of them.
	ExportedTo []ObjectRef `json:"exportedTo,omitempty"`
	// ImportedDestinationCount is the number of Destinations of other meshes that
	// this one can call.
	ImportedDestinationCount int `json:"importedDestinationCount"`
	// Gateways receive requests from other clusters; only meshes that export
	// Destinations have them.
	Gateways []GatewayDescription `json:"gateways,omitempty"`
	// Errors are the reasons why nothing can be exported.
	Errors []string `json:"errors,omitempty"`
}

// Meshes describes the given meshes, in their order.
func Meshes(result *policy.Result, meshes []*world.Mesh, opts Options) MeshDescriptionList {
	v := newViewer(result)
	counts := v.countByMesh()
	return newList(v, "MeshDescriptionList", meshes, opts, func(m *world.Mesh) (*MeshDescription, []int) {
		item := &MeshDescription{
			Name: m.Ref.Name, Namespace: m.Ref.Namespace, Type: string(m.Type), Version: m.Version, Cluster: m.Cluster,
			InstallationNamespace: m.Namespace, VirtualMesh: v.virtualMesh(m), MeshSharing: v.sharing(m, opts),
			WorkloadCount: counts.workloads[m], DestinationCount: counts.destinations[m],
			Facts: m.Facts,
		}
		item.ImportedDestinationCount = counts.imported[m.ID]
		if istio := m.Resource.Spec.Istio; istio != nil {
			item.TrustDomain, item.SmartDNS = m.TrustDomain, &istio.SmartDNSProxyingEnabled
			item.RootNamespace = cmp.Or(istio.RootNamespace, m.Namespace)
			if istio.Installation != nil {
				item.Region = istio.Installation.Region
			}
		}
		objects := v.meshObjects(m)
		for _, g := range v.result.Meshes[m.ID].Gateways {
			objects = append(objects, world.DestinationID(&v.world.Destinations[g.Destination]))
		}
		findings := v.result.FindingsOn(objects...)
		item.findings = len(findings)
		return item, findings
	})
}

// meshCounts are counts per mesh, from one pass over the world.
type meshCounts struct {
	workloads, destinations map[*world.Mesh]int
	// imported is indexed by the importing mesh.
	imported map[int]int
}

func (v viewer) countByMesh() meshCounts {
	counts := meshCounts{map[*world.Mesh]int{}, map[*world.Mesh]int{}, map[int]int{}}
	for i := range v.world.Workloads {
		counts.workloads[v.world.Workloads[i].Mesh]++
	}
	for i := range v.world.Destinations {
		counts.destinations[v.world.Destinations[i].Mesh]++
		if f := v.result.Destinations[i].Federation; f != nil {
			for _, m := range f.Meshes {
				counts.imported[m]++
			}
		}
	}
	return counts
}

// sharing does not set ImportedDestinationCount, which needs meshCounts.
func (v viewer) sharing(m *world.Mesh, opts Options) MeshSharing {
	decided := &v.result.Meshes[m.ID]
	exported := v.result.Exported(m)
	sharing := MeshSharing{Errors: decided.Errors, ExportedTo: MeshRefs(v.world, v.importers(exported))}
	if opts.Details {
		sharing.ExportedDestinations = DestinationKeys(v.world, exported)
	} else {
		count := len(exported)
		sharing.ExportedDestinationCount = &count
	}
	for _, g := range decided.Gateways {
		sharing.Gateways = append(sharing.Gateways, v.gateway(g))
	}
	return sharing
}

// importers returns the positions of the meshes that can call any of the
// Destinations, ascending.
func (v viewer) importers(exported []int) []int {
	importing := make([]bool, len(v.world.Meshes))
	for _, id := range exported {
		for _, m := range v.result.Destinations[id].Federation.Meshes {
			importing[m] = true
		}
	}
	var ids []int
	for id, imports := range importing {
		if imports {
			ids = append(ids, id)
		}
	}
	return ids
}

func (m *MeshDescription) reference() string {
	return "mesh/" + ObjectRef{m.Namespace, m.Name}.String()
}

func (*MeshDescription) columns() []view.Column {
	return append([]view.Column{
		{Name: "NAMESPACE"},
		{Name: "NAME"},
		{Name: "CLUSTER"},
		{Name: "TYPE", Priority: 4},
		{Name: "VERSION", Priority: 3},
		{Name: "VIRTUAL-MESH"},
		{Name: "WORKLOADS", Priority: 1},
		{Name: "DESTINATIONS", Priority: 2},
		{Name: "EXPORTED", Priority: 5},
		{Name: "IMPORTED", Priority: 6},
		{Name: "FINDINGS"},
	}, view.WideColumns("TRUST-DOMAIN", "SMART-DNS", "ROOT-NAMESPACE", "GATEWAYS")...)
}

func (m *MeshDescription) row(wide bool) []string {
	row := []string{
		m.Namespace, m.Name, view.OrNone(m.Cluster), m.Type, view.OrNone(m.Version), m.VirtualMesh.label(),
		strconv.Itoa(m.WorkloadCount), strconv.Itoa(m.DestinationCount),
		strconv.Itoa(*m.ExportedDestinationCount), strconv.Itoa(m.ImportedDestinationCount), strconv.Itoa(m.findings),
	}
	if wide {
		row = append(row, view.OrNone(m.TrustDomain), smartDNSText(m.SmartDNS), view.OrNone(m.RootNamespace), view.OrNone(strings.Join(gatewayTexts(m.Gateways), "; ")))
	}
	return row
}

func smartDNSText(enabled *bool) string {
	switch {
	case enabled == nil:
		return view.None
	case *enabled:
		return "enabled"
	default:
		return "disabled"
	}
}

func gatewayTexts(gateways []GatewayDescription) []string {
	texts := make([]string, 0, len(gateways))
	for _, g := range gateways {
		texts = append(texts, g.Service.String()+" at "+g.address())
	}
	return texts
}

func (m *MeshDescription) write(w *view.Text) {
	w.Fields(append([]view.Field{
		{Key: "Name", Value: m.Name},
		{Key: "Namespace", Value: m.Namespace},
		{Key: "Type", Value: strings.TrimSpace(m.Type + " " + m.Version)},
		{Key: "Cluster", Value: view.OrNone(m.Cluster)},
		{Key: "Region", Value: view.OrNone(m.Region)},
		{Key: "Installed In", Value: view.OrNone(m.InstallationNamespace)},
		{Key: "Root Namespace", Value: view.OrNone(m.RootNamespace)},
		{Key: "Trust Domain", Value: view.OrNone(m.TrustDomain)},
		{Key: "Smart DNS", Value: smartDNSText(m.SmartDNS)},
		m.VirtualMesh.field(),
		{Key: "Workloads", Value: strconv.Itoa(m.WorkloadCount)},
		{Key: "Destinations", Value: strconv.Itoa(m.DestinationCount)},
	}, m.MeshSharing.fields()...))
	m.writeFacts(w)
	m.writeExported(w)
}

func (s *MeshSharing) fields() []view.Field {
	return []view.Field{
		{Key: "Gateways", Items: gatewayTexts(s.Gateways)},
		{Key: "Imported", Value: text.Count(s.ImportedDestinationCount, "destination")},
		{Key: "Exported To", Items: RefNames(s.ExportedTo)},
	}
}

// writeExported writes the exported Destinations, or why there are none.
func (s *MeshSharing) writeExported(w *view.Text) {
	w.Section("Exported", len(s.ExportedDestinations) == 0, func() {
		for _, d := range s.ExportedDestinations {
			w.Line(d)
		}
	})
	for _, e := range s.Errors {
		w.Marked(bad("error"), " "+e)
	}
}
