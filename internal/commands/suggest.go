package commands

import (
	"slices"
	"strings"
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
		distance := editDistance(typed, strings.ToLower(candidate))
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

// editDistance counts the bytes to insert, remove, replace or swap with their
// neighbour to turn a into b.
func editDistance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
