package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns a text from outside as one line that cannot control a
// terminal. What is not a visible character (control characters and escape
// sequences, line ends, tabs, marks that change the direction of writing,
// invisible characters, bytes that are not UTF-8) becomes an escape like \x1b,
// \n or \u202e. Text without any of these is returned as it is, so escaping it
// twice changes nothing.
func Printable(s string) string { return escape(s, "") }

// PrintableLines is Printable for a text of several lines: it keeps line ends
// and tabs.
func PrintableLines(s string) string { return escape(s, "\n\t") }

// PrintableColored is PrintableLines for a text that is painted already: it keeps
// colours, and no other sequence that a terminal obeys.
func PrintableColored(s string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		start := strings.IndexByte(s[i:], '\x1b')
		if start < 0 {
			break
		}
		start += i
		i = start + colorLength(s[start:])
		if i == start {
			i++
			continue
		}
		b.WriteString(PrintableLines(s[done:start]))
		b.WriteString(s[start:i])
		done = i
	}
	if done == 0 {
		return PrintableLines(s)
	}
	b.WriteString(PrintableLines(s[done:]))
	return b.String()
}

// colorLength returns how long the sequence is that a text starts with if it sets
// a colour, 0 if it does not.
func colorLength(s string) int {
	rest, found := strings.CutPrefix(s, "\x1b[")
	if !found {
		return 0
	}
	rest = strings.TrimLeft(rest, "0123456789;")
	if !strings.HasPrefix(rest, "m") {
		return 0
	}
	return len(s) - len(rest) + 1
}

func escape(s, keep string) string {
	if isPlain(s) { // nearly all text is
		return s
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		invalid := r == utf8.RuneError && size == 1
		if !invalid && (unicode.IsPrint(r) || strings.ContainsRune(keep, r)) {
			i += size
			continue
		}
		b.WriteString(s[done:i])
		if invalid {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
		done = i
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// isPlain reports whether a text has visible ASCII only.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// OneLine is Printable for a message of somebody else: blanks and line ends
// become single blanks, and what is beyond the limit, in characters, is cut.
func OneLine(s string, limit int) string {
	s = Printable(strings.Join(strings.Fields(s), " "))
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + cutMark
	}
	return s
}
