package view

import (
	"fmt"

	"github.com/aymanbagabas/go-udiff"
)

// Text is written from top to bottom: lines, fields, tables, sections. Nothing
// of it is kept, so that long texts cost no memory; the Layout behind it indents,
// aligns, paints and escapes.
type Text struct {
	// Wide says that people want all there is.
	Wide   bool
	layout Layout
	depth  int
}

// Layout writes parts of a text; depth is how deep they are nested.
type Layout interface {
	Line(depth int, mark Word, text string)
	Fields(depth int, fields []Field)
	Table(depth int, table Table)
	Diff(unified string)
}

// Field is a `Key: value` line.
type Field struct {
	Key, Value string
	// Items are the value of a field that is a list, one line each; a field without
	// a value and without items is None.
	Items []string
	// State is a word of the value that has a tone; usually there is none.
	State Word
}

// NewText returns an empty text that the layout writes.
func NewText(layout Layout, wide bool) *Text { return &Text{Wide: wide, layout: layout} }

// Line writes a line.
func (t *Text) Line(text string) { t.layout.Line(t.depth, Word{}, text) }

// Linef formats a line.
func (t *Text) Linef(format string, args ...any) { t.Line(fmt.Sprintf(format, args...)) }

// Marked writes a line that begins with a word that has a tone; the text follows
// the word at once.
func (t *Text) Marked(mark Word, text string) { t.layout.Line(t.depth, mark, text) }

// Blank writes an empty line.
func (t *Text) Blank() { t.Line("") }

// Fields writes aligned fields.
func (t *Text) Fields(fields []Field) { t.layout.Fields(t.depth, fields) }

// Table writes a table.
func (t *Text) Table(table Table) { t.layout.Table(t.depth, table) }

// Diff writes the lines in which two texts differ, with three lines of context,
// as diff -u has them and never indented; nothing if they are equal.
func (t *Text) Diff(oldName, newName string, before, after []byte) {
	t.layout.Diff(udiff.Unified(oldName, newName, string(before), string(after)))
}

// Nested writes what body writes one level deeper.
func (t *Text) Nested(body func()) {
	t.depth++
	body()
	t.depth--
}

// Section writes a title and what body writes under it, or None if it is empty.
func (t *Text) Section(title string, empty bool, body func()) {
	if empty {
		t.Line(title + ":  " + None)
		return
	}
	t.Line(title + ":")
	t.Nested(body)
}
