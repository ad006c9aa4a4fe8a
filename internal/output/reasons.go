package output

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
)

// reasons are the distinct texts of the reason column of a table.
type reasons struct {
	// column is the position of the column; -1 if there is none.
	column int
	// moved is true if the reasons are below the table and the column has their
	// numbers.
	moved bool
	// texts are in the order of their first rows; counts are the numbers of rows
	// with each.
	texts   []string
	counts  []int
	numbers map[string]int
	rows    int
}

// repeatedRows is the number of rows with the same reason from which it is
// written once below the table.
const repeatedRows = 3

func newReasons(table *view.Table) *reasons {
	r := &reasons{rows: len(table.Rows)}
	r.column = slices.IndexFunc(table.Columns, func(c view.Column) bool { return c.Content == view.Reason })
	if r.column < 0 {
		return r
	}
	r.numbers = map[string]int{}
	for _, row := range table.Rows {
		if r.column >= len(row) || !isReason(row[r.column]) {
			continue
		}
		reason := row[r.column]
		number, known := r.numbers[reason]
		if !known {
			r.texts, r.counts = append(r.texts, reason), append(r.counts, 0)
			number = len(r.texts)
			r.numbers[reason] = number
		}
		r.counts[number-1]++
	}
	return r
}

func isReason(cell string) bool { return cell != "" && cell != view.None && cell != view.Unknown }

// repeated reports whether enough rows share a reason.
func (r *reasons) repeated() bool {
	return slices.ContainsFunc(r.counts, func(n int) bool { return n >= repeatedRows })
}

// canMove reports whether the table has reasons that could be moved below it.
func (r *reasons) canMove() bool { return len(r.texts) > 0 && !r.moved }

// shared reports whether all rows have the same reason.
func (r *reasons) shared() bool { return len(r.counts) == 1 && r.counts[0] == r.rows }

// mark returns the number that replaces a reason in the table.
func (r *reasons) mark(cell string) string {
	if number, known := r.numbers[cell]; known {
		return fmt.Sprintf("(%d)", number)
	}
	return cell
}

// notes returns the lines below the table, escaped.
func (r *reasons) notes(noun string) []string {
	if !r.moved {
		return nil
	}
	notes := make([]string, 0, len(r.texts))
	for i, reason := range r.texts {
		note := text.Count(r.counts[i], cmp.Or(noun, "row")) + ": " + text.Printable(reason)
		if !r.shared() {
			note = fmt.Sprintf("(%d) %s", i+1, note)
		}
		notes = append(notes, note)
	}
	return notes
}
