package view

// Table is rows under a header, all text; what is not known is None or Unknown.
type Table struct {
	Columns []Column
	// Rows have one cell for each column, or fewer: the last ones may be missing.
	Rows [][]string
}

// Column is a column of a table.
type Column struct {
	Name string
	// Wide says that only wide tables have it.
	Wide bool
	// Tone returns the tone of a cell by its first word, which is painted; nil if
	// cells have none.
	Tone func(word string) Tone
}

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
