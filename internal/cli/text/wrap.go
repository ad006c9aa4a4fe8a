package text

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// cutMark stands for what Cut leaves out.
const cutMark = "..."

// Width returns how many columns of a terminal a printable text takes:
// combining marks none, most characters of East Asia two.
func Width(s string) int { return displaywidth.String(s) }

// Wrap breaks lines between words so that none has more columns than the width,
// unless a single word has; the indent starts every line but the first. A width
// of 0 means that nothing is known of the terminal, and breaks nothing.
func Wrap(s string, width int, indent string) string {
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		line, column := "", 0
		for i, word := range strings.Fields(paragraph) {
			length := Width(word)
			switch {
			case i == 0:
				if len(lines) > 0 {
					column = Width(indent)
				}
				line, column = word, column+length
			case width > 0 && column+1+length > width:
				lines = append(lines, line)
				line, column = word, Width(indent)+length
			default:
				line, column = line+" "+word, column+1+length
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"+indent)
}

// Cut shortens a text to a number of columns and marks with dots that it did.
func Cut(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	mark := cutMark[:max(min(len(cutMark), width), 0)]
	used, end := len(mark), 0
	graphemes := displaywidth.StringGraphemes(s)
	for graphemes.Next() {
		used += graphemes.Width()
		if used > width {
			break
		}
		end += len(graphemes.Value())
	}
	return s[:end] + mark
}
