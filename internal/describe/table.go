package describe

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// textWriter writes text for people and remembers the first error, so that
// views need not check every line.
type textWriter struct {
	out    io.Writer
	style  Style
	indent string
	err    error
}

// linef writes one indented line without trailing blanks.
func (w *textWriter) linef(format string, args ...any) {
	if w.err == nil {
		line := strings.TrimRight(w.indent+fmt.Sprintf(format, args...), " ")
		_, w.err = io.WriteString(w.out, line+"\n")
	}
}

// nested writes what body writes, indented one level deeper.
func (w *textWriter) nested(body func()) {
	outer := w.indent
	w.indent += "  "
	body()
	w.indent = outer
}

// fields writes aligned `Key: value` lines; a value of several lines continues
// below itself.
func (w *textWriter) fields(pairs [][2]string) {
	width := 0
	for _, p := range pairs {
		width = max(width, len(p[0])+len(":  "))
	}
	for _, p := range pairs {
		key := p[0] + ":"
		for line := range strings.SplitSeq(p[1], "\n") {
			w.linef("%-*s%s", width, key, line)
			key = ""
		}
	}
}

// table writes rows under a header in the manner of kubectl: no borders,
// columns three blanks apart, no trailing blanks.
func (w *textWriter) table(header []string, rows [][]string) {
	if w.err != nil {
		return
	}
	var buffer bytes.Buffer
	columns := tw.CellPadding{Global: tw.Padding{Right: "   ", Overwrite: true}}
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
		Padding:    columns,
	}
	t := tablewriter.NewTable(&buffer,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: cells, Row: cells, Behavior: tw.Behavior{TrimSpace: tw.Off}}),
	)
	t.Header(header)
	if err := t.Bulk(rows); err != nil {
		w.err = fmt.Errorf("lay out a table: %w", err)
		return
	}
	if err := t.Render(); err != nil {
		w.err = fmt.Errorf("lay out a table: %w", err)
		return
	}
	for line := range strings.Lines(buffer.String()) {
		w.linef("%s", strings.TrimRight(line, " \n"))
	}
}

// none stands for an empty section or value, as in kubectl describe.
const none = "<none>"

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}
