package view

import (
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// Table is a header with rows of text; use None and Unknown for missing values.
// It says how important columns are and how their cells may be shortened; the
// printer, which knows the terminal, decides.
type Table struct {
	Columns []Column
	// Rows have one cell per column; the last cells may be missing.
	Rows [][]string
	// Noun is what a row describes, such as workload; "row" if empty.
	Noun string
}

// Column is a column of a table.
type Column struct {
	Name string
	// Wide columns are shown in wide tables only.
	Wide bool
	// Priority is 0 for columns that are always shown. On narrow terminals,
	// columns with the greatest number are hidden first.
	Priority int
	Content  Content
	// Note is written below the table if the column is shown.
	Note string
	// Shown is the maximum number of items shown in a cell unless the table is
	// wide; 0 shows all.
	Shown int
	// Tone returns the tone of a cell from its first word, which is then
	// coloured; it may be nil.
	Tone func(word string) Tone
}

// Content is the kind of text in cells, which decides how they may be shortened.
type Content uint8

const (
	// Exact is a name or a number, which is cut only as a last resort.
	Exact Content = iota
	// Prose is words or an expression, whose end may be cut.
	Prose
	// ItemList is the result of Items: the first items are shown and the rest
	// counted.
	ItemList
	// Wrapped is prose that continues on further lines instead, because its end
	// matters as much as its start.
	Wrapped
	// Reason is a sentence that rows may share; a shared one is written once,
	// below the table.
	Reason
)

// Columns returns plain columns.
func Columns(names ...string) []Column {
	columns := make([]Column, 0, len(names))
	for _, name := range names {
		columns = append(columns, Column{Name: name})
	}
	return columns
}

// WideColumns returns columns of wide tables.
func WideColumns(names ...string) []Column {
	columns := Columns(names...)
	for i := range columns {
		columns[i].Wide = true
	}
	return columns
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Items returns a list as a cell of an ItemList column; None if it is empty. Line
// ends within an item are escaped, so that they do not separate items.
func Items(items []string) string {
	if len(items) == 0 {
		return None
	}
	var list strings.Builder
	for i, item := range items {
		if i > 0 {
			list.WriteByte('\n')
		}
		list.WriteString(text.Printable(item))
	}
	return list.String()
}

// None stands for an empty value, Unknown for one that is not known.
const (
	None    = "<none>"
	Unknown = "<unknown>"
)

// OrNone returns the text, or None if it is empty.
func OrNone(text string) string {
	if text == "" {
		return None
	}
	return text
}

// OrUnknown returns the text, or Unknown if it is empty.
func OrUnknown(text string) string {
	if text == "" {
		return Unknown
	}
	return text
}

// Tone is the meaning of a word, which terminals show by its colour.
type Tone uint8

// The tones.
const (
	Plain Tone = iota
	Good
	Warning
	Bad
	Faint
)

// Word is a word with its tone.
type Word struct {
	Text string
	Tone Tone
}
