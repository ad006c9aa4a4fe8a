package limits

import (
	"encoding/json"
	"strings"
)

// flawOfHeaderValue returns why proxies cannot write a header's value, "" if
// they can. In a value %NAME% and %NAME(arguments)% stand for something that
// the proxy fills in, and %% for a percent sign.
func flawOfHeaderValue(value string) string {
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

// afterVariable returns what follows a variable, or an escaped percent sign, of
// which the first percent sign is cut off; false if it does not end.
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

// afterArguments returns what follows the arguments of a variable: a plain text
// or a list of strings, up to a closing parenthesis.
func afterArguments(text string) (string, bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++ // whatever it is, it ends nothing
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
