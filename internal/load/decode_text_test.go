package load

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseValues(t *testing.T) {
	tests := []struct {
		name, text string
		form       form
		want       any
	}{
		{name: "nothing", text: "# only this\n"},
		{
			name: "the scalars of YAML 1.1, as kubectl reads them",
			text: "[yes, off, 010, 0x10, 1_000, 1e3, 1.0, 0.5, 1:30, 2001-02-03, ~, '5', 18446744073709551615, !!binary aGk=]",
			want: []any{
				true, false, int64(8), int64(16), int64(1000), int64(1000), int64(1), 0.5, "1:30", "2001-02-03", nil, "5",
				float64(1 << 64), "hi",
			},
		},
		{
			name: "keys become text", text: "{1: a, 1.5: b, true: c, d: e}",
			want: map[string]any{"1": "a", "1.5": "b", "true": "c", "d": "e"},
		},
		{
			name: "anchors and merged mappings", text: "a: &a {c: 1, d: 2}\nb: {<<: *a, d: 3}\n",
			want: map[string]any{
				"a": map[string]any{"c": int64(1), "d": int64(2)},
				"b": map[string]any{"c": int64(1), "d": int64(3)},
			},
		},
		{
			name: "line ends of Windows", text: "a: |\r\n  x\r\n  y\r\nb: c\r\n",
			want: map[string]any{"a": "x\ny\n", "b": "c"},
		},
		{
			name: "JSON", text: `{"a": [1, 1.0, 1.5, 1e3, "x", null, true]}`, form: formJSON,
			want: map[string]any{"a": []any{int64(1), int64(1), 1.5, int64(1000), "x", nil, true}},
		},
		{
			name: "a flow mapping that looks like JSON", text: "{a: [true, ], 'b': null}", form: formJSON,
			want: map[string]any{"a": []any{true}, "b": nil},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newParser().parse([]byte(tt.text), tt.form)
			if err != nil {
				t.Fatal(err.message)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, text string
		form       form
		want       syntaxError
	}{
		{name: "a colon too many", text: "a: b\nc: d: e\nf: g\n", want: syntaxError{line: 2, message: "not valid YAML: mapping values are not allowed in this context"}},
		{name: "on the first line", text: "a: b: c\n", want: syntaxError{line: 1, message: "not valid YAML: mapping values are not allowed in this context"}},
		{name: "a tab", text: "a:\n\tb: c\n", want: syntaxError{line: 2, message: "not valid YAML: found character that cannot start any token", hint: hintTabs}},
		{name: "a reserved character", text: "a: b\n\nc: @d\n", want: syntaxError{line: 3, message: "not valid YAML: found character that cannot start any token"}},
		{name: "an open quote", text: "a: \"b\nc: d\n", want: syntaxError{line: 2, message: "not valid YAML: found unexpected end of stream"}},
		{name: "an open bracket", text: "a: b\nc: [1, 2\nd: e\n", want: syntaxError{line: 3, message: "not valid YAML: did not find expected ',' or ']'"}},
		{name: "indentation that does not fit", text: "a:\n  b: c\n d: e\n", want: syntaxError{line: 3, message: "not valid YAML: did not find expected key"}},
		{name: "indentation on the second line", text: "- a\nb: c\n", want: syntaxError{line: 2, message: "not valid YAML: did not find expected '-' indicator"}},
		{name: "a key given twice", text: "a:\n  b: 1\n  c: 2\n  b: 3\n", want: syntaxError{line: 4, message: `not valid YAML: duplicate key "b"`, hint: hintDuplicateKey}},
		{name: "a key given twice besides a merged mapping", text: "a: &a {c: 1}\nb:\n  <<: *a\n  c: 2\n  c: 3\n", want: syntaxError{line: 5, message: `not valid YAML: duplicate key "c"`, hint: hintDuplicateKey}},
		{name: "a key given twice in two notations", text: "{1: a, '1': b}", want: syntaxError{message: `not valid YAML: duplicate key "1"`}},
		{name: "an unknown anchor", text: "a: b\nc: *d\n", want: syntaxError{line: 2, message: "not valid YAML: unknown anchor 'd' referenced"}},
		{name: "bytes that are no text", text: "a: b\nc: \xff\n", want: syntaxError{line: 2, message: "not valid YAML: invalid leading UTF-8 octet"}},
		{name: "control characters", text: "a: b\nc: d\ne: \x01\n", want: syntaxError{line: 3, message: "not valid YAML: control characters are not allowed"}},
		{name: "no number", text: "a: .nan\n", want: syntaxError{message: "not valid YAML: NaN is not a valid JSON number"}},
		{name: "a template", text: "a: {{ .Values.mesh }}\nb: {{- x }}\n", want: syntaxError{line: 2, message: "not valid YAML: did not find expected node content", hint: hintTemplate}},
		{name: "JSON with a comma too many", text: "{\n\"a\": 1,\n\"b\" 2}", form: formJSON, want: syntaxError{line: 3, message: "not valid JSON: invalid character '2' after object key"}},
		{name: "JSON with a key given twice", text: `{"a": {"b": 1, "b": 2}}`, form: formJSON, want: syntaxError{message: `not valid JSON: duplicate field "a.b"`, hint: hintDuplicateKey}},
		{name: "JSON that ends too early", text: "{\"a\":\n[1, 2", form: formJSON, want: syntaxError{line: 2, message: "not valid JSON: unexpected end of JSON input"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, err := newParser().parse([]byte(tt.text), tt.form)
			if err == nil {
				t.Fatalf("got %v, want an error", value)
			}
			if diff := cmp.Diff(tt.want, *err, cmp.AllowUnexported(syntaxError{})); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}
