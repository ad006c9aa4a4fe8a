package check

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// judgeTrustDomains judges whether a mesh accepts the trust domains of the meshes to
// which it exports (D47).
func judgeTrustDomains(f *Facts, m *world.Mesh) []Outcome {
	switch decided := &f.World.Meshes[m.ID]; {
	case decided.VirtualMesh == nil && f.World.World.Incomplete():
		return single(worldUnread("the VirtualMesh of the mesh was not found"))
	case decided.VirtualMesh == nil:
		return single(skipped("the mesh does not belong to a VirtualMesh"))
	case !decided.Exports:
		return single(skipped("other meshes call none of its Services"))
	}
	problem, hint := f.World.RefusedDomains(m)
	if problem == "" {
		return single(holds(""))
	}
	return single(broken("it "+problem, hint))
}

// listedObjects limits the objects that a message names.
const listedObjects = 5

// judgeProxies reports workloads of which only some pods have a proxy: policies hold
// for these only.
func judgeProxies(f *Facts, m *world.Mesh) []Outcome {
	var mixed []string
	known, all := 0, 0
	for i := range f.World.World.Workloads {
		w := &f.World.World.Workloads[i]
		if w.Mesh != m {
			continue
		}
		all++
		presence, isKnown := w.HasProxy()
		if isKnown {
			known++
		}
		if isKnown && presence == discoveryv1.PresenceSome {
			mixed = append(mixed, w.Name+"."+w.Namespace)
		}
	}
	switch {
	case len(mixed) > 0:
		return single(broken(fmt.Sprintf("only some pods have a proxy in %s (%s); access rules and TLS do not hold for the others",
			text.Count(len(mixed), "workload"), text.Bounded(mixed, listedObjects)), ""))
	case all == 0:
		return single(skipped("the mesh has no workloads"))
	case known == 0:
		return single(skipped("it is not recorded which pods have a proxy"))
	default:
		return single(holds(text.Count(known, "workload")))
	}
}

// judgeFacts reports objects of a mesh without facts, or with facts that cannot be
// used: answers then assume Istio's defaults (D46).
func judgeFacts(f *Facts, m *world.Mesh) []Outcome {
	all, without, owned := 1, 0, map[string]bool{world.MeshID(m).String(): true}
	if m.Facts == nil {
		without++
	}
	count := func(kind, name, namespace string, missing bool) {
		owned[kind+"/"+name+"."+namespace] = true
		if all++; missing {
			without++
		}
	}
	for i := range f.World.World.Workloads {
		if w := &f.World.World.Workloads[i]; w.Mesh == m {
			count("Workload", w.Resource.Name, w.Resource.Namespace, w.Facts == nil)
		}
	}
	for i := range f.World.World.Destinations {
		if d := &f.World.World.Destinations[i]; d.Mesh == m {
			count("Destination", d.Resource.Name, d.Resource.Namespace, d.Facts == nil)
		}
	}
	var ignored []string
	for _, p := range f.World.World.Problems {
		if p.Kind == world.IgnoredFact && owned[p.Object] {
			ignored = append(ignored, p.Object)
		}
	}
	var problems []string
	if without > 0 {
		problems = append(problems, fmt.Sprintf("%d of %d objects have no facts about Istio, as an older version or another tool wrote them", without, all))
	}
	if len(ignored) > 0 {
		problems = append(problems, fmt.Sprintf("facts are ignored because they are invalid: %s", text.Bounded(ignored, listedObjects)))
	}
	if len(problems) > 0 {
		return single(broken(strings.Join(problems, "; ")+"; answers assume Istio's defaults", ""))
	}
	return single(holds(text.Count(all, "object")))
}
