package view

import (
	"fmt"

	"github.com/aymanbagabas/go-udiff"
)

// Text is written sequentially: lines, fields, tables, sections. It keeps
// nothing, so that long texts need little memory; the Layout behind it indents,
// aligns, colours and escapes.
type Text struct {
	// Wide asks for all details.
	Wide   bool
	layout Layout
	depth  int
}

// Layout writes the parts of a text; depth is the nesting level.
type Layout interface {
	Line(depth int, mark Word, text string)
	Fields(depth int, fields []Field)
	Table(depth int, table Table)
	Diff(unified string)
}

// Field is a `Key: value` line.
type Field struct {
	Key, Value string
	// Items are the values of a list field, one per line. A field with neither
	// value nor items shows None.
	Items []string
	// State is the coloured word of the value, if any.
	State Word
}

// NewText returns an empty text that the layout writes.
func NewText(layout Layout, wide bool) *Text { return &Text{Wide: wide, layout: layout} }

// Line writes a line.
func (t *Text) Line(text string) { t.layout.Line(t.depth, Word{}, text) }

// Linef formats a line.
func (t *Text) Linef(format string, args ...any) { t.Line(fmt.Sprintf(format, args...)) }

// Marked writes a line that begins with a coloured word, directly followed by the
// text.
func (t *Text) Marked(mark Word, text string) { t.layout.Line(t.depth, mark, text) }

// Blank writes an empty line.
func (t *Text) Blank() { t.Line("") }

// Fields writes aligned fields.
func (t *Text) Fields(fields []Field) { t.layout.Fields(t.depth, fields) }

// Table writes a table.
func (t *Text) Table(table Table) { t.layout.Table(t.depth, table) }

// Diff writes a unified diff of two texts with three lines of context, never
// indented; nothing if they are equal.
func (t *Text) Diff(oldName, newName string, before, after []byte) {
	t.layout.Diff(udiff.Unified(oldName, newName, string(before), string(after)))
}

// Nested writes the output of body one level deeper.
func (t *Text) Nested(body func()) {
	t.depth++
	body()
	t.depth--
}

// Section writes a title and the output of body under it, or None if it is empty.
func (t *Text) Section(title string, empty bool, body func()) {
	if empty {
		t.Line(title + ":  " + None)
		return
	}
	t.Line(title + ":")
	t.Nested(body)
}
