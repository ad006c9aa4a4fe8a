package wizard

import (
	"strings"
	"unicode"

	"github.com/AlecAivazis/survey/v2/terminal"
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
			column = max(column, terminal.StringWidth(printable(o.Label)))
		}
	}
	column = min(column, max(width*2/3, 1))
	lines := make([]string, len(options))
	for i, o := range options {
		label := cut(printable(o.Label), width)
		lines[i] = label
		gap := max(column-terminal.StringWidth(label), 0) + 2
		rest := width - terminal.StringWidth(label) - gap
		if o.Detail == "" || rest < len(cutMark)+1 {
			continue
		}
		detail := cut(printable(o.Detail), rest)
		if color {
			detail = dim + detail + undim
		}
		lines[i] = label + strings.Repeat(" ", gap) + detail
	}
	return lines
}

// cut shortens text to a number of columns.
func cut(text string, width int) string {
	if terminal.StringWidth(text) <= width {
		return text
	}
	mark := cutMark[:max(min(len(cutMark), width), 0)]
	used := len(mark)
	for i, r := range text {
		used += terminal.StringWidth(string(r))
		if used > width {
			return text[:i] + mark
		}
	}
	return text
}

// printable replaces what would move the cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// wrap breaks text between words so that no line is longer than width, unless a
// single word is.
func wrap(text string, width int) string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			switch {
			case line == "":
				line = word
			case terminal.StringWidth(line)+1+terminal.StringWidth(word) <= width:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// pageSize returns how many options fit below a question of so many columns and
// its help on a terminal.
func pageSize(width, height, question int, help string) int {
	rows := height - 1 - (question+width-1)/width
	if help != "" {
		rows -= strings.Count(help, "\n") + 1
	}
	return min(max(rows, minPage), maxPage)
}
