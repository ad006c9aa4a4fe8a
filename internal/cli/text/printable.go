package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns a text from outside as one line that cannot control a
// terminal. Invisible characters (control characters and escape sequences, line
// ends, tabs, direction marks, zero-width characters, invalid UTF-8) become
// escapes like \x1b, \n or \u202e. Other text is returned unchanged, so escaping
// twice has no effect.
func Printable(s string) string { return escape(s, "") }

// PrintableLines is Printable for multi-line text: it keeps line ends and tabs.
func PrintableLines(s string) string { return escape(s, "\n\t") }

// PrintableColored is PrintableLines for coloured text: it keeps colour sequences
// and escapes all others.
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

// colorLength returns the length of the colour sequence at the start of a text,
// or 0 if there is none.
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
	if isPlain(s) { // the common case
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

// isPlain reports whether a text has only visible ASCII.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// OneLine is Printable for messages from outside: it collapses white space and
// cuts the text at limit characters.
func OneLine(s string, limit int) string {
	s = Printable(strings.Join(strings.Fields(s), " "))
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + cutMark
	}
	return s
}
