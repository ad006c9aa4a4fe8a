package istio

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// subset is a part of a Destination's pods to which policies send requests.
type subset struct {
	name   string
	labels map[string]string
	key    string
	// parents are the policies.
	parents []world.ObjectID
}

// collectSubsets collects and names the subsets to which effective policies send
// requests, in the order of the policies (D17, D28).
func (r *Renderer) collectSubsets() {
	places := map[subsetKey]int{}
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
				r.addSubset(places, d, w.KubeService.Subset, r.trafficParent(i))
			}
		}
	}
	for id, subsets := range r.subsets {
		nameSubsets(subsets)
		for _, s := range subsets {
			r.subsetNames[subsetKey{id, s.key}] = s.name
		}
	}
}

// subsetKey identifies a subset of a Destination.
type subsetKey struct {
	destination int
	labels      string
}

func (r *Renderer) addSubset(places map[subsetKey]int, d *world.Destination, labels map[string]string, parent world.ObjectID) {
	key := subsetKey{d.ID, labelsKey(labels)}
	k, known := places[key]
	if !known {
		k = len(r.subsets[d.ID])
		places[key] = k
		r.subsets[d.ID] = append(r.subsets[d.ID], subset{labels: labels, key: key.labels})
	}
	r.subsets[d.ID][k].parents = append(r.subsets[d.ID][k].parents, parent)
}

// nameSubsets names the subsets of one Destination after their labels. If names
// are equal, all but the first (by labels) get a hash.
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
	if name, known := r.subsetNames[subsetKey{d.ID, labelsKey(labels)}]; known {
		return name
	}
	return naming.Sanitise(strings.Join(pairs(labels, "-"), "-")) // of no effective policy
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
