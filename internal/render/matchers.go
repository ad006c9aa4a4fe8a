package render

import (
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// readMatcher reads the terms that select requests; `all` is every request.
func readMatcher(p piece, names Names) (core.HTTPMatcher, error) {
	collected, err := exclusive(p, names, everyRequest, matcherKeys())
	if err != nil {
		return core.HTTPMatcher{}, err
	}
	return collected.finish()
}

// everyRequest is how a matcher without conditions is written.
const everyRequest = "all"

func matcherKeys() []termKey[matcherTerms] {
	type terms = matcherTerms
	return []termKey[terms]{
		{key: "name", value: "TEXT", set: func(m *terms, t term, _ Names) error {
			m.Name = t.text()
			return checkPrintable(t.value, "the name")
		}},
		{key: "exact", value: "PATH", set: func(m *terms, t term, _ Names) error { return m.setURI(t, &core.StringMatch{Exact: pointer(t.text())}) }},
		{key: "prefix", value: "PATH", set: func(m *terms, t term, _ Names) error {
			return m.setURI(t, &core.StringMatch{Prefix: pointer(t.text())})
		}},
		{key: "suffix", value: "PATH", set: func(m *terms, t term, _ Names) error {
			return m.setURI(t, &core.StringMatch{Suffix: pointer(t.text())})
		}},
		{key: "regex", value: "REGEX", set: func(m *terms, t term, _ Names) error {
			if err := checkRegex(t.value); err != nil {
				return err
			}
			return m.setURI(t, &core.StringMatch{Regex: pointer(t.text())})
		}},
		{key: "ignore-case", set: func(m *terms, t term, _ Names) error {
			m.ignoreCase = t.key
			return nil
		}},
		{key: "method", value: "METHOD", set: func(m *terms, t term, _ Names) error {
			m.Method = t.text()
			return checkToken(t.value, "method")
		}},
		{key: "header", argument: "NAME", value: "VALUE", optional: true, regex: true, set: func(m *terms, t term, _ Names) error {
			return m.addHeader(t, false)
		}},
		{key: "!header", argument: "NAME", value: "VALUE", optional: true, regex: true, set: func(m *terms, t term, _ Names) error {
			return m.addHeader(t, true)
		}},
		{key: "query", argument: "NAME", value: "VALUE", optional: true, regex: true, set: func(m *terms, t term, _ Names) error {
			return m.addParameter(t)
		}},
	}
}

// matcherTerms collects the terms of an HTTP matcher.
type matcherTerms struct {
	core.HTTPMatcher
	ignoreCase piece
}

func (m *matcherTerms) setURI(t term, uri *core.StringMatch) error {
	if m.URI != nil {
		return t.key.errorf("exact, prefix, suffix and regex cannot be combined; use a second --match for an alternative")
	}
	m.URI = uri
	return checkPrintable(t.value, "the path")
}

// addHeader adds a condition on a header; a matcher holds one per header and
// polarity (D10).
func (m *matcherTerms) addHeader(t term, invert bool) error {
	if err := checkToken(t.argument, "header name"); err != nil {
		return err
	}
	for _, h := range m.Headers {
		if h.InvertMatch == invert && strings.EqualFold(h.Name, t.argument.text) {
			return t.argument.errorf("there is a condition on header %s already; use a second --match for an alternative", h.Name)
		}
	}
	header := core.HeaderMatcher{Name: t.argument.text, Value: t.text(), Regex: t.operator == '~', InvertMatch: invert}
	m.Headers = append(m.Headers, header)
	return checkComparison(t)
}

func (m *matcherTerms) addParameter(t term) error {
	if err := checkPrintable(t.argument, "the name of the query parameter"); err != nil {
		return err
	}
	m.QueryParameters = append(m.QueryParameters, core.QueryParameterMatcher{
		Name: t.argument.text, Value: t.text(), Regex: t.operator == '~',
	})
	return checkComparison(t)
}

// checkComparison checks what a header or parameter is compared with.
func checkComparison(t term) error {
	switch {
	case t.operator == '~':
		return checkRegex(t.value)
	case t.text() == "":
		return nil // only its presence is asked for
	default:
		return checkPrintable(t.value, "the value")
	}
}

func (m *matcherTerms) finish() (core.HTTPMatcher, error) {
	if m.ignoreCase.source == "" {
		return m.HTTPMatcher, nil
	}
	if m.URI == nil || (m.URI.Exact == nil && m.URI.Prefix == nil) {
		return m.HTTPMatcher, m.ignoreCase.errorf("ignore-case applies to exact= and prefix= only") // D10
	}
	m.URI.IgnoreCase = true
	return m.HTTPMatcher, nil
}

func writeHTTPMatcher(m core.HTTPMatcher) string {
	var w termWriter
	w.optional("name", m.Name)
	if m.URI != nil {
		how, text := stringMatchParts(*m.URI)
		if how != "" {
			w.pair(how, text)
		}
		if m.URI.IgnoreCase {
			w.bare("ignore-case")
		}
	}
	w.optional("method", m.Method)
	for _, h := range m.Headers {
		key := "header"
		if h.InvertMatch {
			key = "!header"
		}
		writeComparison(&w, key, h.Name, h.Value, h.Regex)
	}
	for _, q := range m.QueryParameters {
		writeComparison(&w, "query", q.Name, q.Value, q.Regex)
	}
	if w.String() == "" {
		return everyRequest
	}
	return w.String()
}

func writeComparison(w *termWriter, key, name, value string, regex bool) {
	switch {
	case regex:
		w.add(key, name, "~", value)
	case value != "":
		w.add(key, name, "=", value)
	default:
		w.add(key, name, "", "")
	}
}

// checkToken accepts a token of HTTP: a header name or a method.
func checkToken(p piece, what string) error {
	if p.text == "" {
		return p.errorf("the %s is missing", what)
	}
	for i, r := range p.text {
		isLetter := (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9')
		if !isLetter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) {
			return p.errorAt(i, "a %s has no %q", what, r)
		}
	}
	return nil
}

// addHeader adds a header to a map; names of headers ignore case.
func addHeader(headers map[string]string, name, value piece) error {
	for known := range headers {
		if strings.EqualFold(known, name.text) {
			return name.errorf("header %s is given twice", name.text)
		}
	}
	headers[name.text] = value.text
	return nil
}

// readHeader reads NAME=VALUE.
func readHeader(p piece) (name, value piece, err error) {
	name, value, found := p.cut("=")
	if !found {
		return name, value, p.errorAt(len(p.text), "a value is missing; write NAME=VALUE")
	}
	return name, value, checkHeader(name, value)
}

func checkHeader(name, value piece) error {
	if err := checkToken(name, "header name"); err != nil {
		return err
	}
	if value.text == "" {
		return nil
	}
	return checkPrintable(value, "the value of a header")
}

// readHeaderName reads the name of a header.
func readHeaderName(p piece, _ Names) (string, error) { return p.text, checkToken(p, "header name") }
