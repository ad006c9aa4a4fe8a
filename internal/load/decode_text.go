package load

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v2"
	kjson "sigs.k8s.io/json"
)

// syntaxError reports text that is neither valid YAML nor valid JSON.
type syntaxError struct {
	// line counts from 1 within the text; 0 if unknown.
	line          int
	message, hint string
}

// parser parses text into plain values. It interns strings, so every goroutine needs its own
// parser.
type parser struct {
	strings map[string]string
}

func newParser() *parser { return &parser{strings: map[string]string{}} }

// parse reads one value: JSON, or YAML 1.1 with the rules of kubectl. Mappings become
// map[string]any, sequences []any, and numbers int64 or float64. A duplicate key is an error.
func (p *parser) parse(text []byte, notation form) (any, *syntaxError) {
	if notation == formJSON {
		value, jsonErr := p.parseJSON(text)
		if jsonErr == nil {
			return value, nil
		}
		// Text in braces may also be a YAML flow mapping.
		if value, err := p.parseYAML(text); err == nil {
			return value, nil
		}
		return nil, jsonErr
	}
	return p.parseYAML(text)
}

func (p *parser) parseJSON(text []byte) (any, *syntaxError) {
	var value any
	strict, err := kjson.UnmarshalStrict(text, &value)
	if err != nil {
		e := &syntaxError{message: "not valid JSON: " + err.Error()}
		if found, offset := kjson.SyntaxErrorOffset(err); found {
			e.line = 1 + bytes.Count(text[:min(max(int(offset)-1, 0), len(text))], []byte{'\n'})
		}
		return nil, e
	}
	if len(strict) > 0 {
		return nil, &syntaxError{message: "not valid JSON: " + errors.Join(strict...).Error(), hint: hintDuplicateKey}
	}
	return p.share(value), nil
}

func (p *parser) parseYAML(text []byte) (any, *syntaxError) {
	raw, err := unmarshalYAML(text)
	if err != nil {
		return nil, explainYAML(err, text)
	}
	value, err := p.plain(raw)
	if err != nil {
		return nil, &syntaxError{message: "not valid YAML: " + err.Error()}
	}
	return value, nil
}

// unmarshalYAML rejects duplicate keys, but allows keys that override merged ones ("<<:"). The
// library does not distinguish the two.
func unmarshalYAML(text []byte) (raw any, err error) {
	err = yaml.UnmarshalStrict(text, &raw)
	var typeErr *yaml.TypeError
	if !errors.As(err, &typeErr) || !bytes.Contains(text, []byte("<<:")) {
		return raw, err
	}
	var unmerged any
	if err := yaml.UnmarshalStrict(bytes.ReplaceAll(text, []byte("<<:"), []byte("<~:")), &unmerged); err != nil {
		return nil, err
	}
	raw = nil
	err = yaml.Unmarshal(text, &raw)
	return raw, err
}

// plain converts a value of the YAML library into its JSON equivalent, by the rules of
// sigs.k8s.io/yaml.
func (p *parser) plain(raw any) (any, error) {
	switch v := raw.(type) {
	case map[any]any:
		m := make(map[string]any, len(v))
		for rawKey, rawValue := range v {
			key, err := plainKey(rawKey)
			if err != nil {
				return nil, err
			}
			if _, taken := m[key]; taken {
				return nil, fmt.Errorf("duplicate key %q", key)
			}
			value, err := p.plain(rawValue)
			if err != nil {
				return nil, err
			}
			m[p.intern(key)] = value
		}
		return m, nil
	case []any:
		for i := range v {
			value, err := p.plain(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = value
		}
		return v, nil
	case string:
		return p.intern(v), nil
	case int:
		return int64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is not a valid JSON number", v)
		}
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int64(v), nil
		}
		return v, nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	default:
		return v, nil // nil, bool, int64
	}
}

func plainKey(raw any) (string, error) {
	switch k := raw.(type) {
	case string:
		return k, nil
	case int:
		return strconv.Itoa(k), nil
	case int64:
		return strconv.FormatInt(k, 10), nil
	case uint64:
		return strconv.FormatUint(k, 10), nil
	case float64:
		return strconv.FormatFloat(k, 'g', -1, 32), nil
	case bool:
		return strconv.FormatBool(k), nil
	default:
		return "", fmt.Errorf("%v is not a valid JSON key", raw)
	}
}

// share normalises values of the JSON library as plain does for those of the YAML library.
func (p *parser) share(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = p.share(inner)
		}
	case []any:
		for i := range v {
			v[i] = p.share(v[i])
		}
	case string:
		return p.intern(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int64(v)
		}
	}
	return value
}

// Limits of interning. Longer strings rarely repeat, and unique names must not fill the
// memory. When the table is full it is cleared; frequent strings soon return to it.
const (
	maxSharedLength = 64
	maxShared       = 1 << 12
)

// intern returns s, as one shared copy for equal strings. It replaces invalid UTF-8, as
// encoding to JSON would.
func (p *parser) intern(s string) string {
	if len(s) > maxSharedLength {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	if known, ok := p.strings[s]; ok {
		return known
	}
	if !utf8.ValidString(s) {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	if len(p.strings) >= maxShared {
		clear(p.strings)
	}
	p.strings[s] = s
	return s
}

const (
	hintDuplicateKey = "remove one of the two"
	hintTabs         = "indent with spaces, not with tabs"
	hintTemplate     = "this looks like a template; render it first"
)

// explainYAML turns an error of the YAML library into one with a line, a plain message and a
// hint.
func explainYAML(err error, text []byte) *syntaxError {
	e := &syntaxError{message: strings.TrimPrefix(err.Error(), "yaml: ")}
	var typeErr *yaml.TypeError
	if errors.As(err, &typeErr) && len(typeErr.Errors) > 0 {
		// When decoding into any, the only possible type error is a duplicate key.
		e.line, e.message = cutLine(typeErr.Errors[0])
		e.message = "duplicate " + strings.TrimSuffix(e.message, " already set in map")
		e.hint = hintDuplicateKey
	} else {
		e.line, e.message = cutLine(e.message)
		switch {
		case isGrammarError(e.message):
			e.line++ // the library counts these lines from 0, and omits line 0
		case strings.HasPrefix(e.message, "invalid map key"):
			e.message = "a mapping or sequence cannot be a key"
		case e.line == 0:
			e.line = findLine(e.message, text)
		}
	}
	e.line = min(e.line, 1+bytes.Count(bytes.TrimRight(text, " \t\r\n"), []byte{'\n'}))
	switch {
	case e.hint != "":
	case bytes.Contains(text, []byte("{{")):
		e.hint = hintTemplate
	case strings.Contains(e.message, "cannot start any token") && bytes.Contains(lineOf(text, e.line), []byte{'\t'}):
		e.hint = hintTabs
	}
	e.message = "not valid YAML: " + e.message
	return e
}

// cutLine splits a leading "line 3: " off a message.
func cutLine(message string) (int, string) {
	rest, found := strings.CutPrefix(message, "line ")
	if !found {
		return 0, message
	}
	number, rest, found := strings.Cut(rest, ": ")
	line, err := strconv.Atoi(number)
	if !found || err != nil {
		return 0, message
	}
	return line, rest
}

// isGrammarError reports whether a message comes from the library's parser rather than its
// scanner: the two count lines differently.
func isGrammarError(message string) bool {
	expected, found := strings.CutPrefix(message, "did not find expected ")
	if found {
		return slices.Contains([]string{
			"key", "',' or ']'", "',' or '}'", "node content", "'-' indicator", "<document start>", "<stream-start>",
		}, expected)
	}
	return message == "found undefined tag handle" || message == "found duplicate %TAG directive"
}

// findLine searches the text for the cause of an error without a position. It returns 0 if it
// finds none.
func findLine(message string, text []byte) int {
	at := -1
	switch {
	case strings.HasPrefix(message, "unknown anchor '"):
		name, _, _ := strings.Cut(strings.TrimPrefix(message, "unknown anchor '"), "'")
		at = bytes.Index(text, []byte("*"+name))
	case strings.Contains(message, "UTF-8") || strings.Contains(message, "control characters"):
		at = bytes.IndexFunc(text, func(r rune) bool {
			return r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f
		})
	case slices.ContainsFunc([]string{"found ", "could not ", "did not ", "mapping ", "block "}, func(start string) bool {
		return strings.HasPrefix(message, start)
	}):
		return 1 // the library omits the line number for line 1
	}
	if at < 0 {
		return 0
	}
	return 1 + bytes.Count(text[:at], []byte{'\n'})
}

func lineOf(text []byte, line int) []byte {
	for range line - 1 {
		_, rest, found := bytes.Cut(text, []byte{'\n'})
		if !found {
			return nil
		}
		text = rest
	}
	first, _, _ := bytes.Cut(text, []byte{'\n'})
	return first
}
