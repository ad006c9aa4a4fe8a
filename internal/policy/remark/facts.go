package remark

import (
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// Dependent is what the verdicts about the calls of one VirtualMesh depend on, as
// positions in the world, ascending.
type Dependent struct {
	Meshes []int
	// Guarded are Destinations whose pods are to enforce something, and Exported
	// those that are called through gateways.
	Guarded, Exported []int
}

// listed limits the names in one message.
const listed = 5

// AboutFacts returns a remark for each kind of fact that discovery does not know and
// that verdicts depend on (D46). Accepted trust domains and DNS capture
// have findings of their own.
func AboutFacts(w *world.World, on Dependent) []finding.Problem {
	var r remarks
	unknown := func(code finding.Code, ids []int, known func(id int) bool, name func(id int) string, noun, missing string) {
		var names []string
		for _, id := range ids {
			if !known(id) {
				names = append(names, name(id))
			}
		}
		if len(names) > 0 {
			does := text.Choose(len(names), "does", "do")
			r.add(code, "%s (%s) %s not record %s", text.Count(len(names), noun), text.Bounded(names, listed), does, missing)
		}
	}
	destination := func(id int) string { return w.Destinations[id].Key() }
	unknown(finding.CodeProxiesUnknown, slices.Compact(slices.Sorted(slices.Values(slices.Concat(on.Guarded, on.Exported)))), func(id int) bool {
		return knowsProxies(w, &w.Destinations[id])
	}, destination, "destination", "which pods have a proxy: all are assumed to have one")
	unknown(finding.CodeVisibilityUnknown, on.Exported, func(id int) bool {
		_, known := w.Destinations[id].IsVisibleIn("")
		return known
	}, destination, "destination", "visibility (exportTo): all namespaces are assumed")
	unknown(finding.CodeMeshConfigUnknown, on.Meshes, func(id int) bool {
		_, known := w.Meshes[id].UsesAutoMTLS()
		return known || w.Meshes[id].Type != world.MeshIstio
	}, func(id int) string { return w.Meshes[id].Ref.Name + "." + w.Meshes[id].Ref.Namespace }, "mesh", "the mesh configuration: Istio's defaults are assumed")
	return r
}

// knowsProxies reports whether it is known which pods behind a Destination have a
// proxy: as the Service says, or all of its workloads.
func knowsProxies(w *world.World, d *world.Destination) bool {
	if _, known := d.HasProxy(); known {
		return true
	}
	return len(d.Backing) > 0 && !slices.ContainsFunc(d.Backing, func(id int) bool {
		_, known := w.Workloads[id].HasProxy()
		return !known
	})
}
