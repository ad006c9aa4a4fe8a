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

// leastRoom is how many columns a continued line gets at least, however narrow
// the terminal is.
const leastRoom = 20

// Fold breaks one line into lines that take at most a number of columns, between
// words; a word that is too long is broken behind a comma if it has one, and kept
// whole otherwise. The lines after the first start with as many blanks as hang
// says, more where the line itself is indented. Blanks within lines stay as they
// are. A width of 0 breaks nothing.
func Fold(line string, width, hang int) []string {
	if width <= 0 || len(line) <= width || Width(line) <= width {
		return []string{line}
	}
	start := len(line) - len(strings.TrimLeft(line, " "))
	indent := strings.Repeat(" ", hang+start)
	var lines []string
	prefix, rest := line[:start], line[start:]
	for {
		room := max(width-len(prefix), leastRoom)
		end := breakOf(rest, room)
		lines = append(lines, strings.TrimRight(prefix+rest[:end], " "))
		if rest = strings.TrimLeft(rest[end:], " "); rest == "" {
			return lines
		}
		prefix = indent
	}
}

// breakOf returns how much of a text goes on a line of a number of columns.
func breakOf(s string, room int) int {
	used, blank, comma := 0, -1, -1
	graphemes := displaywidth.StringGraphemes(s)
	for end := 0; graphemes.Next(); {
		value := graphemes.Value()
		if value == " " && used <= room {
			blank = end
		}
		if used += graphemes.Width(); used > room {
			switch {
			case blank > 0:
				return blank
			case comma > 0:
				return comma
			case value == " ":
				return end // a word that is too long stands alone
			}
		}
		if end += len(value); value == "," && (used <= room || comma < 0) {
			comma = end
		}
	}
	return len(s)
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

// CutWords is Cut for prose: it cuts between words where that loses little.
func CutWords(s string, width int) string {
	short := Cut(s, width)
	kept, isCut := strings.CutSuffix(short, cutMark)
	if short == s || !isCut || strings.HasPrefix(s[len(kept):], " ") {
		return short
	}
	if blank := strings.LastIndexByte(kept, ' '); Width(kept[:max(blank, 0)]) > width/2 {
		return kept[:blank] + cutMark
	}
	return short
}
