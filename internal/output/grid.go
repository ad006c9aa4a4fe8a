package output

import (
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
)

// grid is the visible form of a table: its columns, their widths, and how cells
// are shortened. Slices are indexed by the column's position in the table, except
// shown.
type grid struct {
	table *view.Table
	wide  bool
	// shown are the positions of the visible columns, in order.
	shown []int
	// limits are the maximum widths of cells; 0 means unlimited.
	limits []int
	// widths are those of the widest cells.
	widths  []int
	reasons *reasons
}

// The minimum widths for shortening cells: of prose and lists before a column is
// hidden, and of any column if none can be hidden any more.
const (
	readableWidth = 24
	leastWidth    = 8
)

func newGrid(table *view.Table, wide bool) *grid {
	g := &grid{table: table, wide: wide, limits: make([]int, len(table.Columns)), widths: make([]int, len(table.Columns)), reasons: newReasons(table)}
	for i := range table.Columns {
		if wide || !table.Columns[i].Wide {
			g.shown = append(g.shown, i)
		}
	}
	if !wide && g.reasons.repeated() {
		g.moveReasons()
	}
	g.measure()
	return g
}

// measure sets the widths of the visible columns.
func (g *grid) measure() {
	for _, i := range g.shown {
		g.widths[i] = text.Width(g.title(i))
	}
	for _, row := range g.table.Rows {
		for _, i := range g.shown {
			if i < len(row) {
				for line := range strings.SplitSeq(g.cell(i, row[i]), "\n") {
					g.widths[i] = max(g.widths[i], text.Width(line))
				}
			}
		}
	}
}

// fit fits the table into the width of the terminal if possible: it moves reasons
// below the table, shortens prose and lists, hides the least important columns,
// and shortens the rest.
func (g *grid) fit(room int) {
	if g.wide || g.total(g.widths) <= room {
		return
	}
	if g.reasons.canMove() {
		g.moveReasons()
		g.measure()
	}
	readable := func(i int) int {
		if g.table.Columns[i].Content == view.Exact || g.table.Columns[i].Content == view.Reason {
			return g.widths[i]
		}
		return max(readableWidth, text.Width(g.table.Columns[i].Name))
	}
	for !g.shrink(room, readable) {
		if !g.leaveOut() {
			g.squeeze(room)
			break
		}
	}
	whole := slices.Clone(g.widths)
	g.measure()
	g.relax(room, whole)
}

// names reports whether a column belongs to the leading ones that say what a row is
// about: exact texts that are always shown. They are cut last.
func (g *grid) names(column int) bool {
	for i := range g.table.Columns[:column+1] {
		if c := &g.table.Columns[i]; c.Content != view.Exact || c.Priority > 0 || c.Tone != nil {
			return false
		}
	}
	return true
}

// squeeze fits a table that is too wide without the columns that may be hidden: it
// shortens what is no name, hides more if that makes room for the names, and shortens
// these only if they do not fit by themselves.
func (g *grid) squeeze(room int) {
	keepNames := func(i int) int {
		if g.names(i) {
			return g.widths[i]
		}
		return leastWidth
	}
	if g.shrink(room, keepNames) {
		return
	}
	var exacts []int
	for _, exact := range []bool{false, true} {
		exacts = slices.Clone(g.shown)
		for k := len(g.shown) - 1; k >= 0; k-- {
			if i := g.shown[k]; g.names(i) || (g.table.Columns[i].Content == view.Exact) != exact {
				continue
			}
			g.shown = slices.Delete(g.shown, k, k+1)
			if g.shrink(room, keepNames) {
				return
			}
		}
	}
	g.shown = exacts // to hide states and numbers is in vain
	g.shrink(room, keepNames, func(int) int { return leastWidth })
}

// relax distributes unused room to shortened cells, because lists and prose are
// cut at an item or a word, before their limits.
func (g *grid) relax(room int, whole []int) {
	left := room - g.total(g.widths)
	for _, i := range g.shown {
		if g.limits[i] == 0 || g.table.Columns[i].Content == view.ItemList || left <= 0 {
			continue
		}
		g.limits[i] = min(whole[i], g.widths[i]+left)
		left -= g.limits[i] - g.widths[i]
	}
	g.measure()
}

// shrink sets limits so that the table fits the room, but no column becomes
// narrower than its least width, or the next one if that is not enough; it reports
// whether the table fits.
func (g *grid) shrink(room int, limits ...func(column int) int) bool {
	widths := slices.Clone(g.widths)
	for i := range widths {
		widths[i] = min(widths[i], room)
	}
	for _, least := range limits {
		for excess := g.total(widths) - room; excess > 0; excess-- {
			widest := -1
			for _, i := range g.shown {
				if widths[i] > least(i) && (widest < 0 || widths[i] > widths[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				break
			}
			widths[widest]--
		}
	}
	for _, i := range g.shown {
		if g.limits[i] = widths[i]; widths[i] == g.widths[i] {
			g.limits[i] = 0
		}
	}
	return g.total(widths) <= room
}

// leaveOut hides the least important column, the last one of several; it reports
// whether there was one. Columns in which nothing is known come first.
func (g *grid) leaveOut() bool {
	least, highest := -1, 0
	for k, i := range g.shown {
		p := g.table.Columns[i].Priority
		if p > 0 && g.unknown(i) {
			p = math.MaxInt
		}
		if p > 0 && p >= highest {
			least, highest = k, p
		}
	}
	if least < 0 {
		return false
	}
	g.shown = slices.Delete(g.shown, least, least+1)
	return true
}

// unknown reports whether all cells of a column say that the value is not known.
func (g *grid) unknown(column int) bool {
	return !slices.ContainsFunc(g.table.Rows, func(row []string) bool { return column >= len(row) || row[column] != view.Unknown })
}

// total returns the width of the table.
func (g *grid) total(widths []int) int {
	total := columnGap * (len(g.shown) - 1)
	for _, i := range g.shown {
		total += widths[i]
	}
	return total
}

// hidden returns the names of the hidden columns.
func (g *grid) hidden() []string {
	var names []string
	for i, column := range g.table.Columns {
		if !slices.Contains(g.shown, i) && !column.Wide && !(i == g.reasons.column && g.reasons.moved) {
			names = append(names, column.Name)
		}
	}
	return names
}

// moveReasons moves the reasons below the table and puts their numbers into the
// column, which is hidden if all rows share one reason.
func (g *grid) moveReasons() {
	g.reasons.moved = true
	if g.reasons.shared() {
		g.shown = slices.DeleteFunc(g.shown, func(i int) bool { return i == g.reasons.column })
	}
}

func (g *grid) header() []string {
	header := make([]string, 0, len(g.shown))
	for _, i := range g.shown {
		header = append(header, g.title(i))
	}
	return header
}

// row returns the visible cells of a row. Wrapped ones have line ends.
func (g *grid) row(cells []string, n int) []string {
	row := g.table.Rows[n]
	for _, i := range g.shown {
		cell := ""
		if i < len(row) {
			cell = g.cell(i, row[i])
		}
		cells = append(cells, cell)
	}
	return cells
}

// linesOf yields the lines of a row with wrapped cells. A row without any is yielded
// as it is: most rows are such, and tables can have very many.
func linesOf(cells []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		if !slices.ContainsFunc(cells, func(cell string) bool { return strings.Contains(cell, "\n") }) {
			yield(cells)
			return
		}
		for _, line := range splitCells(cells) {
			if !yield(line) {
				return
			}
		}
	}
}

func splitCells(cells []string) [][]string {
	var lines [][]string
	for i, cell := range cells {
		for k, line := range strings.Split(cell, "\n") {
			if k == len(lines) {
				lines = append(lines, make([]string, len(cells)))
			}
			lines[k][i] = line
		}
	}
	return lines
}

// wrap breaks lines between words, and words that are longer than a line.
func wrap(safe string, width int) string {
	var lines []string
	for line := range strings.SplitSeq(text.Wrap(safe, width, ""), "\n") {
		for text.Width(line) > width {
			end := 0
			for k := range line {
				if k > 0 && text.Width(line[:k]) > width {
					break
				}
				end = k
			}
			if end == 0 {
				break // a character that is wider than the line
			}
			lines, line = append(lines, line[:end]), line[end:]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (g *grid) title(i int) string { return g.shorten(i, g.table.Columns[i].Name) }

// cell returns the visible part of a cell, escaped.
func (g *grid) cell(i int, cell string) string {
	switch column := &g.table.Columns[i]; {
	case column.Content == view.ItemList && strings.Contains(cell, "\n"):
		shown := column.Shown
		if g.wide {
			shown = 0
		}
		items := strings.Split(cell, "\n")
		for k := range items {
			items[k] = text.Printable(items[k])
		}
		return text.Fit(items, shown, g.limits[i])
	case i == g.reasons.column && g.reasons.moved:
		cell = g.reasons.mark(cell)
	}
	return g.shorten(i, text.Printable(cell))
}

func (g *grid) shorten(i int, safe string) string {
	switch limit := g.limits[i]; {
	case limit == 0:
		return safe
	case g.table.Columns[i].Content == view.Wrapped:
		return wrap(safe, limit)
	case g.table.Columns[i].Content == view.Exact:
		return text.Cut(safe, limit)
	default:
		return text.CutWords(safe, limit)
	}
}
