package text

import (
	"fmt"
	"strings"
)

// And joins items for a sentence: `a`, `a and b`, `a, b and c`.
func And(items []string) string { return join(items, "and") }

// Or joins items for a sentence: `a`, `a or b`, `a, b or c`.
func Or(items []string) string { return join(items, "or") }

func join(items []string, conjunction string) string {
	last := len(items) - 1
	if last < 1 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:last], ", ") + " " + conjunction + " " + items[last]
}

// Bounded joins the first items of a list and counts the rest:
// `a, b, c and 12 more`.
func Bounded(items []string, limit int) string { return BoundedOf(items, len(items), limit) }

// BoundedOf is Bounded for a list of total items of which only the first are
// given.
func BoundedOf(items []string, total, limit int) string {
	shown := items[:min(max(limit, 0), len(items))]
	switch more := total - len(shown); {
	case more <= 0:
		return strings.Join(shown, ", ")
	case len(shown) == 0:
		return fmt.Sprintf("%d more", more)
	default:
		return strings.Join(shown, ", ") + " " + More(more)
	}
}

// More is the last entry of a truncated list: `and 12 more`.
func More(n int) string { return fmt.Sprintf("and %d more", n) }

// Fit is Bounded for a table cell of a given width: it shows fewer items if
// necessary, and cuts the first one if even that does not fit. A limit or a width
// of 0 means no limit.
func Fit(items []string, limit, width int) string {
	if limit <= 0 || limit > len(items) {
		limit = len(items)
	}
	if width <= 0 {
		return Bounded(items, limit)
	}
	best, used := "", 0
	for n := 1; n <= limit; n++ {
		used += Width(items[n-1])
		if n > 1 {
			used += len(", ")
		}
		if used > width {
			break
		}
		if fitting := Bounded(items, n); Width(fitting) <= width {
			best = fitting
		}
	}
	if best != "" || len(items) == 0 {
		return best
	}
	if len(items) == 1 {
		return Cut(items[0], width)
	}
	count := " " + More(len(items)-1)
	if room := width - len(count); room > len(cutMark) {
		return Cut(items[0], room) + count
	}
	return Cut(items[0]+cutMark, width)
}
