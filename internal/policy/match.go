package policy

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// SourceMatch is a set of source workloads within one cluster; the zero value
// stands for all of them.
type SourceMatch struct {
	Namespace string
	Labels    map[string]string
}

// contains reports whether every workload of other belongs to s.
func (s SourceMatch) contains(other SourceMatch) bool {
	return (s.Namespace == "" || s.Namespace == other.Namespace) && world.HasLabels(other.Labels, s.Labels)
}

// includes reports whether the workload belongs to the set.
func (s SourceMatch) includes(w *world.Workload) bool {
	return (s.Namespace == "" || s.Namespace == w.Namespace) && world.HasLabels(w.Labels, s.Labels)
}

// Key identifies equal sources.
func (s SourceMatch) Key() string {
	var b strings.Builder
	b.WriteString(s.Namespace)
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		fmt.Fprintf(&b, "|%s=%s", k, s.Labels[k])
	}
	return b.String()
}

// sourcesIn returns the sources that a sourceSelector admits from one cluster,
// without those contained in others, sorted; none if it admits nobody from
// there (semantics D7, D8).
func sourcesIn(cluster string, selectors []core.WorkloadSelector) []SourceMatch {
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

// widest drops sources that are contained in others and sorts the rest.
func widest(sources []SourceMatch) []SourceMatch {
	slices.SortFunc(sources, func(a, b SourceMatch) int { return strings.Compare(a.Key(), b.Key()) })
	sources = slices.CompactFunc(sources, func(a, b SourceMatch) bool { return a.Key() == b.Key() })
	var kept []SourceMatch
	for i, s := range sources {
		covered := false
		for k, other := range sources {
			covered = covered || (i != k && other.contains(s))
		}
		if !covered {
			kept = append(kept, s)
		}
	}
	return kept
}

// RequestMatch is one HTTP matcher in its effective form: one spelling of the
// path, lists sorted. A nil RequestMatch matches every request.
type RequestMatch struct {
	URI             *core.StringMatch
	Headers         []core.HeaderMatcher
	QueryParameters []core.QueryParameterMatcher
	Method          string
	// key identifies equal matches.
	key string
}

// requestMatches returns the effective matchers of a policy without
// repetition, sorted; a single nil if it has none (semantics D7: an empty list
// equals an absent one).
func requestMatches(matchers []core.HTTPMatcher) []*RequestMatch {
	if len(matchers) == 0 {
		return []*RequestMatch{nil}
	}
	var matches []*RequestMatch
	for _, m := range matchers {
		matches = append(matches, newRequestMatch(m))
	}
	slices.SortFunc(matches, func(a, b *RequestMatch) int { return strings.Compare(a.Key(), b.Key()) })
	return slices.CompactFunc(matches, func(a, b *RequestMatch) bool { return a.Key() == b.Key() })
}

func newRequestMatch(m core.HTTPMatcher) *RequestMatch {
	match := &RequestMatch{URI: effectiveURI(m), Headers: slices.Clone(m.Headers), QueryParameters: slices.Clone(m.QueryParameters), Method: m.Method}
	if match.URI == nil && len(match.Headers)+len(match.QueryParameters) == 0 && match.Method == "" {
		return nil
	}
	for i := range match.Headers { // header names have no case
		match.Headers[i].Name = strings.ToLower(match.Headers[i].Name)
	}
	slices.SortFunc(match.Headers, func(a, b core.HeaderMatcher) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	slices.SortFunc(match.QueryParameters, func(a, b core.QueryParameterMatcher) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	kind, text := uriKind(match.URI)
	match.key = fmt.Sprintf("%d|%q|%v|%q|%+q|%+q", kind, text, match.URI != nil && match.URI.IgnoreCase, match.Method,
		fmt.Sprint(match.Headers), fmt.Sprint(match.QueryParameters))
	return match
}

// Key identifies equal matches; it is "" for all requests.
func (m *RequestMatch) Key() string {
	if m == nil {
		return ""
	}
	return m.key
}

// effectiveURI folds the deprecated spellings of the path into one.
func effectiveURI(m core.HTTPMatcher) *core.StringMatch {
	switch {
	case m.URI != nil && (m.URI.Exact != nil || m.URI.Prefix != nil || m.URI.Regex != nil || m.URI.Suffix != nil):
		return m.URI
	case m.Exact != nil:
		return &core.StringMatch{Exact: m.Exact}
	case m.Prefix != nil:
		return &core.StringMatch{Prefix: m.Prefix}
	case m.Regex != nil:
		return &core.StringMatch{Regex: m.Regex}
	default:
		return nil
	}
}

// SuffixPattern returns the regular expression for paths that end in suffix,
// since Istio has no other way to say it (semantics D10).
func SuffixPattern(suffix string) string { return ".*" + regexp.QuoteMeta(suffix) + "$" }

// uriKind ranks the ways to match a path, most specific first, and returns the
// text that is compared.
func uriKind(uri *core.StringMatch) (kind int, text string) {
	switch {
	case uri == nil:
		return 3, ""
	case uri.Exact != nil:
		return 0, *uri.Exact
	case uri.Regex != nil:
		return 1, *uri.Regex
	case uri.Prefix != nil:
		return 2, *uri.Prefix
	case uri.Suffix != nil:
		return 1, SuffixPattern(*uri.Suffix)
	default:
		return 3, ""
	}
}

// countHeaders returns how many headers must match and how many must not.
func (m *RequestMatch) countHeaders() (with, without int) {
	if m == nil {
		return 0, 0
	}
	for _, h := range m.Headers {
		if h.InvertMatch {
			without++
		} else {
			with++
		}
	}
	return with, without
}

// compareRoutes is the total order of routes, most specific first (semantics
// 5.1, D23). The first route that matches a request decides about it.
func compareRoutes(a, b *Route) int {
	ma, mb := a.Match, b.Match
	kindA, textA := uriKind(ma.uri())
	kindB, textB := uriKind(mb.uri())
	withA, withoutA := ma.countHeaders()
	withB, withoutB := mb.countHeaders()
	return cmp.Or(
		cmp.Compare(kindA, kindB), cmp.Compare(len(textB), len(textA)), strings.Compare(textA, textB),
		cmp.Compare(withB, withA),
		cmp.Compare(ma.countParameters(), mb.countParameters())*-1,
		cmp.Compare(len(b.Source.Labels), len(a.Source.Labels)),
		strings.Compare(b.Source.Namespace, a.Source.Namespace),
		compareMethods(ma.method(), mb.method()),
		cmp.Compare(withoutB, withoutA),
		cmp.Compare(firstPort(a.Ports), firstPort(b.Ports)),
		cmp.Compare(a.order, b.order),
		strings.Compare(ma.Key(), mb.Key()),
		strings.Compare(a.Source.Key(), b.Source.Key()),
	)
}

func (m *RequestMatch) uri() *core.StringMatch {
	if m == nil {
		return nil
	}
	return m.URI
}

func (m *RequestMatch) method() string {
	if m == nil {
		return ""
	}
	return m.Method
}

func (m *RequestMatch) countParameters() int {
	if m == nil {
		return 0
	}
	return len(m.QueryParameters)
}

// compareMethods puts a present method first, then orders lexically descending.
func compareMethods(a, b string) int { return strings.Compare(b, a) }

func firstPort(ports []uint32) uint32 {
	if len(ports) == 0 {
		return 0
	}
	return ports[0]
}

// Contains reports whether every request that satisfies other provably
// satisfies m; a nil match is satisfied by every request.
func (m *RequestMatch) Contains(other *RequestMatch) bool {
	switch {
	case m == nil:
		return true
	case other == nil:
		return false
	case m.Key() == other.Key():
		return true
	}
	if m.Method != "" && m.Method != other.Method {
		return false
	}
	for _, h := range m.Headers {
		if !slices.Contains(other.Headers, h) {
			return false
		}
	}
	for _, q := range m.QueryParameters {
		if !slices.Contains(other.QueryParameters, q) {
			return false
		}
	}
	return uriContains(m, other)
}

// uriContains compares what is asked of the path.
func uriContains(m, other *RequestMatch) bool {
	a, b := m.URI, other.URI
	if a == nil {
		return true
	}
	if b == nil || a.IgnoreCase != b.IgnoreCase {
		return false
	}
	kindA, textA := uriKind(a)
	kindB, textB := uriKind(b)
	if kindA == kindB && textA == textB {
		return true
	}
	if a.IgnoreCase {
		textA, textB = strings.ToLower(textA), strings.ToLower(textB)
	}
	switch {
	case a.Prefix != nil && (b.Prefix != nil || b.Exact != nil):
		return strings.HasPrefix(textB, textA)
	case a.Suffix != nil && b.Exact != nil:
		return strings.HasSuffix(*b.Exact, *a.Suffix)
	default:
		return false
	}
}
