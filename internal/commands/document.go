package commands

import (
	"io"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// printDocument prints a value as JSON or YAML.
func printDocument(out io.Writer, format string, value any) error {
	return output.Write(out, output.Format(format), false, view.View{Document: view.Value(value)})
}

// writeColumns writes rows, of which the first is the header.
func writeColumns(out io.Writer, rows [][]string) error {
	table := view.Table{Columns: view.Columns(rows[0]...), Rows: rows[1:]}
	return output.Write(out, output.FormatTable, false, view.View{Table: view.Rows(table)})
}

// orNone stands for a value that is not known.
func orNone(text string) string { return view.OrNone(text) }
