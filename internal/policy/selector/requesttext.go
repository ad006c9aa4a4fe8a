package selector

import (
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Text describes which requests match.
func (m *RequestMatch) Text() string {
	if m == nil {
		return "all requests"
	}
	var parts []string
	if m.Method != "" {
		parts = append(parts, m.Method)
	}
	if m.URI != nil {
		parts = append(parts, uriText(m.URI))
	}
	for _, h := range m.Headers {
		parts = append(parts, conditionText("header", h.Name, h.Value, h.Regex, h.InvertMatch))
	}
	for _, q := range m.QueryParameters {
		parts = append(parts, conditionText("query", q.Name, q.Value, q.Regex, false))
	}
	return strings.Join(parts, " ")
}

func uriText(uri *core.StringMatch) string {
	text := ""
	switch {
	case uri.Exact != nil:
		text = *uri.Exact
	case uri.Prefix != nil:
		text = *uri.Prefix + "*"
	case uri.Suffix != nil:
		text = "*" + *uri.Suffix
	case uri.Regex != nil:
		text = "~" + *uri.Regex
	}
	if uri.IgnoreCase {
		text += " (any case)"
	}
	return text
}

func conditionText(what, name, value string, regex, inverted bool) string {
	operator := "="
	switch {
	case value == "" && inverted:
		return "no " + what + " " + name
	case value == "":
		return what + " " + name
	case regex && inverted:
		operator = "!~"
	case regex:
		operator = "~"
	case inverted:
		operator = "!="
	}
	return what + " " + name + operator + value
}
