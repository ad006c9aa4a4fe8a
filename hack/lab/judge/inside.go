package judge

import (
	"net/url"
	"regexp/syntax"
	"slices"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"

	"github.com/meshctl/meshctl/hack/lab/client"
)

// variant is a request near the border of something, with a name for what it is
// near to.
type variant struct {
	name    string
	request client.Request
}

// satisfy changes a request so that it matches, as close to the border as it
// gets. It reports whether that was possible.
func (m *Match) satisfy(r client.Request) (client.Request, bool) {
	r = cloned(r)
	if m == nil {
		return r, true
	}
	if m.URI != nil {
		r.Path = textFor(*m.URI)
	}
	if m.Method != "" {
		r.Method = m.Method
	}
	for _, h := range m.Headers {
		name := strings.ToLower(h.Name)
		switch {
		case strings.HasPrefix(name, ":"):
			return r, m.matches(r)
		case h.InvertMatch:
			delete(r.Headers, name)
		case h.Value == "":
			r.Headers[name] = "present"
		case h.Regex:
			r.Headers[name] = sample(h.Value)
		default:
			r.Headers[name] = h.Value
		}
	}
	query := url.Values{}
	for _, q := range m.QueryParameters {
		value := q.Value
		if q.Regex {
			value = sample(q.Value)
		}
		query.Set(q.Name, value)
	}
	if len(query) > 0 {
		path, _ := split(r.Path)
		r.Path = path + "?" + query.Encode()
	}
	return r, m.matches(r)
}

// miss returns requests that match in all but one respect.
func (m *Match) miss(r client.Request) []variant {
	inside, possible := m.satisfy(r)
	if m == nil || !possible {
		return nil
	}
	var result []variant
	add := func(name string, change func(*client.Request)) {
		other := cloned(inside)
		change(&other)
		if !m.matches(other) {
			result = append(result, variant{name, other})
		}
	}
	if m.URI != nil {
		add("uri", func(r *client.Request) {
			path, _ := split(r.Path)
			r.Path = strings.Replace(r.Path, path, textBeside(*m.URI), 1)
		})
	}
	if m.Method != "" {
		add("method", func(r *client.Request) { r.Method = otherThan(m.Method) })
	}
	for _, h := range m.Headers {
		name := strings.ToLower(h.Name)
		switch {
		case h.InvertMatch && h.Value != "" && !h.Regex:
			add("header", func(r *client.Request) { r.Headers[name] = h.Value })
		case h.InvertMatch:
			add("header", func(r *client.Request) { r.Headers[name] = sample(h.Value) })
		case h.Value == "":
			add("header", func(r *client.Request) { delete(r.Headers, name) })
		default:
			add("header", func(r *client.Request) { r.Headers[name] += "!" })
			add("header", func(r *client.Request) { delete(r.Headers, name) })
		}
	}
	if len(m.QueryParameters) > 0 {
		add("query", func(r *client.Request) { r.Path, _, _ = strings.Cut(r.Path, "?") })
	}
	return result
}

func otherThan(method string) string {
	if method == "GET" {
		return "PUT"
	}
	return "GET"
}

// textFor returns a path that matches.
func textFor(m core.StringMatch) string {
	switch {
	case m.Exact != nil:
		return *m.Exact
	case m.Prefix != nil:
		return *m.Prefix + "x"
	case m.Suffix != nil:
		return "/a" + *m.Suffix
	case m.Regex != nil:
		return sample(*m.Regex)
	default:
		return "/"
	}
}

// textBeside returns a path that just does not match.
func textBeside(m core.StringMatch) string {
	switch {
	case m.Exact != nil:
		return *m.Exact + "x"
	case m.Prefix != nil && len(*m.Prefix) > 1:
		return (*m.Prefix)[:len(*m.Prefix)-1]
	case m.Suffix != nil && len(*m.Suffix) > 1:
		return "/a" + (*m.Suffix)[:len(*m.Suffix)-1]
	default:
		return "/zz"
	}
}

// satisfyCondition changes a request so that it is let in.
func (c Condition) satisfy(r client.Request) client.Request {
	r = cloned(r)
	if path, _ := split(r.Path); len(c.Paths) > 0 && !slices.ContainsFunc(c.Paths, func(p string) bool { return matchesPath(p, path) }) {
		r.Path = pathFor(c.Paths[0])
	}
	if len(c.Methods) > 0 && !slices.ContainsFunc(c.Methods, func(p string) bool { return matchesPattern(p, r.Method) }) {
		r.Method = strings.ReplaceAll(c.Methods[0], "*", "GET")
	}
	return r
}

// miss returns requests that are outside of one field of the condition.
func (c Condition) miss(r client.Request) []variant {
	inside := c.satisfy(r)
	var result []variant
	if len(c.Paths) > 0 {
		for _, path := range []string{pathBeside(c.Paths[0]), "/zz"} {
			if !slices.ContainsFunc(c.Paths, func(p string) bool { return matchesPath(p, path) }) {
				other := cloned(inside)
				other.Path = path
				result = append(result, variant{"path", other})
				break
			}
		}
	}
	for _, method := range []string{"DELETE", "POST"} {
		if len(c.Methods) > 0 && !slices.ContainsFunc(c.Methods, func(p string) bool { return matchesPattern(p, method) }) {
			other := cloned(inside)
			other.Method = method
			result = append(result, variant{"method", other})
			break
		}
	}
	return result
}

func pathFor(pattern string) string {
	pattern = strings.NewReplacer("{**}", "a/b", "{*}", "a").Replace(pattern)
	switch {
	case strings.HasPrefix(pattern, "*"):
		return "/a" + pattern[1:]
	case strings.HasSuffix(pattern, "*"):
		return pattern[:len(pattern)-1] + "x"
	default:
		return pattern
	}
}

func pathBeside(pattern string) string {
	switch {
	case strings.HasPrefix(pattern, "*"):
		return "/a" + pattern[1:] + "x"
	case strings.HasSuffix(pattern, "*") && len(pattern) > 3:
		return pattern[:len(pattern)-2]
	default:
		return pattern + "x"
	}
}

func cloned(r client.Request) client.Request {
	headers := map[string]string{}
	for name, value := range r.Headers {
		headers[name] = value
	}
	r.Headers = headers
	return r
}

// sample returns a short text that a regular expression matches as a whole, ""
// if it cannot be read.
func sample(pattern string) string {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	return sampleOf(parsed)
}

func sampleOf(r *syntax.Regexp) string {
	switch r.Op { //nolint:exhaustive // the others match nothing or the empty text
	case syntax.OpLiteral:
		return string(r.Rune)
	case syntax.OpCharClass:
		if len(r.Rune) > 0 {
			return string(r.Rune[len(r.Rune)-2]) // letters are later than digits, and less surprising
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpCapture, syntax.OpPlus:
		return sampleOf(r.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(sampleOf(r.Sub[0]), r.Min)
	case syntax.OpAlternate:
		return sampleOf(r.Sub[0])
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range r.Sub {
			b.WriteString(sampleOf(sub))
		}
		return b.String()
	}
	return ""
}
