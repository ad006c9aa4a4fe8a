package output

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/ll"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
)

// columnGap is the number of blanks between columns.
const columnGap = 3

// Table implements view.Layout: rows under a header as in kubectl, without
// borders and trailing blanks.
func (l *textLayout) Table(depth int, table view.Table) {
	if l.err != nil || len(table.Columns) == 0 {
		return
	}
	table.Rows = l.completedRows(table.Rows)
	g := newGrid(&table, l.wide)
	if l.width > 0 {
		g.fit(max(l.width-depth*len(indentation), 1))
	}
	if err := l.rows(depth, g); err != nil && l.err == nil {
		l.err = fmt.Errorf("lay out a table: %w", err)
	}
	l.notes(depth, g)
}

// completedRows completes the commands in cells, before anything is measured.
// Rows without any are not copied.
func (l *textLayout) completedRows(rows [][]string) [][]string {
	if l.complete == nil {
		return rows
	}
	copied := false
	for i, row := range rows {
		if !slices.ContainsFunc(row, func(cell string) bool { return strings.Contains(cell, "meshctl ") }) {
			continue
		}
		if !copied {
			rows, copied = slices.Clone(rows), true
		}
		rows[i] = make([]string, len(row))
		for k, cell := range row {
			rows[i][k] = l.complete(cell)
		}
	}
	return rows
}

// passedRows is how many rows are passed to tablewriter. It allocates 5 KB for
// each, 300 MB and half a second for the objects of a large world, although the
// widths no longer change.
const passedRows = 1000

// rows streams the rows through tablewriter, which would otherwise keep all of
// them. Rows beyond passedRows are written directly.
func (l *textLayout) rows(depth int, g *grid) error {
	config := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
	}
	renderer := &lineRenderer{layout: l, grid: g, depth: depth}
	unlimited := tw.NewMapper[int, int]()
	for i := range g.shown {
		unlimited.Set(i, 0)
	}
	t := tablewriter.NewTable(io.Discard,
		tablewriter.WithRenderer(renderer),
		tablewriter.WithConfig(tablewriter.Config{
			Header: config, Row: config, Behavior: tw.Behavior{TrimSpace: tw.Off}, Stream: tw.StreamConfig{Enable: true},
		}),
	).Configure(func(config *tablewriter.Config) { config.Widths.PerColumn = unlimited }) // WithConfig ignores zero values
	if err := t.Start(); err != nil {
		return err
	}
	t.Header(g.header())
	var cells []string
	for i := range g.table.Rows {
		if l.err != nil {
			return l.err
		}
		if i >= passedRows {
			cells = g.row(cells[:0], i)
			for line := range linesOf(cells) {
				renderer.Row(line, tw.Formatting{})
			}
			continue
		}
		for line := range linesOf(g.row(nil, i)) {
			if err := t.Append(line); err != nil {
				return err
			}
		}
	}
	return t.Close()
}

// notes writes below a table what it does not show: shared reasons, notes about
// columns, and hidden columns.
func (l *textLayout) notes(depth int, g *grid) {
	for _, note := range g.reasons.notes(g.table.Noun) {
		for _, line := range l.fold(depth, 0, note, len("(1) ")) {
			l.line(depth, line)
		}
	}
	for _, i := range g.shown {
		if note := g.table.Columns[i].Note; note != "" {
			for _, line := range l.fold(depth, 0, l.completed(note), continued) {
				l.line(depth, l.paint(view.Faint, line))
			}
		}
	}
	if hidden := g.hidden(); len(hidden) > 0 {
		note := fmt.Sprintf("%s hidden (%s); use -o wide or a wider terminal", text.Count(len(hidden), "column"), strings.Join(hidden, ", "))
		for _, line := range l.fold(depth, 0, note, continued) {
			l.line(depth, l.paint(view.Faint, line))
		}
	}
}

// lineRenderer writes tablewriter's rows as lines of the layout, because
// tablewriter's own renderers leave trailing blanks and colour resets.
type lineRenderer struct {
	layout *textLayout
	grid   *grid
	depth  int
	line   []byte
}

// Header implements tw.Renderer.
func (r *lineRenderer) Header(headers [][]string, _ tw.Formatting) {
	for _, header := range headers {
		r.write(header, false)
	}
}

// Row implements tw.Renderer.
func (r *lineRenderer) Row(row []string, _ tw.Formatting) { r.write(row, true) }

func (r *lineRenderer) write(cells []string, painted bool) {
	r.line = r.line[:0]
	for i, cell := range cells {
		column := r.grid.shown[i]
		shown := cell
		if painted {
			shown = r.layout.paintCell(&r.grid.table.Columns[column], cell)
		}
		r.line = append(r.line, shown...)
		if i+1 < len(cells) {
			for range r.grid.widths[column] + columnGap - text.Width(cell) {
				r.line = append(r.line, ' ')
			}
		}
	}
	r.layout.bytes(r.depth, r.line)
}

// paintCell colours the first word of a cell if the column has tones.
func (l *textLayout) paintCell(column *view.Column, cell string) string {
	if column.Tone == nil || !l.color || cell == "" {
		return cell
	}
	word, rest, more := strings.Cut(cell, " ")
	painted := l.paint(column.Tone(word), word)
	if more {
		painted += " " + rest
	}
	return painted
}

// Start implements tw.Renderer.
func (*lineRenderer) Start(io.Writer) error { return nil }

// Footer implements tw.Renderer; there are no footers.
func (*lineRenderer) Footer([][]string, tw.Formatting) {}

// Line implements tw.Renderer; there are no lines.
func (*lineRenderer) Line(tw.Formatting) {}

// Config implements tw.Renderer.
func (*lineRenderer) Config() tw.Rendition {
	return tw.Rendition{Streaming: true, Borders: tw.BorderNone, Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone}}
}

// Close implements tw.Renderer.
func (*lineRenderer) Close() error { return nil }

// Logger implements tw.Renderer; there is nothing to log.
func (*lineRenderer) Logger(*ll.Logger) {}
