package output

import (
	"bytes"
	"io"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
)

// textLayout writes text for people and keeps the first error, so that views need
// not check every line. It is the only layout of meshctl.
type textLayout struct {
	out         io.Writer
	color, wide bool
	// width is the width to fit; 0 if there is none.
	width int
	// complete completes suggested commands; nil leaves them unchanged.
	complete func(text string) string
	// buffer holds one line, so that long texts need little memory.
	buffer []byte
	err    error
}

const (
	indentation = "  "
	resetColor  = "\x1b[0m"
)

// line writes a line of escaped parts without trailing blanks.
func (l *textLayout) line(depth int, safe ...string) {
	if l.err != nil {
		return
	}
	line := l.indented(depth)
	for _, part := range safe {
		line = append(line, part...)
	}
	l.end(line)
}

// bytes is line for a text in a buffer of its own.
func (l *textLayout) bytes(depth int, safe []byte) {
	if l.err == nil {
		l.end(append(l.indented(depth), safe...))
	}
}

func (l *textLayout) indented(depth int) []byte {
	line := l.buffer[:0]
	for range depth {
		line = append(line, indentation...)
	}
	return line
}

func (l *textLayout) end(line []byte) {
	line = append(bytes.TrimRight(line, " "), '\n')
	_, l.err = l.out.Write(line)
	l.buffer = line
}

// continued is the indentation of continuation lines.
const continued = 2

// Line implements view.Layout.
func (l *textLayout) Line(depth int, mark view.Word, line string) {
	marked := text.Printable(mark.Text)
	for i, part := range l.fold(depth, 0, marked+text.Printable(l.completed(line)), continued) {
		rest, isMarked := strings.CutPrefix(part, strings.TrimRight(marked, " "))
		if i > 0 || !isMarked || marked == "" {
			l.line(depth, part)
			continue
		}
		l.line(depth, l.paint(mark.Tone, strings.TrimRight(marked, " ")), rest)
	}
}

func (l *textLayout) completed(line string) string {
	if l.complete == nil {
		return line
	}
	return l.complete(line)
}

// fold wraps a line that starts after a number of columns.
func (l *textLayout) fold(depth, behind int, line string, hang int) []string {
	if l.width == 0 {
		return []string{line}
	}
	return text.Fold(line, max(l.width-depth*len(indentation)-behind, 1), hang)
}

// Fields implements view.Layout.
func (l *textLayout) Fields(depth int, fields []view.Field) {
	width := 0
	for _, f := range fields {
		width = max(width, len(f.Key)+len(":  "))
	}
	for _, f := range fields {
		key, state := f.Key+":", text.Printable(f.State.Text)
		values := f.Items
		if len(values) == 0 {
			values = []string{view.OrNone(f.Value)}
		}
		for _, value := range values {
			for _, line := range l.fold(depth, width, text.Printable(l.completed(value)), continued) {
				if state != "" && strings.Contains(line, state) {
					line = strings.Replace(line, state, l.paint(f.State.Tone, state), 1)
					state = ""
				}
				l.line(depth, key, strings.Repeat(" ", width-len(key)), line)
				key = ""
			}
		}
	}
}

// Diff implements view.Layout.
func (l *textLayout) Diff(unified string) {
	for line := range strings.Lines(unified) {
		line = strings.TrimSuffix(line, "\n")
		tone := view.Plain
		switch {
		case strings.HasPrefix(line, "+"):
			tone = view.Good
		case strings.HasPrefix(line, "-"):
			tone = view.Bad
		case strings.HasPrefix(line, "@@"):
			tone = view.Warning
		}
		if l.err == nil {
			_, l.err = io.WriteString(l.out, l.paint(tone, text.PrintableLines(line))+"\n")
		}
	}
}

// paint colours escaped text by its tone. It does not use bold, which is
// invisible on some terminals.
func (l *textLayout) paint(tone view.Tone, safe string) string {
	if !l.color || safe == "" {
		return safe
	}
	code := ""
	switch tone {
	case view.Plain:
		return safe
	case view.Good:
		code = "32"
	case view.Warning:
		code = "33"
	case view.Bad:
		code = "31"
	case view.Faint:
		code = "2"
	}
	return "\x1b[" + code + "m" + safe + resetColor
}
