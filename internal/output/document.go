package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/output/view"
)

// documents writes documents in machine-readable formats. Complete is that of
// the Printer.
type documents struct {
	out      io.Writer
	complete func(text string) string
}

// write writes a document.
func (w documents) write(format Format, document any) error {
	out := w.out
	switch d := document.(type) {
	case view.List:
		if format == FormatJSON {
			return w.jsonList(d)
		}
		return w.yamlList(d)
	case view.Manifests:
		if format == FormatJSON {
			return documents{out: out}.jsonList(view.List{APIVersion: "v1", Kind: "List", Items: objectsOf(d)})
		}
		return writeManifests(out, d)
	case view.Encoded:
		encode := d.JSON
		if format == FormatYAML {
			encode = d.YAML
		}
		text, err := encode()
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	}
	if format == FormatYAML {
		return w.yaml(document)
	}
	text, err := newEncoder("", w.complete).encode(document)
	if err == nil {
		_, err = out.Write(append(text, '\n'))
	}
	return err
}

// encoder encodes values as JSON with an indentation of two blanks.
type encoder struct {
	buffer   bytes.Buffer
	encoder  *json.Encoder
	complete func(text string) string
}

// newEncoder returns an encoder that prefixes all lines but the first with
// indent, and completes suggested commands.
func newEncoder(indent string, complete func(text string) string) *encoder {
	e := &encoder{complete: complete}
	e.encoder = json.NewEncoder(&e.buffer)
	e.encoder.SetEscapeHTML(false) // the output is not for browsers
	e.encoder.SetIndent(indent, indentation)
	return e
}

// encode returns the encoded value; it is valid until the next call.
func (e *encoder) encode(value any) ([]byte, error) {
	e.buffer.Reset()
	if err := e.encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode the answer as JSON: %w", err)
	}
	return escapeInvisible(completeCommands(bytes.TrimRight(e.buffer.Bytes(), "\n"), e.complete)), nil
}

// escapeInvisible escapes invisible characters from U+007F on, which JSON allows
// within strings: terminals obey some of them, and YAML does not accept all.
func escapeInvisible(text []byte) []byte {
	first := 0
	for first < len(text) && text[first] < 0x7f { // fast path for the common case
		first++
	}
	next := bytes.IndexFunc(text[first:], isInvisible)
	if next < 0 {
		return text
	}
	first += next
	escaped := append(make([]byte, 0, len(text)+utf8.UTFMax), text[:first]...)
	for _, r := range string(text[first:]) {
		if isInvisible(r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		} else {
			escaped = utf8.AppendRune(escaped, r)
		}
	}
	return escaped
}

// isInvisible excludes characters above U+FFFF, which need two escapes that YAML
// does not support.
func isInvisible(r rune) bool { return r >= 0x7f && r <= 0xffff && !unicode.IsPrint(r) }

// marshalYAML encodes a value as YAML by way of JSON, so that JSON tags apply.
func marshalYAML(value any, complete func(text string) string) ([]byte, error) {
	text, err := json.Marshal(value)
	if err == nil {
		text, err = yaml.JSONToYAML(escapeInvisible(completeCommands(text, complete)))
	}
	if err != nil {
		return nil, fmt.Errorf("encode the answer as YAML: %w", err)
	}
	return text, nil
}

func (w documents) yaml(value any) error {
	text, err := marshalYAML(value, w.complete)
	if err == nil {
		_, err = w.out.Write(text)
	}
	return err
}

// yamlList writes a list item by item, with keys in alphabetical order as
// usual for Kubernetes tools.
func (w documents) yamlList(l view.List) error {
	fields := maps.Clone(l.More)
	if fields == nil {
		fields = map[string]any{}
	}
	fields["apiVersion"], fields["kind"], fields["items"] = l.APIVersion, l.Kind, nil
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var err error
		if name == "items" {
			err = w.yamlItems(l)
		} else {
			err = w.yaml(map[string]any{name: fields[name]})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w documents) yamlItems(l view.List) error {
	head := "items:\n"
	for item, err := range l.Items {
		if err == nil {
			_, err = io.WriteString(w.out, head)
		}
		if err == nil {
			err = w.yaml([]any{item})
		}
		if err != nil {
			return err
		}
		head = ""
	}
	if head != "" {
		_, err := io.WriteString(w.out, "items: []\n")
		return err
	}
	return nil
}
