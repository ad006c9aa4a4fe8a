package world

import (
	"cmp"
	"slices"
)

// scope is one namespace of one cluster: the part of the world in which a Service
// selects pods and to which most selectors are restricted.
type scope struct{ cluster, namespace string }

// label is a pair of key and value; an index keeps it per scope and over all
// scopes.
type label struct{ key, value string }

type scopedLabel struct {
	scope
	label
}

// index finds objects by cluster, namespace and labels without scanning all of
// them. It holds positions in the indexed slice, ascending if they were added in
// ascending order.
type index struct {
	all         []int
	byCluster   map[string][]int
	byNamespace map[string][]int
	byScope     map[scope][]int
	byLabel     map[label][]int
	byScoped    map[scopedLabel][]int
}

func newIndex() index {
	return index{
		byCluster: map[string][]int{}, byNamespace: map[string][]int{}, byScope: map[scope][]int{},
		byLabel: map[label][]int{}, byScoped: map[scopedLabel][]int{},
	}
}

func (x *index) add(position int, cluster, namespace string, labels map[string]string) {
	in := scope{cluster, namespace}
	x.all = append(x.all, position)
	x.byCluster[cluster] = append(x.byCluster[cluster], position)
	x.byNamespace[namespace] = append(x.byNamespace[namespace], position)
	x.byScope[in] = append(x.byScope[in], position)
	for k, v := range labels {
		pair := label{k, v}
		x.byLabel[pair] = append(x.byLabel[pair], position)
		x.byScoped[scopedLabel{in, pair}] = append(x.byScoped[scopedLabel{in, pair}], position)
	}
}

// inScope returns the smallest list that holds every object of the scope carrying
// all of the labels. Callers must still compare the labels.
func (x *index) inScope(in scope, labels map[string]string) []int {
	best := x.byScope[in]
	for k, v := range labels {
		if found := x.byScoped[scopedLabel{in, label{k, v}}]; len(found) < len(best) {
			best = found
		}
	}
	return best
}

// candidates returns positions that include every object of one of the clusters,
// in one of the namespaces, with the labels; it may contain duplicates. An empty
// argument does not restrict.
func (x *index) candidates(clusters, namespaces []string, labels map[string]string) []int {
	if len(clusters) > 0 && len(namespaces) > 0 {
		var found []int
		for _, c := range clusters {
			for _, n := range namespaces {
				found = append(found, x.inScope(scope{c, n}, labels)...)
			}
		}
		return found
	}
	best := x.all
	if len(clusters) > 0 {
		best = gather(x.byCluster, clusters)
	}
	if len(namespaces) > 0 {
		best = gather(x.byNamespace, namespaces)
	}
	for k, v := range labels {
		if found := x.byLabel[label{k, v}]; len(found) < len(best) {
			best = found
		}
	}
	return best
}

func gather(lists map[string][]int, keys []string) []int {
	var found []int
	for _, k := range keys {
		found = append(found, lists[k]...)
	}
	return found
}

// within returns the positions of the objects of one of the clusters and one of
// the namespaces that carry the labels, ascending.
func (x *index) within(
	clusters, namespaces []string, labels map[string]string, matches func(position int) bool,
) []int {
	var found []int
	for _, i := range x.candidates(clusters, namespaces, labels) {
		if matches(i) {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// HasLabels reports whether labels contains every pair of want; an empty want
// matches everything.
func HasLabels(labels, want map[string]string) bool {
	if len(want) > len(labels) {
		return false
	}
	for k, v := range want {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func matchesList(list []string, value string) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// sortedKeys returns the keys of m in ascending order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
