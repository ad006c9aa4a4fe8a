package limits

import (
	"encoding/json"
	"strings"
)

// headerValueProblem returns why proxies reject a header's value, "" if they
// accept it. In a value, %NAME% and %NAME(arguments)% are variables of the proxy,
// and %% is a percent sign.
func headerValueProblem(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return (r < ' ' && r != '\t') || r == '\x7f' }) {
		return "contains control characters"
	}
	rest := value
	for {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			return ""
		}
		var complete bool
		if rest, complete = afterVariable(after); !complete {
			return "a % that does not start a variable must be written as %%"
		}
	}
}

// afterVariable returns the text after a variable or an escaped percent sign,
// whose first percent sign is already cut off; false if it is not terminated.
func afterVariable(text string) (string, bool) {
	if rest, escaped := strings.CutPrefix(text, "%"); escaped {
		return rest, true
	}
	end := strings.IndexAny(text, "%(")
	if end < 0 {
		return "", false
	}
	rest := text[end:]
	if rest[0] == '(' {
		var complete bool
		if rest, complete = afterArguments(rest[1:]); !complete {
			return "", false
		}
		rest = strings.TrimLeft(rest, " ")
	}
	return strings.CutPrefix(rest, "%")
}

// afterArguments returns the text after the arguments of a variable, which are
// plain text or a list of strings up to a closing parenthesis.
func afterArguments(text string) (string, bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++ // an escaped character does not terminate the string
		case ')':
			return text[i+1:], areArguments(strings.TrimLeft(text[:i], " "))
		}
	}
	return "", false
}

func areArguments(text string) bool {
	if strings.HasPrefix(text, "[") {
		var list []string
		return json.Unmarshal([]byte(text), &list) == nil && len(list) > 0
	}
	return text != "" && !strings.Contains(text, `"`)
}
