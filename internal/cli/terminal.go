package cli

import (
	"bytes"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// terminalWriter escapes everything that could control a terminal except line
// ends, tabs and colours. Views escape text from outside in their layouts; this
// writer covers other output, such as manifests, and mistakes.
type terminalWriter struct {
	terminal io.Writer
	// held is the beginning of a character or colour sequence that the next write
	// completes.
	held []byte
}

// Write implements io.Writer.
func (w *terminalWriter) Write(p []byte) (int, error) {
	if len(w.held) == 0 && isPlain(p) {
		return w.terminal.Write(p)
	}
	pending := slices.Concat(w.held, p)
	end := len(pending) - unfinished(pending)
	w.held = slices.Clone(pending[end:])
	if _, err := io.WriteString(w.terminal, text.PrintableColored(string(pending[:end]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// finish writes the held bytes.
func (w *terminalWriter) finish() error {
	held := w.held
	w.held = nil
	if len(held) == 0 {
		return nil
	}
	_, err := io.WriteString(w.terminal, text.PrintableColored(string(held)))
	return err
}

// isPlain reports whether a text has only visible ASCII, line ends and tabs,
// which is the common case.
func isPlain(p []byte) bool {
	for _, b := range p {
		if (b < ' ' || b > '~') && b != '\n' && b != '\t' {
			return false
		}
	}
	return true
}

// unfinished returns how many bytes at the end may be the beginning of a
// character or sequence.
func unfinished(p []byte) int {
	const longest = 16
	tail := p[max(0, len(p)-longest):]
	if escape := bytes.LastIndexByte(tail, '\x1b'); escape >= 0 {
		parameters := bytes.TrimPrefix(tail[escape+1:], []byte("["))
		if len(bytes.TrimLeft(parameters, "0123456789;")) == 0 {
			return len(tail) - escape
		}
	}
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if start := p[len(p)-n:]; utf8.RuneStart(start[0]) {
			if !utf8.FullRune(start) {
				return n
			}
			return 0
		}
	}
	return 0
}
