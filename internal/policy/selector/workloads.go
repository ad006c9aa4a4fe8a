package selector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// SourceMatch is a set of source workloads in one cluster; the zero value means
// all of them.
type SourceMatch struct {
	Namespace string
	Labels    map[string]string
}

// Contains reports whether every workload of other belongs to s.
func (s SourceMatch) Contains(other SourceMatch) bool {
	return (s.Namespace == "" || s.Namespace == other.Namespace) && world.HasLabels(other.Labels, s.Labels)
}

// Includes reports whether the workload belongs to the set.
func (s SourceMatch) Includes(w *world.Workload) bool {
	return (s.Namespace == "" || s.Namespace == w.Namespace) && world.HasLabels(w.Labels, s.Labels)
}

// Key is equal for equal sources.
func (s SourceMatch) Key() string {
	var b strings.Builder
	b.WriteString(s.Namespace)
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		fmt.Fprintf(&b, "|%s=%s", k, s.Labels[k])
	}
	return b.String()
}

// SourcesIn returns the sources that a sourceSelector selects in one cluster,
// without those contained in others, sorted; none if it selects no workload there
// (D7, D8).
func SourcesIn(cluster string, selectors []core.WorkloadSelector) []SourceMatch {
	if len(selectors) == 0 {
		return []SourceMatch{{}}
	}
	var sources []SourceMatch
	for _, s := range selectors {
		m := s.KubeWorkloadMatcher
		if m == nil {
			return []SourceMatch{{}}
		}
		if !listAllows(m.Clusters, cluster) {
			continue
		}
		if len(m.Namespaces) == 0 {
			sources = append(sources, SourceMatch{Labels: m.Labels})
		}
		for _, n := range m.Namespaces {
			sources = append(sources, SourceMatch{Namespace: n, Labels: m.Labels})
		}
	}
	return widest(sources)
}

// widest removes sources that are contained in others and sorts the rest.
func widest(sources []SourceMatch) []SourceMatch {
	byKey := make(map[string]SourceMatch, len(sources))
	for _, s := range sources {
		byKey[s.Key()] = s
	}
	different := make([]SourceMatch, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		different = append(different, byKey[key])
	}
	if len(different) == 1 {
		return different
	}
	var kept []SourceMatch
	set := NewSourceSet(different)
	for _, s := range different {
		if len(set.Containing(s)) == 1 { // itself
			kept = append(kept, s)
		}
	}
	return kept
}

// workloadMatches evaluates one element of a sourceSelector: labels, namespaces
// and clusters must all match, omitted fields match everything (D7).
func workloadMatches(selector core.WorkloadSelector, w *world.Workload) bool {
	m := selector.KubeWorkloadMatcher
	if m == nil {
		return true
	}
	return listAllows(m.Clusters, w.Cluster) && listAllows(m.Namespaces, w.Namespace) && world.HasLabels(w.Labels, m.Labels)
}

// MatchesWorkload evaluates a whole sourceSelector list; an absent list matches
// every workload (D7).
func MatchesWorkload(selectors []core.WorkloadSelector, w *world.Workload) bool {
	return len(selectors) == 0 || slices.ContainsFunc(selectors, func(s core.WorkloadSelector) bool {
		return workloadMatches(s, w)
	})
}

// MatchesAnyWorkload reports whether a sourceSelector list matches any known
// workload.
func MatchesAnyWorkload(w *world.World, selectors []core.WorkloadSelector) bool {
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

// CheckWorkloads returns why a sourceSelector list of a TrafficPolicy
// is INVALID (D6).
func CheckWorkloads(field string, selectors []core.WorkloadSelector) []finding.Problem {
	var problems []finding.Problem
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

// SelectsParts reports whether selectors select only a part of the workloads of some
// cluster.
func SelectsParts(selectors []core.WorkloadSelector) bool {
	var whole []string
	for _, s := range selectors {
		if !wholeClusters(s) {
			continue
		}
		if s.KubeWorkloadMatcher == nil || len(s.KubeWorkloadMatcher.Clusters) == 0 {
			return false
		}
		whole = append(whole, s.KubeWorkloadMatcher.Clusters...)
	}
	return slices.ContainsFunc(selectors, func(s core.WorkloadSelector) bool {
		if wholeClusters(s) {
			return false
		}
		clusters := s.KubeWorkloadMatcher.Clusters
		return len(clusters) == 0 || slices.ContainsFunc(clusters, func(c string) bool { return !slices.Contains(whole, c) })
	})
}

// wholeClusters reports whether a selector selects all workloads of its clusters.
func wholeClusters(s core.WorkloadSelector) bool {
	return s.KubeWorkloadMatcher == nil || len(s.KubeWorkloadMatcher.Labels)+len(s.KubeWorkloadMatcher.Namespaces) == 0
}
