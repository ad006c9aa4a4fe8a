package output

import (
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/ll"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
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
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: "   ", Overwrite: true}},
	}
	t := tablewriter.NewTable(io.Discard,
		tablewriter.WithRenderer(&lineRenderer{layout: l, depth: depth}),
		tablewriter.WithConfig(tablewriter.Config{Header: cells, Row: cells, Behavior: tw.Behavior{TrimSpace: tw.Off}}),
	)
	header, rows := l.cells(table)
	t.Header(header)
	err := t.Bulk(rows)
	if err == nil {
		err = t.Render()
	}
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("lay out a table: %w", err)
	}
}

// lineRenderer has tablewriter find the widths of columns, and writes the rows
// itself, as lines of the layout: the renderer of tablewriter takes twice the time
// for tables of many thousand rows, and leaves blanks and resets of colours at the
// ends of lines.
type lineRenderer struct {
	layout *textLayout
	depth  int
	line   strings.Builder
}

// Header implements tw.Renderer.
func (r *lineRenderer) Header(headers [][]string, ctx tw.Formatting) {
	for _, header := range headers {
		r.write(header, ctx.Row.Widths)
	}
}

// Row implements tw.Renderer.
func (r *lineRenderer) Row(row []string, ctx tw.Formatting) { r.write(row, ctx.Row.Widths) }

func (r *lineRenderer) write(cells []string, widths tw.Mapper[int, int]) {
	r.line.Reset()
	for i, cell := range cells {
		r.line.WriteString(cell)
		if i+1 < len(cells) {
			for range widths.Get(i) - widthOf(cell) {
				r.line.WriteByte(' ')
			}
		}
	}
	r.layout.line(r.depth, r.line.String())
}

// widthOf is what tablewriter takes for the width of a cell.
func widthOf(cell string) int {
	for i := range len(cell) {
		if cell[i] < ' ' || cell[i] > '~' {
			return twwidth.Width(cell)
		}
	}
	return len(cell)
}

// Start implements tw.Renderer.
func (*lineRenderer) Start(io.Writer) error { return nil }

// Footer implements tw.Renderer; there are no footers.
func (*lineRenderer) Footer([][]string, tw.Formatting) {}

// Line implements tw.Renderer; there are no lines.
func (*lineRenderer) Line(tw.Formatting) {}

// Config implements tw.Renderer.
func (*lineRenderer) Config() tw.Rendition {
	return tw.Rendition{Borders: tw.BorderNone, Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone}}
}

// Close implements tw.Renderer.
func (*lineRenderer) Close() error { return nil }

// Logger implements tw.Renderer; there is nothing to log.
func (*lineRenderer) Logger(*ll.Logger) {}

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
