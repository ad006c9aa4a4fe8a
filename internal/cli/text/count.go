package text

import (
	"strconv"
	"strings"
)

// Count counts things: `1 workload`, `3 workloads`, `0 meshes`.
func Count(n int, noun string) string {
	if n != 1 {
		noun = Plural(noun)
	}
	return strconv.Itoa(n) + " " + noun
}

// Plural returns the plural of a noun, which may be a kind (VirtualMesh) or end
// a phrase (traffic policy).
func Plural(noun string) string {
	stem, endsInY := strings.CutSuffix(noun, "y")
	switch {
	case noun == "":
		return ""
	case endsInY && stem != "" && !strings.ContainsAny(stem[len(stem)-1:], "aeiouAEIOU"):
		return stem + "ies"
	case hasAnySuffix(noun, "s", "x", "z", "ch", "sh"):
		return noun + "es"
	default:
		return noun + "s"
	}
}

func hasAnySuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// Choose returns the form of a word that fits a number of things:
// Choose(n, "is", "are").
func Choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Named puts names behind their noun: `cluster east`, `clusters east, west`.
func Named(noun string, names []string) string {
	if len(names) != 1 {
		noun = Plural(noun)
	}
	return noun + " " + strings.Join(names, ", ")
}
