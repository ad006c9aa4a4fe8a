package limits

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxHeader is the maximum length of a header's name or value in bytes.
const maxHeader = 16384

// headerValueProblem returns why Istio or Envoy rejects a header's value, "" if
// both accept it. In a value, %NAME% and %NAME(arguments)% are variables of the
// proxy, and %% is a percent sign.
func headerValueProblem(value string) string {
	const advice = "; write %% for a percent sign"
	switch {
	case strings.ContainsFunc(value, func(r rune) bool { return (r < ' ' && r != '\t') || r == '\x7f' }):
		return "contains control characters"
	case len(value) > maxHeader:
		return fmt.Sprintf("longer than %d bytes", maxHeader)
	}
	rest := value
	for {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			return ""
		}
		var escaped bool
		if rest, escaped = strings.CutPrefix(after, "%"); escaped {
			continue
		}
		command, complete := parseCommand(after)
		if !complete {
			return "the percent sign starts no variable of the proxy" + advice
		}
		if problem := commandProblem(command.name, command.arguments, command.length); problem != "" {
			return "%" + command.text + "% " + problem + advice
		}
		rest = after[len(command.text)+1:]
	}
}

// command is a variable in the value of a header. text is all of it without the
// percent signs; arguments and length are nil if it has none.
type command struct {
	text, name        string
	arguments, length *string
}

// parseCommand reads the command at the start of a text, behind its first percent
// sign; false if there is none that ends in a percent sign.
func parseCommand(text string) (command, bool) {
	end := strings.IndexAny(text, "%(:")
	if end < 0 {
		return command{}, false
	}
	found, rest := command{name: text[:end]}, text[end:]
	switch rest[0] {
	case '(':
		inner, complete := argumentsAt(rest[1:])
		if !complete {
			return command{}, false
		}
		found.arguments, rest = &inner, rest[len(inner)+2:]
	case ':':
		inner, _, _ := strings.Cut(rest[1:], "%")
		if _, err := strconv.ParseUint(inner, 10, 64); err != nil {
			return command{}, false
		}
		found.length, rest = &inner, rest[len(inner)+1:]
	}
	found.text = text[:len(text)-len(rest)]
	return found, strings.HasPrefix(rest, "%")
}

// argumentsAt returns the arguments at the start of a text, up to a closing
// parenthesis. They are plain text or a list of strings.
func argumentsAt(text string) (string, bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++ // an escaped character does not terminate the string
		case ')':
			// Envoy knows no escaped characters.
			return text[:i], areArguments(strings.TrimLeft(text[:i], " ")) && !strings.Contains(text[:i], ")%")
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
