package judge

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"

	"github.com/meshctl/meshctl/hack/lab/client"
)

// split returns the path of a request target, as proxies compare it, and its
// query.
func split(target string) (path string, query url.Values) {
	path, text, _ := strings.Cut(target, "?")
	query, err := url.ParseQuery(text)
	if err != nil {
		return path, nil
	}
	return path, query
}

// takes reports whether a request on a port belongs to the route.
func (r Route) takes(request client.Request) bool {
	if len(r.Ports) > 0 && !slices.Contains(r.Ports, request.Port) {
		return false
	}
	return r.Match.matches(request)
}

func (m *Match) matches(request client.Request) bool {
	if m == nil {
		return true
	}
	path, query := split(request.Path)
	if m.URI != nil && !matchesText(*m.URI, path) {
		return false
	}
	if m.Method != "" && m.Method != request.Method {
		return false
	}
	for _, h := range m.Headers {
		if matchesHeader(h, request) == h.InvertMatch {
			return false
		}
	}
	for _, q := range m.QueryParameters {
		values, present := query[q.Name]
		switch {
		case !present:
			return false
		case q.Value == "":
		case q.Regex && !fullMatch(q.Value, values[0]), !q.Regex && q.Value != values[0]:
			return false
		}
	}
	return true
}

// matchesHeader leaves out the inversion. An inverted condition on a header that
// is absent holds.
func matchesHeader(h core.HeaderMatcher, request client.Request) bool {
	value, present := request.Headers[strings.ToLower(h.Name)]
	switch strings.ToLower(h.Name) {
	case ":method":
		value, present = request.Method, true
	case ":path":
		value, present = request.Path, true
	}
	switch {
	case !present:
		return false
	case h.Value == "":
		return true
	case h.Regex:
		return fullMatch(h.Value, value)
	default:
		return h.Value == value
	}
}

func matchesText(m core.StringMatch, text string) bool {
	fold := func(s string) string {
		if m.IgnoreCase {
			return strings.ToLower(s)
		}
		return s
	}
	switch {
	case m.Exact != nil:
		return fold(text) == fold(*m.Exact)
	case m.Prefix != nil:
		return strings.HasPrefix(fold(text), fold(*m.Prefix))
	case m.Suffix != nil:
		return strings.HasSuffix(text, *m.Suffix)
	case m.Regex != nil:
		return fullMatch(*m.Regex, text)
	default:
		return true
	}
}

func fullMatch(pattern, text string) bool {
	compiled, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	return err == nil && compiled.MatchString(text)
}

// decided says whether a condition holds for a request.
type decided int

const (
	no decided = iota
	yes
	// opaque means that it depends on what the comparison does not control.
	opaque
)

// holds decides a condition for a request, as Istio's rules do: fields of HTTP
// never hold for what is not HTTP. The port is that of the Service; a number
// that is no port of the Service stands for a port of its pods.
func (c Condition) holds(request client.Request, s *service, port servicePort) decided {
	if len(c.Paths)+len(c.Methods) > 0 && request.Protocol == client.TCP {
		return no
	}
	path, _ := split(request.Path)
	if len(c.Paths) > 0 && !slices.ContainsFunc(c.Paths, func(pattern string) bool { return matchesPath(pattern, path) }) {
		return no
	}
	if len(c.Methods) > 0 && !slices.ContainsFunc(c.Methods, func(pattern string) bool { return matchesPattern(pattern, request.Method) }) {
		return no
	}
	if len(c.Ports) > 0 && !slices.ContainsFunc(c.Ports, func(number uint16) bool { return names(number, s, port) }) {
		return no
	}
	if len(c.RequestPrincipals) > 0 { // no request of the comparison carries a token
		return no
	}
	if len(c.ForwardedIPs)+len(c.NotForwardedIPs) > 0 {
		return opaque
	}
	return yes
}

// names reports whether a number of a condition means the port of a Service.
func names(number uint16, s *service, port servicePort) bool {
	if _, isPort := s.port(number); isPort {
		return number == port.number
	}
	return slices.ContainsFunc(s.backends, func(w *workload) bool { return w.container(port) == number })
}

// matchesPattern compares as Istio's rules do: a star at one end stands for
// anything, alone for anything but nothing.
func matchesPattern(pattern, text string) bool {
	switch {
	case pattern == "*":
		return text != ""
	case strings.HasPrefix(pattern, "*"):
		return strings.HasSuffix(text, pattern[1:])
	case strings.HasSuffix(pattern, "*"):
		return strings.HasPrefix(text, pattern[:len(pattern)-1])
	default:
		return pattern == text
	}
}

// matchesPath knows templates, too: {*} is a segment, {**} any number of them.
func matchesPath(pattern, path string) bool {
	if !strings.Contains(pattern, "{*") {
		return matchesPattern(pattern, path)
	}
	expression := regexp.QuoteMeta(pattern)
	expression = strings.ReplaceAll(expression, regexp.QuoteMeta("{**}"), ".*")
	expression = strings.ReplaceAll(expression, regexp.QuoteMeta("{*}"), "[^/]+")
	return fullMatch(expression, path)
}
