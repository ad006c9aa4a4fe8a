package describe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// envelope is a list taken apart, so that it can be written item by item: the
// answer about a world of thousands never exists as one text.
type envelope struct {
	apiVersion, kind string
	items            int
	item             func(i int) any
	findings         []Finding
}

// enveloped is a View that is written as JSON and YAML item by item.
type enveloped interface {
	envelope() envelope
}

func (l WorkloadDescriptionList) envelope() envelope {
	return envelope{l.APIVersion, l.Kind, len(l.Items), func(i int) any { return &l.Items[i] }, l.Findings}
}

func (l List[T]) envelope() envelope {
	return envelope{l.APIVersion, l.Kind, len(l.Items), func(i int) any { return l.Items[i] }, l.Findings}
}

func (l StatusList) envelope() envelope {
	return envelope{l.APIVersion, l.Kind, len(l.Items), func(i int) any { return l.Items[i] }, nil}
}

// writeJSON writes the list with two blanks of indentation.
func (e envelope) writeJSON(out io.Writer) error {
	w := &jsonWriter{out: bufio.NewWriterSize(out, 1<<16), known: map[*PolicyEffect]string{}}
	w.text(fmt.Sprintf("{\n  \"apiVersion\": %q,\n  \"kind\": %q,\n  \"items\": [", e.apiVersion, e.kind))
	for i := range e.items {
		if i > 0 {
			w.text(",")
		}
		w.text("\n    ")
		if item, ok := e.item(i).(selfWriting); ok {
			item.writeJSON(w, "    ")
		} else {
			w.value("    ", e.item(i))
		}
	}
	if e.items > 0 {
		w.text("\n  ")
	}
	w.text("]")
	if len(e.findings) > 0 {
		w.text(",\n  \"findings\": ")
		w.value("  ", e.findings)
	}
	w.text("\n}\n")
	if w.err != nil {
		return w.err
	}
	return w.out.Flush()
}

// jsonWriter remembers the first error, so that callers need not check.
type jsonWriter struct {
	out    *bufio.Writer
	buffer bytes.Buffer
	// known are the texts of shared values.
	known map[*PolicyEffect]string
	err   error
}

func (w *jsonWriter) text(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

func (w *jsonWriter) value(indent string, value any) {
	if text := w.encode(indent, value); w.err == nil {
		_, w.err = w.out.Write(text)
	}
}

// encode returns the text of a value, the first line without indentation; it
// is valid until the next call.
func (w *jsonWriter) encode(indent string, value any) []byte {
	w.buffer.Reset()
	encoder := json.NewEncoder(&w.buffer)
	encoder.SetEscapeHTML(false) // the answer is read by people and jq, not by browsers
	encoder.SetIndent(indent, "  ")
	if err := encoder.Encode(value); err != nil && w.err == nil {
		w.err = fmt.Errorf("encode the answer as JSON: %w", err)
	}
	return bytes.TrimRight(w.buffer.Bytes(), "\n")
}

// writeYAML writes the list with its keys in alphabetical order, as for all
// YAML of Kubernetes tools.
func (e envelope) writeYAML(out io.Writer) error {
	parts := []any{map[string]any{"apiVersion": e.apiVersion}}
	if len(e.findings) > 0 {
		parts = append(parts, map[string]any{"findings": e.findings})
	}
	if e.items == 0 {
		parts = append(parts, map[string]any{"items": []any{}})
	}
	for _, part := range parts {
		if err := writeYAMLPart(out, part); err != nil {
			return err
		}
	}
	for i := range e.items {
		if i == 0 {
			if _, err := io.WriteString(out, "items:\n"); err != nil {
				return err
			}
		}
		if err := writeYAMLPart(out, []any{e.item(i)}); err != nil {
			return err
		}
	}
	return writeYAMLPart(out, map[string]any{"kind": e.kind})
}

func writeYAMLPart(out io.Writer, part any) error {
	text, err := yaml.Marshal(part)
	if err != nil {
		return fmt.Errorf("encode the answer as YAML: %w", err)
	}
	_, err = out.Write(text)
	return err
}
