package selector

import (
	"fmt"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// MatchSet finds the first of many request matches that contains another one
// without comparing with all: each is indexed by its rarest condition.
type MatchSet struct {
	matches []*RequestMatch
	// all are the matches without conditions, which match all requests.
	all   []int
	filed map[string][]int
	// prefixes and suffixes are indexed by a hash of the text; those that ignore
	// case are separate.
	prefixes, suffixes map[affix][]int
}

// affix is the start or the end of a path.
type affix struct {
	sum        uint64
	ignoreCase bool
}

// NewMatchSet indexes the matches by their positions in the list.
func NewMatchSet(matches []*RequestMatch) *MatchSet {
	x := &MatchSet{matches: matches, filed: map[string][]int{}, prefixes: map[affix][]int{}, suffixes: map[affix][]int{}}
	frequency := map[string]int{}
	for _, m := range matches {
		m.visitConditions(func(condition string, _ bool) { frequency[condition]++ })
	}
	for i, m := range matches {
		rarest, isURI, least := "", false, 0
		m.visitConditions(func(condition string, uri bool) {
			if n := frequency[condition]; least == 0 || n < least {
				rarest, isURI, least = condition, uri, n
			}
		})
		switch {
		case least == 0:
			x.all = append(x.all, i)
			continue
		case isURI && m.paths.Prefix != nil:
			at := affixOf(m.paths, *m.paths.Prefix, false)
			x.prefixes[at] = append(x.prefixes[at], i)
		case isURI && m.paths.Suffix != nil:
			at := affixOf(m.paths, *m.paths.Suffix, true)
			x.suffixes[at] = append(x.suffixes[at], i)
		}
		x.filed[rarest] = append(x.filed[rarest], i)
	}
	return x
}

// visitConditions visits the conditions of a match. If one match contains another
// one, its conditions are among the other's, except for prefixes and suffixes of
// paths.
func (m *RequestMatch) visitConditions(visit func(condition string, uri bool)) {
	if m == nil {
		return
	}
	if kind, text := uriKind(m.paths); m.paths != nil {
		visit(fmt.Sprintf("uri %d %v %s", kind, m.paths.IgnoreCase, text), true)
	}
	if m.Method != "" {
		visit("method "+m.Method, false)
	}
	for _, h := range m.Headers {
		visit(fmt.Sprintf("header %+q", fmt.Sprint(h)), false)
	}
	for _, q := range m.QueryParameters {
		visit(fmt.Sprintf("query %+q", fmt.Sprint(q)), false)
	}
}

// First returns the position of the first match that contains other, -1 if none
// does.
func (x *MatchSet) First(other *RequestMatch) int {
	first := -1
	consider := func(positions []int) {
		for _, i := range positions { // ascending
			if first >= 0 && i >= first {
				return
			}
			if x.matches[i].Contains(other) {
				first = i
			}
		}
	}
	consider(x.all)
	other.visitConditions(func(condition string, _ bool) { consider(x.filed[condition]) })
	if other == nil || other.paths == nil {
		return first
	}
	if text := other.paths.Prefix; text != nil && len(x.prefixes) > 0 {
		visitAffixes(other.paths, *text, false, func(a affix) { consider(x.prefixes[a]) })
	}
	if text := other.paths.Exact; text != nil {
		if len(x.prefixes) > 0 {
			visitAffixes(other.paths, *text, false, func(a affix) { consider(x.prefixes[a]) })
		}
		if len(x.suffixes) > 0 {
			visitAffixes(other.paths, *text, true, func(a affix) { consider(x.suffixes[a]) })
		}
	}
	return first
}

// affixOf returns the whole text of a path as an affix.
func affixOf(uri *core.StringMatch, text string, fromEnd bool) affix {
	var last affix
	visitAffixes(uri, text, fromEnd, func(a affix) { last = a })
	return last
}

// visitAffixes visits all prefixes (or suffixes) of a text, the shortest first.
// Different affixes may have the same hash, so results must be compared.
func visitAffixes(uri *core.StringMatch, text string, fromEnd bool, visit func(affix)) {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	if uri.IgnoreCase {
		text = strings.ToLower(text)
	}
	sum := uint64(offset)
	visit(affix{sum, uri.IgnoreCase})
	for i := range len(text) {
		next := text[i]
		if fromEnd {
			next = text[len(text)-1-i]
		}
		sum = (sum ^ uint64(next)) * prime
		visit(affix{sum, uri.IgnoreCase})
	}
}
