package echo

import "strings"

// peer returns the first URI in the last element of x-forwarded-client-cert.
// Sidecars append: elements before the last one were reported by others.
func peer(values []string) string {
	if len(values) == 0 {
		return ""
	}
	elements := splitUnquoted(values[len(values)-1], ',')
	for _, pair := range splitUnquoted(elements[len(elements)-1], ';') {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.EqualFold(key, "URI") {
			return unquote(value)
		}
	}
	return ""
}

// splitUnquoted splits at separators outside of double quotes.
func splitUnquoted(s string, separator byte) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return strings.ReplaceAll(s[1:len(s)-1], `\"`, `"`)
}
