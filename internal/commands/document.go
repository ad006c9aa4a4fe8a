package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"sigs.k8s.io/yaml"
)

// The formats of documents for programs.
const (
	formatJSON = "json"
	formatYAML = "yaml"
)

// printDocument prints a value as JSON or YAML.
func printDocument(out io.Writer, format string, value any) error {
	if format == formatJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(value)
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the answer as YAML: %w", err)
	}
	_, err = out.Write(text)
	return err
}

// writeColumns writes rows in the manner of kubectl.
func writeColumns(out io.Writer, rows [][]string) error {
	const columnGap = 3
	w := tabwriter.NewWriter(out, 0, 0, columnGap, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}
