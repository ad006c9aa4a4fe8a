package text

import (
	"strconv"
	"strings"
)

// Count formats a number with its noun: `1 workload`, `3 workloads`, `0 meshes`.
func Count(n int, noun string) string {
	if n != 1 {
		noun = Plural(noun)
	}
	return strconv.Itoa(n) + " " + noun
}

// Plural returns the plural of a noun. The noun may be a kind (VirtualMesh) or a
// phrase (traffic policy).
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

// Choose returns the singular or plural form for a number: Choose(n, "is",
// "are").
func Choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Named returns a noun followed by names: `cluster east`, `clusters east, west`.
func Named(noun string, names []string) string {
	if len(names) != 1 {
		noun = Plural(noun)
	}
	return noun + " " + strings.Join(names, ", ")
}
