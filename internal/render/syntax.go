package render

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError says which character of a text that the user typed is wrong.
type SyntaxError struct {
	// Text is the whole text.
	Text string
	// Offset is the position of the character in bytes; len(Text) if something is
	// missing at the end.
	Offset int
	// Message says what is wrong, in lower case.
	Message string
}

// Error returns the message, and below it the text with a caret under the
// character. An empty text is not shown.
func (e *SyntaxError) Error() string {
	if e.Text == "" {
		return e.Message
	}
	text, column := excerpt(e.Text, e.Offset)
	return e.Message + "\n  " + text + "\n  " + strings.Repeat(" ", column) + "^"
}

// The parts of a long text that are shown around the character, in columns.
const (
	excerptBefore = 40
	excerptAfter  = 30
	ellipsis      = "..."
)

// excerpt returns the text as it can be shown on one line of a terminal, cut
// around the offset if it is long, and the column of the offset in it.
func excerpt(text string, offset int) (string, int) {
	offset = min(max(offset, 0), len(text))
	before, after := shown(text[:offset]), shown(text[offset:])
	if len(before)+len(after) > excerptBefore+excerptAfter {
		if len(before) > excerptBefore {
			before = append([]string{ellipsis}, before[len(before)-excerptBefore+len(ellipsis):]...)
		}
		if len(after) > excerptAfter {
			after = append(after[:excerptAfter-len(ellipsis):excerptAfter-len(ellipsis)], ellipsis)
		}
	}
	left := strings.Join(before, "")
	return left + strings.Join(after, ""), columns(left)
}

// shown returns the characters of a text, those that would disturb a terminal
// escaped.
func shown(text string) []string {
	var cells []string
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			cells = append(cells, fmt.Sprintf(`\x%02x`, text[0]))
		case !unicode.IsPrint(r):
			quoted := strconv.QuoteRune(r)
			cells = append(cells, quoted[1:len(quoted)-1])
		default:
			cells = append(cells, text[:size])
		}
		text = text[size:]
	}
	return cells
}

// columns returns the width of a text that shown returned: combining marks take
// no room, the scripts of East Asia two columns a character.
func columns(text string) int {
	width := 0
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r >= 0x1f300 && r < 0x1fb00, r >= 0xff01 && r < 0xff61:
			width += 2
		default:
			width++
		}
	}
	return width
}

// piece is a part of what the user typed. It knows where its bytes stand, so
// that an error can point at one of them.
type piece struct {
	// source is all that the user typed in one flag.
	source string
	// text is the part, without quotes and escapes.
	text string
	// start is where text starts in source.
	start int
	// offsets are where the bytes of text and its end stand in source, if escapes
	// have moved them; else nil.
	offsets []int
}

// whole returns everything that the user typed.
func whole(text string) piece { return piece{source: text, text: text} }

// offset returns where byte i of the piece stands in the source.
func (p piece) offset(i int) int {
	if p.offsets != nil {
		return p.offsets[i]
	}
	return p.start + i
}

// slice returns the bytes from one index to before another.
func (p piece) slice(from, to int) piece {
	part := piece{source: p.source, text: p.text[from:to], start: p.start + from}
	if p.offsets != nil {
		part.offsets = p.offsets[from : to+1]
	}
	return part
}

// cut slices around the first separator; without one, all of it is before.
func (p piece) cut(separator string) (before, after piece, found bool) {
	return p.cutAt(strings.Index(p.text, separator), len(separator))
}

// cutLast slices around the last separator.
func (p piece) cutLast(separator string) (before, after piece, found bool) {
	return p.cutAt(strings.LastIndex(p.text, separator), len(separator))
}

func (p piece) cutAt(i, size int) (before, after piece, found bool) {
	if i < 0 {
		return p, p.slice(len(p.text), len(p.text)), false
	}
	return p.slice(0, i), p.slice(i+size, len(p.text)), true
}

// split slices at every separator.
func (p piece) split(separator string) []piece {
	var parts []piece
	for {
		before, after, found := p.cut(separator)
		parts = append(parts, before)
		if !found {
			return parts
		}
		p = after
	}
}

// trim removes blanks at both ends.
func (p piece) trim() piece {
	left := len(p.text) - len(strings.TrimLeft(p.text, blanks))
	return p.slice(left, max(left, len(strings.TrimRight(p.text, blanks))))
}

// blanks are what may stand around terms.
const blanks = " \t"

// errorAt returns a *SyntaxError that points at byte i of the piece.
func (p piece) errorAt(i int, format string, args ...any) error {
	message := strings.Join(shown(fmt.Sprintf(format, args...)), "") // what was typed may be part of it
	return &SyntaxError{Text: p.source, Offset: p.offset(i), Message: message}
}

// errorf returns a *SyntaxError that points at the start of the piece.
func (p piece) errorf(format string, args ...any) error { return p.errorAt(0, format, args...) }

// checkText refuses what no flag may contain: bytes that are not UTF-8, which a
// manifest could not hold.
func checkText(p piece) error {
	for i, r := range p.text {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(p.text[i:]); size == 1 {
			return p.errorAt(i, "this byte is not valid UTF-8")
		}
	}
	return nil
}

// checkPrintable refuses control characters and, unless they are allowed, empty
// texts.
func checkPrintable(p piece, what string) error {
	if p.text == "" {
		return p.errorf("%s is missing", what)
	}
	for i, r := range p.text {
		if unicode.IsControl(r) {
			return p.errorAt(i, "%s must not contain control characters", what)
		}
	}
	return nil
}
