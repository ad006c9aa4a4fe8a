package commands

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// maxSuggestions keeps a "did you mean" readable.
const maxSuggestions = 3

// didYouMean returns `, did you mean "a" or "b"?` with the candidates that are
// most like the typed word, or nothing if none is.
func didYouMean(typed string, candidates []string) string {
	near := nearest(typed, candidates)
	switch len(near) {
	case 0:
		return ""
	case 1:
		return ", did you mean " + quoteAll(near) + "?"
	default:
		last := len(near) - 1
		return ", did you mean " + quoteAll(near[:last]) + " or " + quoteAll(near[last:]) + "?"
	}
}

// nearest returns the candidates that start with the typed word or differ from
// it in few letters, the most similar first.
func nearest(typed string, candidates []string) []string {
	typed = strings.ToLower(typed)
	limit := max(1, len(typed)/3)
	distances := map[string]int{}
	for _, candidate := range candidates {
		distance := spelling.Distance(typed, strings.ToLower(candidate))
		if distance <= limit || len(typed) > 1 && strings.HasPrefix(candidate, typed) {
			distances[candidate] = distance
		}
	}
	var near []string
	for candidate := range distances {
		near = append(near, candidate)
	}
	slices.SortFunc(near, func(a, b string) int {
		if distances[a] != distances[b] {
			return distances[a] - distances[b]
		}
		return strings.Compare(a, b)
	})
	return near[:min(len(near), maxSuggestions)]
}
