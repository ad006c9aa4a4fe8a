package policy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// AddFindings adds findings from other sources, so that all later results include
// them.
func (r *Result) AddFindings(findings []finding.Finding) {
	r.Findings = finding.Sort(append(r.Findings, findings...))
	r.indexFindings()
}

// indexFindings indexes the findings by object.
func (r *Result) indexFindings() {
	r.related = make(map[string][]int, len(r.Findings))
	for i, f := range r.Findings {
		r.related[f.Object] = append(r.related[f.Object], i)
	}
	r.aboutPolicy = map[PolicyRef][]int{}
	for i := range r.TrafficPolicies {
		r.filePolicy(PolicyRef{KindTrafficPolicy, i}, r.TrafficPolicies[i].ID())
	}
	for i := range r.AccessPolicies {
		r.filePolicy(PolicyRef{KindAccessPolicy, i}, r.AccessPolicies[i].ID())
	}
}

func (r *Result) filePolicy(ref PolicyRef, id world.ObjectID) {
	if found := r.related[id.String()]; len(found) > 0 {
		r.aboutPolicy[ref] = found
	}
}

// FindingsAbout returns the positions of the findings that concern a workload,
// ascending: about itself, its mesh, the VirtualMeshes that list the mesh, its
// Destinations and the policies that affect it.
func (r *Result) FindingsAbout(w *world.Workload, effects []*Effect) []int {
	objects := []world.ObjectID{world.WorkloadID(w)}
	if w.Mesh != nil {
		objects = append(objects, world.MeshID(w.Mesh))
		for _, vm := range r.VirtualMeshesListing(w.Mesh) {
			objects = append(objects, vm.ID())
		}
	}
	for _, id := range w.Backs {
		objects = append(objects, world.DestinationID(&r.World.Destinations[id]))
	}
	var found []int
	for _, e := range effects {
		found = append(found, r.aboutPolicy[e.Policy]...)
	}
	for _, ref := range r.unreachablePolicies { // they affect nothing, so effects does not contain them
		if r.HasSource(ref, w) || ref.Kind == KindTrafficPolicy && selector.MatchesWorkload(r.TrafficPolicies[ref.Index].Resource.Spec.SourceSelector, w) {
			found = append(found, r.aboutPolicy[ref]...)
		}
	}
	for _, o := range objects {
		found = append(found, r.related[o.String()]...)
	}
	return unique(found)
}

// FindingsOn returns the positions of the findings about any of the objects,
// ascending.
func (r *Result) FindingsOn(objects ...world.ObjectID) []int {
	var found []int
	for _, o := range objects {
		found = append(found, r.related[o.String()]...)
	}
	return unique(found)
}

func unique(ids []int) []int {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
