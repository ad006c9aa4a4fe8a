// Package selector evaluates the selectors of policies: which Destinations,
// workloads, callers and requests they select, and which of their references
// resolve.
package selector

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Set holds the selected Destinations as ascending positions in
// World.Destinations.
type Set []int

// Contains reports whether the Destination at position id is selected.
func (s Set) Contains(id int) bool {
	_, found := slices.BinarySearch(s, id)
	return found
}

// Destinations evaluates a destinationSelector list: elements are alternatives,
// an absent list selects every Service, an element without matcher and references
// selects nothing, and matcher and references of one element are alternatives as
// well. Unresolved references select nothing; CheckDestinations
// reports them.
func Destinations(w *world.World, all Set, selectors []core.DestinationSelector) Set {
	if len(selectors) == 0 {
		return all
	}
	var found Set
	for _, s := range selectors {
		if m := s.KubeServiceMatcher; m != nil {
			if len(m.Namespaces) == 0 && len(m.Clusters) == 0 && len(m.Labels) == 0 {
				return all
			}
			found = append(found, w.DestinationsWithin(m.Clusters, m.Namespaces, m.Labels)...)
		}
		if r := s.KubeServiceRefs; r != nil {
			for _, ref := range r.Services {
				if d := w.Service(ref); d != nil {
					found = append(found, d.ID)
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// AllServices returns every Destination that is a Kubernetes Service.
func AllServices(w *world.World) Set {
	all := make(Set, 0, len(w.Destinations))
	for i := range w.Destinations {
		if w.Destinations[i].IsService() {
			all = append(all, i)
		}
	}
	return all
}

// CheckDestinations returns why a destinationSelector list is INVALID: references
// that do not resolve and wildcards (D6). field is the path of
// the list for messages.
func CheckDestinations(w *world.World, field string, selectors []core.DestinationSelector) []finding.Problem {
	var problems []finding.Problem
	for i, s := range selectors {
		at := fmt.Sprintf("%s[%d]", field, i)
		if m := s.KubeServiceMatcher; m != nil {
			at := at + ".kubeServiceMatcher"
			problems = append(problems, checkWildcards(at+".namespaces", m.Namespaces)...)
			problems = append(problems, checkWildcards(at+".clusters", m.Clusters)...)
			problems = append(problems, checkLabelWildcards(at+".labels", m.Labels)...)
		}
		if r := s.KubeServiceRefs; r != nil {
			for k, ref := range r.Services {
				at := fmt.Sprintf("%s.kubeServiceRefs.services[%d]", at, k)
				problems = append(problems, checkServiceRef(w, at, ref)...)
			}
		}
	}
	return problems
}

func checkServiceRef(w *world.World, at string, ref core.ClusterObjectRef) []finding.Problem {
	key := ref.Name + "." + ref.Namespace + "." + ref.ClusterName
	if wild := checkWildcards(at, []string{ref.Name, ref.Namespace, ref.ClusterName}); len(wild) > 0 {
		return wild[:1]
	}
	if ref.Name == "" || ref.Namespace == "" || ref.ClusterName == "" {
		// The schema already reports each missing field.
		return nil
	}
	if w.Service(ref) != nil {
		return nil
	}
	message := fmt.Sprintf("%s: Service %s does not exist", at, key)
	if !w.HasCluster(ref.ClusterName) {
		message += fmt.Sprintf(" (cluster %q not known)", ref.ClusterName)
	}
	return []finding.Problem{{Code: finding.CodeReferenceNotFound, Message: message}}
}

// UnknownClusters returns the clusters of referenced Services about which nothing
// is known, sorted.
func UnknownClusters(w *world.World, selectors []core.DestinationSelector) []string {
	var unknown []string
	for _, s := range selectors {
		if s.KubeServiceRefs == nil {
			continue
		}
		for _, ref := range s.KubeServiceRefs.Services {
			if ref.ClusterName != "" && !w.HasCluster(ref.ClusterName) {
				unknown = append(unknown, ref.ClusterName)
			}
		}
	}
	return distinct(unknown)
}
