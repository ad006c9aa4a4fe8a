package policy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// sourceIndex finds the policies that may have a workload as source without
// looking at all policies: each is filed under what its selectors restrict.
type sourceIndex struct {
	any         []int
	byNamespace map[string][]int
	byCluster   map[string][]int
	byLabel     map[[2]string][]int
}

func newSourceIndex() sourceIndex {
	return sourceIndex{byNamespace: map[string][]int{}, byCluster: map[string][]int{}, byLabel: map[[2]string][]int{}}
}

// candidates returns the positions of the policies to look at for a workload,
// ascending.
func (x sourceIndex) candidates(w *world.Workload) []int {
	found := slices.Concat(x.any, x.byNamespace[w.Namespace], x.byCluster[w.Cluster])
	for k, v := range w.Labels {
		found = append(found, x.byLabel[[2]string{k, v}]...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (x sourceIndex) fileNamespaces(policy int, namespaces []string) {
	for _, n := range namespaces {
		x.byNamespace[n] = append(x.byNamespace[n], policy)
	}
}

func indexTrafficSources(policies []world.Object[networkingv1.TrafficPolicy]) sourceIndex {
	x := newSourceIndex()
	for i, object := range policies {
		selectors := object.Resource.Spec.SourceSelector
		if len(selectors) == 0 {
			x.any = append(x.any, i)
		}
		for _, s := range selectors {
			switch m := s.KubeWorkloadMatcher; {
			case m == nil || len(m.Namespaces)+len(m.Labels)+len(m.Clusters) == 0:
				x.any = append(x.any, i)
			case len(m.Labels) > 0:
				// One pair is enough to find it; the same one every time.
				key := firstKey(m.Labels)
				pair := [2]string{key, m.Labels[key]}
				x.byLabel[pair] = append(x.byLabel[pair], i)
			case len(m.Namespaces) > 0:
				x.fileNamespaces(i, m.Namespaces)
			default:
				for _, c := range m.Clusters {
					x.byCluster[c] = append(x.byCluster[c], i)
				}
			}
		}
	}
	return x
}

func firstKey(labels map[string]string) string {
	first, found := "", false
	for k := range labels {
		if !found || k < first {
			first, found = k, true
		}
	}
	return first
}

func indexAccessSources(policies []AccessPolicy) sourceIndex {
	x := newSourceIndex()
	for i := range policies {
		if len(policies[i].grants) == 0 {
			// The Destination's mesh decides (D31).
			x.any = append(x.any, i)
		}
		for _, g := range policies[i].grants {
			if g.AnySource {
				x.any = append(x.any, i)
			}
			x.fileNamespaces(i, g.Namespaces)
			for _, a := range g.accounts {
				if a.namespace == "" {
					x.any = append(x.any, i)
				} else {
					x.fileNamespaces(i, []string{a.namespace})
				}
			}
		}
	}
	return x
}
