// Package output is the only printer of meshctl: it writes the views of
// internal/output/view in the formats of the -o flag. The layouts of tables and
// texts escape text from outside before it reaches a terminal; JSON and YAML
// escape by encoding.
package output

import (
	"fmt"
	"io"
	"iter"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
)

// Format is an output format of the -o flag.
type Format string

// The formats. FormatWide adds columns and longer lists to FormatTable.
const (
	FormatTable Format = "table"
	FormatWide  Format = "wide"
	FormatJSON  Format = "json"
	FormatYAML  Format = "yaml"
	FormatName  Format = "name"
)

// Formats returns all formats in the order in which help shows them.
func Formats() []string {
	return []string{string(FormatTable), string(FormatWide), string(FormatJSON), string(FormatYAML), string(FormatName)}
}

// ForPeople reports whether a format is meant for people rather than programs.
func (f Format) ForPeople() bool { return f == FormatTable || f == FormatWide }

// Print writes a view to standard output; every format has the same facts.
func Print(streams *cli.Streams, format Format, v view.View) error {
	return OnOut(streams).Print(format, v)
}

// Write writes a view to a writer that is not a terminal, optionally with
// colours.
func Write(out io.Writer, format Format, color bool, v view.View) error {
	return Printer{Out: out, Color: color}.Print(format, v)
}

// Printer writes views.
type Printer struct {
	Out   io.Writer
	Color bool
	// Width is the terminal width in columns that tables and texts fit. 0 means
	// no terminal: nothing is shortened, hidden or wrapped.
	Width int
	// Complete adds the flags that name the clusters of this run to the commands
	// that a text suggests, as messages do; nil leaves them unchanged. Manifests
	// are never changed.
	Complete func(text string) string
}

// OnOut returns a printer for standard output.
func OnOut(streams *cli.Streams) Printer {
	return Printer{Out: streams.Out, Color: streams.OutColor(), Width: streams.Width(), Complete: streams.Completed}
}

// OnErr returns a printer for standard error. It is for text that a user must see
// before confirming, while the result goes to standard output.
func OnErr(streams *cli.Streams) Printer {
	return Printer{Out: streams.Err, Color: streams.ErrColor(), Width: streams.ErrWidth(), Complete: streams.Completed}
}

// Print writes a view in a format.
func (p Printer) Print(format Format, v view.View) error {
	switch format {
	case FormatJSON, FormatYAML:
		if v.Document == nil {
			return nil
		}
		document, err := v.Document()
		if err != nil {
			return err
		}
		return documents{p.Out, p.Complete}.write(format, document)
	case FormatName:
		return writeNames(p.Out, v.Names)
	case FormatTable, FormatWide:
		return p.forPeople(format == FormatWide, v)
	default:
		return fmt.Errorf("unknown output format %q", format)
	}
}

func writeNames(out io.Writer, names iter.Seq2[string, error]) error {
	if names == nil {
		return nil
	}
	for name, err := range names {
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, text.Printable(name)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func (p Printer) forPeople(wide bool, v view.View) error {
	layout := &textLayout{out: p.Out, color: p.Color, wide: wide, width: p.Width, complete: p.Complete}
	var err error
	switch {
	case v.Text != nil:
		err = v.Text(view.NewText(layout, wide))
	case v.Table != nil:
		var table view.Table
		if table, err = v.Table(wide); err == nil {
			layout.Table(0, table)
		}
	}
	if layout.err != nil {
		return layout.err
	}
	return err
}
