package describe

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/aymanbagabas/go-udiff"
)

// UnifiedDiff returns the lines in which two texts differ, with three lines of
// context, as diff -u has them; nothing if they are equal. What a terminal would
// take for commands is made visible.
func UnifiedDiff(oldName, newName string, before, after []byte) []byte {
	if bytes.Equal(before, after) {
		return nil
	}
	return []byte(strings.Map(visible, udiff.Unified(oldName, newName, string(before), string(after))))
}

// visible replaces what is not text.
func visible(r rune) rune {
	if r == '\n' || r == '\t' || unicode.IsPrint(r) {
		return r
	}
	return '?'
}

// ColorDiff paints the lines of a unified diff as the style says.
func ColorDiff(diff []byte, style Style) []byte {
	if !style.Color {
		return diff
	}
	var painted strings.Builder
	for line := range strings.Lines(string(diff)) {
		text, end := strings.TrimSuffix(line, "\n"), strings.Repeat("\n", strings.Count(line, "\n"))
		switch {
		case strings.HasPrefix(text, "+"):
			text = style.paint(ansiGreen, text)
		case strings.HasPrefix(text, "-"):
			text = style.paint(ansiRed, text)
		case strings.HasPrefix(text, "@@"):
			text = style.paint(ansiYellow, text)
		}
		painted.WriteString(text + end)
	}
	return []byte(painted.String())
}
