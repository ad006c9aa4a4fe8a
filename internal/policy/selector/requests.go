package selector

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/operation"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// RequestMatch is one HTTP matcher in its effective form: the path in one
// spelling, and sorted lists. A nil RequestMatch matches every request.
type RequestMatch struct {
	URI             *core.StringMatch
	Headers         []core.HeaderMatcher
	QueryParameters []core.QueryParameterMatcher
	Method          string
	// key is equal for equal matches.
	key string
	// paths is URI for comparisons of what matches match: nil if it matches every
	// path, and a prefix if it is a regular expression for one.
	paths *core.StringMatch
}

// RequestMatches returns the distinct effective matchers of a policy, sorted; a
// single nil if it has none (D7: an empty list equals an absent one).
func RequestMatches(matchers []core.HTTPMatcher) []*RequestMatch {
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
	match := &RequestMatch{URI: EffectiveURI(m), Headers: slices.Clone(m.Headers), QueryParameters: slices.Clone(m.QueryParameters), Method: m.Method}
	if match.URI == nil && len(match.Headers)+len(match.QueryParameters) == 0 && match.Method == "" {
		return nil
	}
	for i := range match.Headers { // header names ignore case
		match.Headers[i].Name = strings.ToLower(match.Headers[i].Name)
	}
	slices.SortFunc(match.Headers, func(a, b core.HeaderMatcher) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	slices.SortFunc(match.QueryParameters, func(a, b core.QueryParameterMatcher) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	match.paths = matchedPaths(match.URI)
	kind, text := uriKind(match.URI)
	match.key = fmt.Sprintf("%d|%q|%v|%q|%+q|%+q", kind, text, match.URI != nil && match.URI.IgnoreCase, match.Method,
		fmt.Sprint(match.Headers), fmt.Sprint(match.QueryParameters))
	return match
}

// matchedPaths returns the simplest form that matches the same paths; nil for
// all. Every path starts with a slash.
func matchedPaths(uri *core.StringMatch) *core.StringMatch {
	prefix := ""
	switch {
	case uri == nil:
		return nil
	case uri.Prefix != nil:
		prefix = *uri.Prefix
	case uri.Suffix != nil && *uri.Suffix != "":
		return uri
	case uri.Exact != nil:
		return uri
	case uri.Regex != nil:
		start, ok := strings.CutSuffix(strings.TrimSuffix(strings.TrimPrefix(*uri.Regex, "^"), "$"), ".*")
		if *uri.Regex == ".+" {
			start, ok = "", true
		}
		if !ok || regexp.QuoteMeta(start) != start {
			return uri
		}
		prefix = start
	}
	if prefix == "" || prefix == "/" {
		return nil
	}
	return &core.StringMatch{Prefix: &prefix, IgnoreCase: uri.IgnoreCase}
}

// Key identifies equal matches; it is "" for all requests.
func (m *RequestMatch) Key() string {
	if m == nil {
		return ""
	}
	return m.key
}

// EffectiveURI returns the path match from its current or deprecated fields.
func EffectiveURI(m core.HTTPMatcher) *core.StringMatch {
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
// because Istio has no suffix match (D10).
func SuffixPattern(suffix string) string { return ".*" + regexp.QuoteMeta(suffix) + "$" }

// OriginPattern returns the regular expression for an origin of browsers that
// Istio cannot match otherwise, because it neither has a suffix match nor ignores
// case there; "" for all others.
func OriginPattern(origin *core.StringMatch) string {
	switch {
	case origin.Suffix != nil:
		return SuffixPattern(*origin.Suffix)
	case !origin.IgnoreCase:
		return ""
	case origin.Exact != nil:
		return "(?i)" + regexp.QuoteMeta(*origin.Exact)
	case origin.Prefix != nil:
		return "(?i)" + regexp.QuoteMeta(*origin.Prefix) + ".*"
	default:
		return ""
	}
}

// uriKind returns the rank of a path match, the most specific first, and its
// text.
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

// NeverMatches returns why no request can have the path, "" if one can, and the
// kind of match and the text. Every path starts with a slash, and paths are
// compared without their query.
func NeverMatches(uri *core.StringMatch) (kind, path, reason string) {
	const slash = "paths start with /"
	switch {
	case uri == nil:
		return "", "", ""
	case uri.Exact != nil:
		kind, path = "exact", *uri.Exact
		if path != serverPath && !strings.HasPrefix(path, "/") {
			return kind, path, slash
		}
	case uri.Prefix != nil: // an empty one matches every path
		kind, path = "prefix", *uri.Prefix
		if path != "" && !strings.HasPrefix(path, "/") {
			return kind, path, slash
		}
	case uri.Suffix != nil:
		kind, path = "suffix", *uri.Suffix
	case uri.Regex != nil:
		if neverStartsWithSlash(*uri.Regex) {
			return "regex", *uri.Regex, slash
		}
		return "regex", *uri.Regex, ""
	}
	return kind, path, operation.NeverInPath(path)
}

// serverPath is the path of OPTIONS requests for a server as a whole.
const serverPath = "*"

// neverStartsWithSlash reports whether all texts that match a regular expression
// completely start with the same character, which is not a slash.
func neverStartsWithSlash(pattern string) bool {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return false // reported separately
	}
	start, _ := compiled.LiteralPrefix()
	return start != "" && !strings.HasPrefix(start, "/")
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

// CompareParts sorts the more specific match first, by path, headers and query
// parameters.
func (m *RequestMatch) CompareParts(other *RequestMatch) int {
	kind, text := uriKind(m.uri())
	otherKind, otherText := uriKind(other.uri())
	with, _ := m.countHeaders()
	otherWith, _ := other.countHeaders()
	return cmp.Or(
		cmp.Compare(kind, otherKind), cmp.Compare(len(otherText), len(text)), strings.Compare(text, otherText),
		cmp.Compare(otherWith, with),
		cmp.Compare(other.countParameters(), m.countParameters()),
	)
}

// CompareMethod sorts matches with a method first, in descending order of the
// methods, and then those that exclude more headers.
func (m *RequestMatch) CompareMethod(other *RequestMatch) int {
	_, without := m.countHeaders()
	_, otherWithout := other.countHeaders()
	return cmp.Or(strings.Compare(other.method(), m.method()), cmp.Compare(otherWithout, without))
}

// matchesAll reports whether every request matches, such as with the prefix /.
func (m *RequestMatch) matchesAll() bool {
	return m == nil || m.paths == nil && m.Method == "" && len(m.Headers)+len(m.QueryParameters) == 0
}

// Contains reports whether every request that matches other provably matches m;
// nil matches every request.
func (m *RequestMatch) Contains(other *RequestMatch) bool {
	switch {
	case m.matchesAll():
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

// uriContains is Contains for the path.
func uriContains(m, other *RequestMatch) bool {
	a, b := m.paths, other.paths
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
