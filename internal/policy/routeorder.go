package policy

import (
	"cmp"
	"strings"
)

// compareRoutes is the total order of routes, the most specific first (D23). The
// first route that matches a request is used.
func compareRoutes(a, b *Route) int {
	if c := cmp.Or(
		a.Match.CompareParts(b.Match),
		cmp.Compare(len(b.Source.Labels), len(a.Source.Labels)),
		strings.Compare(b.Source.Namespace, a.Source.Namespace),
		a.Match.CompareMethod(b.Match),
		cmp.Compare(firstPort(a.Ports), firstPort(b.Ports)),
		cmp.Compare(a.order, b.order),
		strings.Compare(a.Match.Key(), b.Match.Key()),
	); c != 0 {
		return c
	}
	return strings.Compare(a.Source.Key(), b.Source.Key()) // last, because it is the most expensive
}

func firstPort(ports []uint32) uint32 {
	if len(ports) == 0 {
		return 0
	}
	return ports[0]
}
