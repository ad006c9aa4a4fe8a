package wizard

import (
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

func (t *trafficPolicy) askMatchers() error {
	if len(t.in.Matchers) == 0 {
		chosen, err := pick(t.flow, Question{
			Text: "Which requests does the policy match?",
			Help: "You can match requests by path, method, headers and query parameters.",
		}, []choice[scope]{
			{scopeAll, "Every request", ""},
			{scopeSome, "Selected requests", "by path, method, header or query parameter"},
		}, scopeAll)
		if err != nil || chosen == scopeAll {
			return err
		}
	}
	matchers, err := editList(t.flow, "request matchers", t.in.Matchers, Option{Label: "Every request"}, matcherOf, t.oneMatcher)
	if err == nil {
		t.in.Matchers = matchers
	}
	return err
}

func (t *trafficPolicy) matchersText() string {
	if len(t.in.Matchers) == 0 {
		return "every request"
	}
	return listText(t.in.Matchers, matcherOf)
}

// oneMatcher asks for requests that have everything that is chosen.
func (t *trafficPolicy) oneMatcher() ([]core.HTTPMatcher, error) {
	m := core.HTTPMatcher{}
	err := t.settings(Question{
		Text: "Match requests by:", AtLeastOne: true,
		Help: "A request must match everything you select (AND). You can add alternatives afterwards (OR).",
	}, []setting{
		{
			label: "Path", about: "of the request's URL",
			now: func() string { return "" },
			ask: func() error {
				uri, err := t.stringMatch("path", core.StringMatch{})
				m.URI = &uri
				return err
			},
			clear: func() {},
		},
		{
			label: "Method", about: "such as GET",
			now: func() string { return "" },
			ask: func() error {
				chosen, err := pick(t.flow, Question{Text: "Which method?", Help: "The HTTP method of the request."}, methodChoices(), "GET")
				m.Method = chosen
				return err
			},
			clear: func() {},
		},
		{
			label: "Header", about: "present, or with a value",
			now: func() string { return "" },
			ask: func() (err error) {
				m.Headers, err = editList(t.flow, "headers", nil, Option{}, headerText, t.oneHeader)
				return err
			},
			clear: func() {},
		},
		{
			label: "Query parameter", about: "of the request's URL",
			now: func() string { return "" },
			ask: func() (err error) {
				m.QueryParameters, err = editList(t.flow, "query parameters", nil, Option{}, parameterText, t.oneParameter)
				return err
			},
			clear: func() {},
		},
		plainText(t.flow, "Name", "a descriptive name for these requests", "Name for these requests:", checkRequired, &m.Name),
	})
	return []core.HTTPMatcher{m}, err
}

// comparison is how a header is compared.
type comparison string

const (
	isPresent comparison = "present"
	isEqual   comparison = "equal"
	isRegex   comparison = "regex"
)

func (t *trafficPolicy) oneHeader() ([]core.HeaderMatcher, error) {
	name, err := t.Input(Question{Text: "Name of the header:", Help: "Header names are case-insensitive."}, "", checkHeaderName)
	if err != nil {
		return nil, err
	}
	h := core.HeaderMatcher{Name: name}
	if h.Value, h.Regex, err = t.compare("header", true); err != nil {
		return nil, err
	}
	h.InvertMatch, err = t.Confirm(Question{Text: "Invert the match?", Help: "Yes matches requests WITHOUT this header value."}, false)
	return []core.HeaderMatcher{h}, err
}

func (t *trafficPolicy) oneParameter() ([]core.QueryParameterMatcher, error) {
	name, err := t.Input(Question{Text: "Name of the query parameter:", Help: "In ?user=jason the name is user."}, "", checkRequired)
	if err != nil {
		return nil, err
	}
	q := core.QueryParameterMatcher{Name: name}
	q.Value, q.Regex, err = t.compare("query parameter", false)
	return []core.QueryParameterMatcher{q}, err
}

// compare asks what value something has.
func (t *trafficPolicy) compare(what string, presence bool) (value string, regex bool, err error) {
	var choices []choice[comparison]
	if presence {
		choices = append(choices, choice[comparison]{isPresent, "Present", "with any value"})
	}
	choices = append(choices,
		choice[comparison]{isEqual, "Exact value", "exactly"},
		choice[comparison]{isRegex, "Regular expression", "RE2, for the whole value"})
	way, err := pick(t.flow, Question{Text: "How do you want to match the " + what + "?", Help: "How to compare the value."}, choices, isEqual)
	if err != nil || way == isPresent {
		return "", false, err
	}
	check := checkRequired
	if way == isRegex {
		check = checkRequiredRegex
	}
	value, err = t.Input(Question{Text: "Value of the " + what + ":", Help: "The text to compare with."}, "", check)
	return value, way == isRegex, err
}

func methodChoices() []choice[string] {
	var choices []choice[string]
	for _, m := range httpMethods() {
		choices = append(choices, choice[string]{value: m, label: m})
	}
	return choices
}

func headerText(h core.HeaderMatcher) string {
	text := "header " + compareText(h.Name, h.Value, h.Regex)
	if h.InvertMatch {
		return "not " + text
	}
	return text
}

func parameterText(q core.QueryParameterMatcher) string {
	return "query " + compareText(q.Name, q.Value, q.Regex)
}

func compareText(name, value string, regex bool) string {
	switch {
	case value == "":
		return name
	case regex:
		return name + "~" + value
	default:
		return name + "=" + value
	}
}

// matcherOf describes a matcher in a line.
func matcherOf(m core.HTTPMatcher) string {
	var parts []string
	if m.Method != "" {
		parts = append(parts, m.Method)
	}
	for _, uri := range []core.StringMatch{valueOf(m.URI), {Exact: m.Exact}, {Prefix: m.Prefix}, {Regex: m.Regex}} {
		if text := stringMatchText(uri); text != "" {
			parts = append(parts, "path "+text)
		}
	}
	for _, h := range m.Headers {
		parts = append(parts, headerText(h))
	}
	for _, q := range m.QueryParameters {
		parts = append(parts, parameterText(q))
	}
	if len(parts) == 0 {
		return "every request"
	}
	return strings.Join(parts, ", ")
}
