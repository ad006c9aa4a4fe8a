package wizard

import (
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
)

const (
	// minPage and maxPage are how many options a list shows at once.
	minPage, maxPage = 3, 20
	// cutMark stands for what does not fit.
	cutMark = "..."
	// dim and undim are what a terminal shows less important text with.
	dim, undim = "\x1b[2m", "\x1b[22m"
)

// layoutOptions returns a line of at most width columns per option: the labels,
// then the details in a column of their own.
func layoutOptions(options []Option, width int, color bool) []string {
	column := 0
	for _, o := range options {
		if o.Detail != "" {
			column = max(column, text.Width(text.Printable(o.Label)))
		}
	}
	column = min(column, max(width*2/3, 1))
	lines := make([]string, len(options))
	for i, o := range options {
		label := text.Cut(text.Printable(o.Label), width)
		lines[i] = label
		gap := max(column-text.Width(label), 0) + 2
		rest := width - text.Width(label) - gap
		if o.Detail == "" || rest < len(cutMark)+1 {
			continue
		}
		detail := text.Cut(text.Printable(o.Detail), rest)
		if color {
			detail = dim + detail + undim
		}
		lines[i] = label + strings.Repeat(" ", gap) + detail
	}
	return lines
}

// pageSize returns how many options fit on a terminal below so many lines.
func pageSize(height, above int) int { return min(max(height-1-above, minPage), maxPage) }
