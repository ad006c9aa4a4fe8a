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

// layoutKeys returns the help about keys: on the line of the question, which takes
// so many columns, if it fits there, else on lines below it, which are indented by
// two blanks. The first line is then empty. Lines break between keys only.
func layoutKeys(keys []string, column, width int) []string {
	all := "[" + strings.Join(keys, ", ") + "]"
	if column+1+text.Width(all) < width {
		return []string{all}
	}
	lines := []string{"", "["}
	for i, key := range keys {
		key += ","
		if i == len(keys)-1 {
			key = strings.TrimSuffix(key, ",") + "]"
		}
		last := &lines[len(lines)-1]
		switch {
		case *last == "[":
			*last += key
		case 2+text.Width(*last)+1+text.Width(key) < width:
			*last += " " + key
		default:
			lines = append(lines, " "+key)
		}
	}
	return lines
}

// pageSize returns how many options fit on a terminal below so many lines.
func pageSize(height, above int) int { return min(max(height-1-above, minPage), maxPage) }
