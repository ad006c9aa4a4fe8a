package output

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
)

// Table implements view.Layout: rows under a header in the manner of kubectl, no
// borders, columns three blanks apart, no trailing blanks.
func (l *textLayout) Table(depth int, table view.Table) {
	if l.err != nil {
		return
	}
	var buffer bytes.Buffer
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: "   ", Overwrite: true}},
	}
	t := tablewriter.NewTable(&buffer,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: cells, Row: cells, Behavior: tw.Behavior{TrimSpace: tw.Off}}),
	)
	header, rows := l.cells(table)
	t.Header(header)
	err := t.Bulk(rows)
	if err == nil {
		err = t.Render()
	}
	if err != nil {
		l.err = fmt.Errorf("lay out a table: %w", err)
		return
	}
	for line := range strings.Lines(buffer.String()) {
		l.line(depth, trimmed(line))
	}
}

// trimmed returns a line without trailing blanks, also if tablewriter resets the
// colour behind them.
func trimmed(line string) string {
	line = strings.TrimRight(line, " \n")
	if text, isReset := strings.CutSuffix(line, resetColor); isReset && strings.HasSuffix(text, " ") {
		return strings.TrimRight(text, " ")
	}
	return line
}

// cells returns the text of the columns that are shown, safe to print and
// painted.
func (l *textLayout) cells(table view.Table) (header []string, rows [][]string) {
	shown := make([]int, 0, len(table.Columns))
	for i, column := range table.Columns {
		if l.wide || !column.Wide {
			shown = append(shown, i)
			header = append(header, column.Name)
		}
	}
	rows = make([][]string, 0, len(table.Rows))
	for _, row := range table.Rows {
		rows = append(rows, l.row(table.Columns, shown, row))
	}
	return header, rows
}

// row returns the cells of a row that are shown: the row itself where nothing
// has to be changed, which is the usual case of large tables.
func (l *textLayout) row(columns []view.Column, shown []int, row []string) []string {
	same := len(row) == 0 || len(row) <= len(shown) && shown[len(row)-1] == len(row)-1
	for i := 0; same && i < len(row); i++ {
		same = l.cell(columns[i], row[i]) == row[i]
	}
	if same {
		return row
	}
	cells := make([]string, 0, len(shown))
	for _, i := range shown {
		if i < len(row) {
			cells = append(cells, l.cell(columns[i], row[i]))
		}
	}
	return cells
}

func (l *textLayout) cell(column view.Column, cell string) string {
	cell = text.Printable(cell)
	if column.Tone == nil || !l.color {
		return cell
	}
	word, rest, more := strings.Cut(cell, " ")
	painted := l.paint(column.Tone(word), word)
	if more {
		painted += " " + rest
	}
	return painted
}
