package selector

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Index finds the policies that may have a workload as source without scanning
// all policies: each is indexed by what its selectors require.
type Index struct {
	any         []int
	byNamespace map[string][]int
	byCluster   map[string][]int
	byLabel     map[[2]string][]int
}

func newIndex() Index {
	return Index{byNamespace: map[string][]int{}, byCluster: map[string][]int{}, byLabel: map[[2]string][]int{}}
}

// Candidates returns the positions of the policies to check for a workload,
// ascending.
func (x Index) Candidates(w *world.Workload) []int {
	found := slices.Concat(x.any, x.byNamespace[w.Namespace], x.byCluster[w.Cluster])
	for k, v := range w.Labels {
		found = append(found, x.byLabel[[2]string{k, v}]...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (x Index) fileNamespaces(policy int, namespaces []string) {
	for _, n := range namespaces {
		x.byNamespace[n] = append(x.byNamespace[n], policy)
	}
}

// IndexWorkloads indexes policies by the source selectors of each.
func IndexWorkloads(count int, selectors func(policy int) []core.WorkloadSelector) Index {
	x := newIndex()
	for i := range count {
		alternatives := selectors(i)
		if len(alternatives) == 0 {
			x.any = append(x.any, i)
		}
		for _, s := range alternatives {
			switch m := s.KubeWorkloadMatcher; {
			case m == nil || len(m.Namespaces)+len(m.Labels)+len(m.Clusters) == 0:
				x.any = append(x.any, i)
			case len(m.Labels) > 0:
				// One label suffices to find it, but must be the same one every
				// time.
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

// IndexIdentities indexes policies by the grants of each. No grants mean that the
// callers depend on the Destination's mesh (D31).
func IndexIdentities(count int, grants func(policy int) []Grant) Index {
	x := newIndex()
	for i := range count {
		namespaces, anywhere := NamespacesOf(grants(i))
		if anywhere || len(grants(i)) == 0 {
			x.any = append(x.any, i)
		} else {
			x.fileNamespaces(i, namespaces)
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
