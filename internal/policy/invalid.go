package policy

import (
	"cmp"
	"slices"
)

// collectInvalid returns the policies that are INVALID as a whole,
// TrafficPolicies first.
func (r *Result) collectInvalid() []PolicyRef {
	var invalid []PolicyRef
	for i := range r.TrafficPolicies {
		if !r.TrafficPolicies[i].Valid() {
			invalid = append(invalid, PolicyRef{KindTrafficPolicy, i})
		}
	}
	for i := range r.AccessPolicies {
		if !r.AccessPolicies[i].Valid() {
			invalid = append(invalid, PolicyRef{KindAccessPolicy, i})
		}
	}
	return invalid
}

// invalidIndex finds the policies that are INVALID as a whole by the Destinations
// that their selectors would select.
type invalidIndex struct {
	// everywhere are those that would select every Service.
	everywhere []PolicyRef
	services   []int
	on         map[int][]PolicyRef
}

func newInvalidIndex(r *Result, services []int) *invalidIndex {
	x := &invalidIndex{services: services, on: map[int][]PolicyRef{}}
	for _, ref := range r.invalid {
		destinations := r.application(ref).Destinations
		if len(destinations) == len(services) {
			x.everywhere = append(x.everywhere, ref)
			continue
		}
		for _, id := range destinations {
			x.on[id] = append(x.on[id], ref)
		}
	}
	return x
}

// refs returns the policies that would select a Destination, in the order of all.
func (x *invalidIndex) refs(destination int) []PolicyRef {
	refs := slices.Clone(x.on[destination])
	if _, isService := slices.BinarySearch(x.services, destination); isService {
		refs = append(refs, x.everywhere...)
	}
	slices.SortFunc(refs, func(a, b PolicyRef) int {
		return cmp.Or(-cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Index, b.Index))
	})
	return refs
}
