package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// selection is the set of Destinations that a selector list picks, as
// ascending positions in World.Destinations.
type selection []int

// contains reports whether the Destination at position id is selected.
func (s selection) contains(id int) bool {
	_, found := slices.BinarySearch(s, id)
	return found
}

// selectDestinations evaluates a destinationSelector list: elements are
// alternatives, an absent list selects every Service, an element without
// matcher and references selects nothing, and matcher and references of one
// element are alternatives as well (semantics 2.1). References must have been
// checked before; unresolved ones select nothing.
func selectDestinations(w *world.World, all selection, selectors []core.DestinationSelector) selection {
	if len(selectors) == 0 {
		return all
	}
	var found selection
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

// allServices returns every Destination that is a Kubernetes Service.
func allServices(w *world.World) selection {
	all := make(selection, 0, len(w.Destinations))
	for i := range w.Destinations {
		if w.Destinations[i].IsService() {
			all = append(all, i)
		}
	}
	return all
}

// workloadMatches evaluates one element of a sourceSelector: labels,
// namespaces and clusters must all match, what is omitted matches everything
// (semantics 2.2, D7).
func workloadMatches(selector core.WorkloadSelector, w *world.Workload) bool {
	m := selector.KubeWorkloadMatcher
	if m == nil {
		return true
	}
	return listAllows(m.Clusters, w.Cluster) && listAllows(m.Namespaces, w.Namespace) && world.HasLabels(w.Labels, m.Labels)
}

// SourceMatches evaluates a whole sourceSelector list; an absent list matches
// every workload (semantics D7).
func SourceMatches(selectors []core.WorkloadSelector, w *world.Workload) bool {
	return len(selectors) == 0 || slices.ContainsFunc(selectors, func(s core.WorkloadSelector) bool {
		return workloadMatches(s, w)
	})
}

// matchesAnyWorkload reports whether a sourceSelector list matches any known
// workload.
func matchesAnyWorkload(w *world.World, selectors []core.WorkloadSelector) bool {
	if len(selectors) == 0 {
		return len(w.Workloads) > 0
	}
	return slices.ContainsFunc(selectors, func(s core.WorkloadSelector) bool {
		m := s.KubeWorkloadMatcher
		if m == nil {
			return len(w.Workloads) > 0
		}
		return len(w.WorkloadsWithin(m.Clusters, m.Namespaces, m.Labels)) > 0
	})
}

func listAllows(list []string, value string) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// problem is one reason why an object is INVALID, with the code it is reported
// under.
type problem struct {
	code    Code
	message string
}

// unresolved reports whether the problem is a reference to something that is not
// there. What the other references of the object say holds nonetheless
// (semantics D69).
func (p problem) unresolved() bool {
	switch p.code {
	case CodeMeshNotFound, CodeReferenceNotFound, CodeClusterWithoutMesh:
		return true
	default:
		return false
	}
}

// checkDestinationSelectors returns why a destinationSelector list is INVALID:
// references that do not resolve (semantics 3.2) and wildcards (D6). field is
// the path of the list, for the messages.
func checkDestinationSelectors(w *world.World, field string, selectors []core.DestinationSelector) []problem {
	var problems []problem
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

func checkServiceRef(w *world.World, at string, ref core.ClusterObjectRef) []problem {
	key := ref.Name + "." + ref.Namespace + "." + ref.ClusterName
	if wild := checkWildcards(at, []string{ref.Name, ref.Namespace, ref.ClusterName}); len(wild) > 0 {
		return wild[:1]
	}
	if ref.Name == "" || ref.Namespace == "" || ref.ClusterName == "" {
		// The schema reports each missing field by itself.
		return nil
	}
	if w.Service(ref) != nil {
		return nil
	}
	message := fmt.Sprintf("%s: Service %s does not exist", at, key)
	if !w.HasCluster(ref.ClusterName) {
		message += fmt.Sprintf(" (cluster %q not known)", ref.ClusterName)
	}
	return []problem{{CodeReferenceNotFound, message}}
}

// unknownClusters returns the clusters of which nothing is known, although
// references name Services there, sorted.
func unknownClusters(w *world.World, selectors []core.DestinationSelector) []string {
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
	return sorted(unknown)
}

// checkWorkloadSelectors returns why a sourceSelector list of a TrafficPolicy
// is INVALID (semantics D6).
func checkWorkloadSelectors(field string, selectors []core.WorkloadSelector) []problem {
	var problems []problem
	for i, s := range selectors {
		if m := s.KubeWorkloadMatcher; m != nil {
			at := fmt.Sprintf("%s[%d].kubeWorkloadMatcher", field, i)
			problems = append(problems, checkWildcards(at+".namespaces", m.Namespaces)...)
			problems = append(problems, checkWildcards(at+".clusters", m.Clusters)...)
			problems = append(problems, checkLabelWildcards(at+".labels", m.Labels)...)
		}
	}
	return problems
}

// checkIdentitySelectors returns why a sourceSelector list of an AccessPolicy
// is INVALID (semantics D6).
func checkIdentitySelectors(field string, selectors []core.IdentitySelector) []problem {
	var problems []problem
	for i, s := range selectors {
		if m := s.KubeIdentityMatcher; m != nil {
			at := fmt.Sprintf("%s[%d].kubeIdentityMatcher", field, i)
			problems = append(problems, checkWildcards(at+".namespaces", m.Namespaces)...)
			problems = append(problems, checkWildcards(at+".clusters", m.Clusters)...)
		}
		if r := s.KubeServiceAccountRefs; r != nil {
			for k, ref := range r.ServiceAccounts {
				at := fmt.Sprintf("%s[%d].kubeServiceAccountRefs.serviceAccounts[%d]", field, i, k)
				problems = append(problems, checkWildcards(at, []string{ref.Name, ref.Namespace, ref.ClusterName})...)
			}
		}
	}
	return problems
}

func checkWildcards(at string, values []string) []problem {
	var problems []problem
	for _, v := range values {
		if strings.Contains(v, "*") {
			problems = append(problems, problem{
				CodeWildcard,
				fmt.Sprintf("%s: %q is not a wildcard here; omit the list to select all", at, v),
			})
		}
	}
	return problems
}

func checkLabelWildcards(at string, labels map[string]string) []problem {
	var problems []problem
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		problems = append(problems, checkWildcards(at+"."+k, []string{k, labels[k]})...)
	}
	return problems
}
