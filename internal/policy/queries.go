package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// StateIdle is the state of a policy that is valid but effective nowhere,
// because it selects no known Destination.
const StateIdle State = "IDLE"

// VirtualMeshesListing returns the VirtualMeshes that list a mesh, whether
// accepted or not, by namespace and name.
func (r *Result) VirtualMeshesListing(m *world.Mesh) []*VirtualMesh {
	if r.listing == nil {
		r.listing = map[int][]*VirtualMesh{}
		for i := range r.VirtualMeshes {
			for _, mesh := range r.VirtualMeshes[i].Meshes {
				r.listing[mesh] = append(r.listing[mesh], &r.VirtualMeshes[i])
			}
		}
	}
	return r.listing[m.ID]
}

// InvalidOn returns the policies that are INVALID as a whole and whose selectors
// would select the Destination, TrafficPolicies first.
func (r *Result) InvalidOn(destination int) []PolicyRef {
	return r.invalidOn.refs(destination)
}

// ApplicationOf returns where a policy applies.
func (r *Result) ApplicationOf(ref PolicyRef) *Application { return r.application(ref) }

// EffectiveDestinations returns the Destinations on which a policy is effective,
// ascending.
func (a *Application) EffectiveDestinations() []int {
	if !a.Valid() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.Destinations), func(id int) bool {
		_, rejected := a.Rejected[id]
		return rejected
	})
}

// State returns the state of the policy: on how many of its Destinations it is
// effective, and whether all references resolve.
func (a *Application) State() State {
	switch {
	case !a.Valid(), len(a.Destinations) == 0 && len(a.Unresolved) > 0:
		return StateInvalid
	case len(a.Destinations) == 0:
		return StateIdle
	case len(a.Rejected)+len(a.Unresolved) == 0:
		return StateApplied
	case len(a.Rejected) < len(a.Destinations):
		return StatePartial
	default:
		return StateInvalid
	}
}

// AffectedSources returns the positions of the workloads whose requests a policy
// affects, ascending: its source selector matches them, or its connection settings
// hold for them, and they reach a Destination on which it is effective.
func (r *Result) AffectedSources(ref PolicyRef) []int {
	app := r.application(ref)
	if len(app.EffectiveDestinations()) == 0 {
		return nil
	}
	sources := r.matchingSources(ref)
	switch {
	case ref.Kind != KindTrafficPolicy:
	case len(r.TrafficPolicies[ref.Index].connectionFields()) > 0:
		sources = slices.DeleteFunc(r.World.WorkloadsWithin(nil, nil, nil), func(id int) bool {
			w := &r.World.Workloads[id]
			return len(r.sources(ref.Index, w.Cluster)) == 0 || !r.HasConnections(w)
		})
	default:
		sources = slices.DeleteFunc(slices.Clone(sources), func(id int) bool { return !r.FollowsRoutes(&r.World.Workloads[id]) })
	}
	return slices.DeleteFunc(sources, func(id int) bool {
		w := &r.World.Workloads[id]
		if w.Mesh == nil {
			return true
		}
		effect := r.sourceEffect(r.effectsFrom(w, false), ref, w)
		return effect == nil || effect.Count == 0
	})
}

// AffectedTargets returns the positions of the workloads behind the Destinations
// on which a policy is effective, ascending. Workloads without a mesh are
// omitted, because no policy affects them.
func (r *Result) AffectedTargets(ref PolicyRef) []int {
	var targets []int
	for _, id := range r.application(ref).EffectiveDestinations() {
		targets = append(targets, r.World.Destinations[id].Backing...)
	}
	return slices.DeleteFunc(unique(targets), func(id int) bool { return r.World.Workloads[id].Mesh == nil })
}

// matchingSources returns the workloads that a policy's source selector matches,
// regardless of what they reach.
func (r *Result) matchingSources(ref PolicyRef) []int {
	if ref.Kind == KindTrafficPolicy {
		selectors := r.TrafficPolicies[ref.Index].Resource.Spec.SourceSelector
		if len(selectors) == 0 {
			return r.World.WorkloadsWithin(nil, nil, nil)
		}
		var found []int
		for _, s := range selectors {
			m := s.KubeWorkloadMatcher
			if m == nil {
				return r.World.WorkloadsWithin(nil, nil, nil)
			}
			found = append(found, r.World.WorkloadsWithin(m.Clusters, m.Namespaces, m.Labels)...)
		}
		return unique(found)
	}
	p := &r.AccessPolicies[ref.Index]
	if p.ownMeshOnly() { // the allowed callers depend on the Destination (D31)
		return r.World.WorkloadsWithin(nil, nil, nil)
	}
	return slices.DeleteFunc(r.workloadsNear(p.sources), func(id int) bool {
		identity, known := selector.IdentityOf(&r.World.Workloads[id])
		return !slices.ContainsFunc(p.sources, func(g selector.Grant) bool { return g.Admits(identity, known) })
	})
}

// workloadsNear returns the workloads of the namespaces in grants; all if a grant
// names no namespace.
func (r *Result) workloadsNear(grants []selector.Grant) []int {
	namespaces, anywhere := selector.NamespacesOf(grants)
	switch {
	case anywhere:
		return r.World.WorkloadsWithin(nil, nil, nil)
	case len(namespaces) == 0:
		return nil
	default:
		return r.World.WorkloadsWithin(nil, namespaces, nil)
	}
}

// Settings returns the settings of a TrafficPolicy with their effective values,
// sorted by field, whether it is valid or not. Unsupported fields (D29)
// have their raw value.
func (r *Result) Settings(policy int) []Feature {
	p := r.TrafficPolicies[policy].Resource.Spec.Policy
	features := featuresOf(r.features, p, r.portOfTarget, feature.ScopeRequests, feature.ScopeConnections, feature.ScopeUnsupported)
	// A mirror without a target is INVALID and has no effect.
	return slices.DeleteFunc(features, func(f Feature) bool {
		m, ok := f.Value.(*networkingv1.Mirror)
		return ok && m.KubeService == nil
	})
}

// Matches returns the request matches of a policy in their effective form; nil
// stands for all requests.
func (p *TrafficPolicy) Matches() []*selector.RequestMatch {
	matches := selector.RequestMatches(p.Resource.Spec.HTTPRequestMatchers)
	if slices.Contains(matches, nil) {
		return nil
	}
	return matches
}

// RejectionsOf returns why a TrafficPolicy is not effective on a Destination,
// or on some of the requests to it, sorted by field and reason.
func (r *Result) RejectionsOf(policy, destination int) []Rejection {
	if r.rejections[destination] == nil {
		filed := map[int][]Rejection{}
		all := slices.Clone(r.Destinations[destination].Rejections)
		if len(r.Destinations[destination].Traffic) > 1 {
			all = append(all, r.overlaps(destination)...)
		}
		for _, j := range sortRejections(all) {
			filed[j.Policy] = append(filed[j.Policy], j)
		}
		r.rejections[destination] = filed
	}
	return slices.Clone(r.rejections[destination][policy])
}

// RejectedOn returns the settings of policies that are not effective on a
// Destination for any caller, sorted by policy, field and reason.
func (r *Result) RejectedOn(destination int) []Rejection {
	rejections := append(slices.Clone(r.Destinations[destination].Rejections), r.overlaps(destination)...)
	for _, ref := range r.InvalidOn(destination) {
		if ref.Kind != KindTrafficPolicy {
			continue
		}
		for _, reason := range r.TrafficPolicies[ref.Index].Errors {
			rejections = append(rejections, Rejection{Policy: ref.Index, Reason: reason, Winner: -1})
		}
	}
	return sortRejections(rejections)
}

// overlaps returns the settings that are overridden for a part of the requests
// only, and those of routes that are never reached.
func (r *Result) overlaps(destination int) []Rejection {
	var rejections []Rejection
	for _, origin := range r.Origins(destination) {
		for _, route := range r.routesFrom(origin.Cluster, destination) {
			rejections = append(rejections, route.rejected...)
		}
		rejections = append(rejections, r.lostRoutes(r.shadowed(origin.Cluster, destination), r.effectiveFrom(origin.Cluster, destination))...)
	}
	return rejections
}

func sortRejections(rejections []Rejection) []Rejection {
	slices.SortFunc(rejections, func(a, b Rejection) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), strings.Compare(a.Field, b.Field), strings.Compare(a.Reason, b.Reason))
	})
	return slices.Compact(rejections)
}

// AdmitsOwnMeshOnly reports whether the policy has no sourceSelector and
// therefore allows the workloads of each Destination's own mesh (D31).
func (p *AccessPolicy) AdmitsOwnMeshOnly() bool { return p.ownMeshOnly() }
