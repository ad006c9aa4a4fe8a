package describe

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
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
	// names returns one TYPE/NAME per item.
	names() []string
	// writeTable writes the form for people.
	writeTable(w *textWriter, wide bool)
}

// Style says how text for people may look.
type Style struct {
	// Color allows ANSI colours.
	Color bool
}

// Print writes a view in the given format; the facts are the same in each.
func Print(out io.Writer, view View, format Format, style Style) error {
	switch format {
	case FormatJSON:
		return printJSON(out, view)
	case FormatYAML:
		text, err := yaml.Marshal(view)
		if err != nil {
			return fmt.Errorf("encode the answer as YAML: %w", err)
		}
		_, err = out.Write(text)
		return err
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

func printJSON(out io.Writer, view View) error {
	encoder := json.NewEncoder(out)
	// The answer is read by people and jq, not by browsers.
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(view); err != nil {
		return fmt.Errorf("encode the answer as JSON: %w", err)
	}
	return nil
}
