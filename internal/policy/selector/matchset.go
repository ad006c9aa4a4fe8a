package selector

import (
	"fmt"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// MatchSet finds the first of many request matches that contains another one,
// without comparing with all: each is filed under the rarest of the conditions
// that it makes.
type MatchSet struct {
	matches []*RequestMatch
	// all are the matches of all requests.
	all   []int
	filed map[string][]int
	// prefixes and suffixes are filed by a number that stands for the text, those
	// that ignore case apart.
	prefixes, suffixes map[affix][]int
}

// affix is the start or the end of a path.
type affix struct {
	sum        uint64
	ignoreCase bool
}

// NewMatchSet files the matches by their positions in the list.
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
		case isURI && m.URI.Prefix != nil:
			at := affixOf(m.URI, *m.URI.Prefix, false)
			x.prefixes[at] = append(x.prefixes[at], i)
		case isURI && m.URI.Suffix != nil:
			at := affixOf(m.URI, *m.URI.Suffix, true)
			x.suffixes[at] = append(x.suffixes[at], i)
		}
		x.filed[rarest] = append(x.filed[rarest], i)
	}
	return x
}

// visitConditions names what a match asks for. Of two matches one of which
// contains the other, they have conditions in common, but for paths that start or
// end like others.
func (m *RequestMatch) visitConditions(visit func(condition string, uri bool)) {
	if m == nil {
		return
	}
	if kind, text := uriKind(m.URI); m.URI != nil {
		visit(fmt.Sprintf("uri %d %v %s", kind, m.URI.IgnoreCase, text), true)
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
	if other == nil || other.URI == nil {
		return first
	}
	if text := other.URI.Prefix; text != nil && len(x.prefixes) > 0 {
		visitAffixes(other.URI, *text, false, func(a affix) { consider(x.prefixes[a]) })
	}
	if text := other.URI.Exact; text != nil {
		if len(x.prefixes) > 0 {
			visitAffixes(other.URI, *text, false, func(a affix) { consider(x.prefixes[a]) })
		}
		if len(x.suffixes) > 0 {
			visitAffixes(other.URI, *text, true, func(a affix) { consider(x.suffixes[a]) })
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

// visitAffixes visits all that a text starts with, or ends in, the shortest first.
// Affixes that differ may have one number, so what is found has to be compared.
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
