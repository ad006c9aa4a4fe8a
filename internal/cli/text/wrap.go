package text

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// cutMark replaces the text that Cut removes.
const cutMark = "..."

// Width returns the number of terminal columns of a printable text: combining
// marks have none, most East Asian characters two.
func Width(s string) int { return displaywidth.String(s) }

// Wrap breaks lines between words at the width; a longer word stays whole. The
// indent starts every line but the first. A width of 0 means that it is not
// known, and breaks nothing.
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

// leastRoom is the minimum number of columns for a continued line on narrow
// terminals.
const leastRoom = 20

// Fold breaks one line between words into lines of at most width columns. A
// longer word is broken after a comma if it has one, and kept whole otherwise.
// Continuation lines are indented by hang blanks plus the indentation of the
// line. Blanks within lines are kept. A width of 0 breaks nothing.
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

// breakOf returns the length of the part of a text that fits into room columns.
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
				return end // a longer word stays whole
			}
		}
		if end += len(value); value == "," && (used <= room || comma < 0) {
			comma = end
		}
	}
	return len(s)
}

// Cut shortens a text to a number of columns and ends it with dots if it was cut.
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

// CutWords is Cut for prose: it cuts between words if that removes little more.
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
