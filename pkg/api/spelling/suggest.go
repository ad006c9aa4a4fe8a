package spelling

import (
	"slices"
	"strconv"
	"strings"
)

// MaxSuggestions limits the candidates that Near returns, so that sentences with
// them stay readable.
const MaxSuggestions = 3

// DidYouMean returns `, did you mean "a" or "b"?` with the most similar
// candidates, or "" if there are none.
func DidYouMean(typed string, candidates []string) string {
	near := Near(typed, candidates)
	switch len(near) {
	case 0:
		return ""
	case 1:
		return ", did you mean " + quote(near) + "?"
	default:
		last := len(near) - 1
		return ", did you mean " + quote(near[:last]) + " or " + quote(near[last:]) + "?"
	}
}

// Near returns the candidates that start with the typed word or differ from
// it in few letters, the most similar first.
func Near(typed string, candidates []string) []string {
	typed = strings.ToLower(typed)
	limit := max(1, len(typed)/3)
	distances := map[string]int{}
	for _, candidate := range candidates {
		distance := Distance(typed, strings.ToLower(candidate))
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
	return near[:min(len(near), MaxSuggestions)]
}

// quote quotes words and joins them with commas.
func quote(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = strconv.Quote(word)
	}
	return strings.Join(quoted, ", ")
}
