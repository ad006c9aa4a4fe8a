package describe

import (
	"fmt"
	"io"
)

// Format is an output format of the -o flag.
type Format string

// The formats. FormatWide adds columns to FormatTable.
const (
	FormatTable Format = "table"
	FormatWide  Format = "wide"
	FormatJSON  Format = "json"
	FormatYAML  Format = "yaml"
	FormatName  Format = "name"
)

// Formats returns all formats in the order that help shows them.
func Formats() []string {
	return []string{string(FormatTable), string(FormatWide), string(FormatJSON), string(FormatYAML), string(FormatName)}
}

// View is what describe can print: a list whose JSON form is documented.
type View interface {
	enveloped
	// names returns one TYPE/NAME per item.
	names() []string
	// writeTable writes the form for people.
	writeTable(w *textWriter, wide bool)
}

// Print writes a view in the given format; the facts are the same in each.
func Print(out io.Writer, view View, format Format, style Style) error {
	switch format {
	case FormatJSON:
		return view.envelope().writeJSON(out)
	case FormatYAML:
		return view.envelope().writeYAML(out)
	case FormatName:
		for _, name := range view.names() {
			if _, err := fmt.Fprintln(out, name); err != nil {
				return err
			}
		}
		return nil
	case FormatTable, FormatWide:
		w := &textWriter{out: out, style: style}
		view.writeTable(w, format == FormatWide)
		return w.err
	default:
		return fmt.Errorf("unknown output format %q", format)
	}
}
