package istio

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// subset is a part of the pods of a Destination that policies send requests
// to.
type subset struct {
	name   string
	labels map[string]string
	key    string
	// parents are the policies.
	parents []world.ObjectID
}

// collectSubsets finds the subsets that policies in force anywhere send
// requests to, in the order of the policies, and names them (semantics D17,
// D28).
func (r *Renderer) collectSubsets() {
	for i := range r.result.TrafficPolicies {
		p := &r.result.TrafficPolicies[i]
		settings := p.Resource.Spec.Policy
		if !p.Valid() || len(p.Rejected) == len(p.Destinations) || settings == nil || settings.TrafficShift == nil {
			continue
		}
		for _, w := range settings.TrafficShift.Destinations {
			if w.KubeService == nil || len(w.KubeService.Subset) == 0 {
				continue
			}
			if d := r.world.Service(feature.ShiftTarget(w.KubeService)); d != nil {
				r.subsets[d.ID] = withSubset(r.subsets[d.ID], w.KubeService.Subset, r.trafficParent(i))
			}
		}
	}
	for _, subsets := range r.subsets {
		nameSubsets(subsets)
	}
}

func withSubset(subsets []subset, labels map[string]string, parent world.ObjectID) []subset {
	key := labelsKey(labels)
	k := slices.IndexFunc(subsets, func(s subset) bool { return s.key == key })
	if k < 0 {
		k, subsets = len(subsets), append(subsets, subset{labels: labels, key: key})
	}
	subsets[k].parents = append(subsets[k].parents, parent)
	return subsets
}

// nameSubsets names the subsets of one Destination after their labels. Of
// those that would have one name, all but the first by labels carry a digest.
func nameSubsets(subsets []subset) {
	order := make([]*subset, len(subsets))
	for i := range subsets {
		order[i] = &subsets[i]
	}
	slices.SortFunc(order, func(a, b *subset) int { return strings.Compare(a.key, b.key) })
	taken := map[string]bool{}
	for _, s := range order {
		s.name = dnsLabel(strings.Join(pairs(s.labels, "-"), "-"))
		for key := s.key; taken[s.name]; key += "+" {
			s.name = distinct(s.name, key)
		}
		taken[s.name] = true
	}
}

// subsetName returns the name of a subset of a Destination.
func (r *Renderer) subsetName(d *world.Destination, labels map[string]string) string {
	key := labelsKey(labels)
	for _, s := range r.subsets[d.ID] {
		if s.key == key {
			return s.name
		}
	}
	return naming.Sanitise(strings.Join(pairs(labels, "-"), "-")) // of no policy in force
}

func renderedSubsets(subsets []subset) []*networking.Subset {
	rendered := make([]*networking.Subset, 0, len(subsets))
	for _, s := range subsets {
		rendered = append(rendered, &networking.Subset{Name: s.name, Labels: s.labels})
	}
	return rendered
}

func subsetParents(subsets []subset) []world.ObjectID {
	var parents []world.ObjectID
	for _, s := range subsets {
		parents = append(parents, s.parents...)
	}
	return parents
}
