package view

import (
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// Table is rows under a header, all text; what is not known is None or Unknown.
// It says which columns matter and how cells may be shortened; the printer, which
// knows the terminal, decides.
type Table struct {
	Columns []Column
	// Rows have one cell for each column, or fewer: the last ones may be missing.
	Rows [][]string
	// Noun is what a row is about, such as workload; "row" if it is empty.
	Noun string
}

// Column is a column of a table.
type Column struct {
	Name string
	// Wide says that only wide tables have it.
	Wide bool
	// Priority is 0 for a column that is always shown. Of the others, terminals
	// that are too narrow leave out those with the greatest number first.
	Priority int
	Content  Content
	// Shown is how many items of a cell are shown unless the table is wide; 0 for
	// all.
	Shown int
	// Tone returns the tone of a cell by its first word, which is painted; nil if
	// cells have none.
	Tone func(word string) Tone
}

// Content says what cells hold, and so how they may be shortened.
type Content uint8

const (
	// Exact is a name or a number, which is cut only where nothing else helps.
	Exact Content = iota
	// Prose is words or an expression, whose end may be cut.
	Prose
	// ItemList is what Items returns: the first items are shown, the rest counted.
	ItemList
	// Reason is a sentence that rows may share; one that several share is written
	// once, below the table.
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

// WideColumns returns columns that only wide tables have.
func WideColumns(names ...string) []Column {
	columns := Columns(names...)
	for i := range columns {
		columns[i].Wide = true
	}
	return columns
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Items returns a list as a cell of a column of ItemList; None if there are no
// items. A line end within an item makes no other item.
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

// What stands for a value that is empty, and for one that is not known.
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

// Tone says what a word tells, which terminals show by its colour.
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
