// Package operation knows which paths and methods a request can have, for the
// operations of access policies (D54).
package operation

import (
	"slices"
	"strings"
)

// NeverHasPath returns why no request has a path that an AccessPolicy allows, ""
// if one can. Istio compares paths as a whole, without their query; `*` is a
// wildcard only alone, first or last.
func NeverHasPath(path string) string {
	if path == "" || path == "*" {
		return ""
	}
	literal, suffix := strings.CutPrefix(path, "*")
	if !suffix {
		literal = strings.TrimSuffix(path, "*")
	}
	switch {
	case !suffix && !strings.HasPrefix(path, "/"):
		return "paths start with /"
	case strings.ContainsAny(literal, `\^[]|`) || strings.Contains(literal, ".*") || strings.Contains(literal, ".+"):
		return "regular expressions have no meaning here"
	case strings.Contains(withoutTemplates(literal), "*"):
		return "* is a wildcard only at one end"
	default:
		return NeverInPath(literal)
	}
}

// NeverInPath returns why no path contains a text, "" if one can.
func NeverInPath(text string) string {
	switch {
	case strings.ContainsAny(text, "?#"):
		return "the path of a request does not include the query"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "paths contain only printable ASCII characters, and encode all others"
	default:
		return ""
	}
}

// withoutTemplates removes the placeholders of path templates, which contain
// asterisks.
func withoutTemplates(path string) string {
	return strings.NewReplacer("{**}", "", "{*}", "").Replace(path)
}

// NeverHasMethod returns why no request has a method that an AccessPolicy allows
// or a TrafficPolicy matches, "" if one can. Methods are compared with case.
func NeverHasMethod(method string) string {
	literal, suffix := strings.CutPrefix(method, "*")
	if !suffix {
		literal = strings.TrimSuffix(method, "*")
	}
	switch {
	case strings.Contains(literal, "*"):
		return "* is a wildcard only at one end"
	case strings.ContainsFunc(literal, func(r rune) bool { return r >= 'a' && r <= 'z' }) && isWord(strings.ToUpper(literal)):
		return "methods are upper case"
	case !isWord(literal):
		return "it is not an HTTP method"
	default:
		return ""
	}
}

func isWord(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' })
}

// AllowsPost reports whether an allowed method, perhaps with a wildcard, includes
// POST, the method of all gRPC requests.
func AllowsPost(method string) bool {
	const post = "POST"
	if suffix, is := strings.CutPrefix(method, "*"); is {
		return strings.HasSuffix(post, suffix)
	}
	if prefix, is := strings.CutSuffix(method, "*"); is {
		return strings.HasPrefix(post, prefix)
	}
	return method == post
}

// Possible returns the paths and methods of an operation that a request can have;
// false if there is no such request, although the operation names some. Ports of
// gRPC only have no methods but POST.
func Possible(paths, methods []string, onlyGRPC bool) (possiblePaths, possibleMethods []string, possible bool) {
	for _, path := range paths {
		if NeverHasPath(path) == "" {
			possiblePaths = append(possiblePaths, path)
		}
	}
	possibleMethods = slices.DeleteFunc(slices.Clone(methods), func(method string) bool {
		return NeverHasMethod(method) != "" || onlyGRPC && !AllowsPost(method)
	})
	return possiblePaths, possibleMethods, (len(possiblePaths) > 0 || len(paths) == 0) && (len(possibleMethods) > 0 || len(methods) == 0)
}
