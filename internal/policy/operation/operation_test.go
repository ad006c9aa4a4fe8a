package operation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy/operation"
)

func TestNeverHasPath(t *testing.T) {
	t.Parallel()
	const (
		slash, pattern, inside = "paths start with /", "regular expressions have no meaning here", "* is a wildcard only at one end"
		query, characters      = "the path of a request does not include the query", "paths contain only printable ASCII characters, and encode all others"
	)
	for path, want := range map[string]string{
		"*": "", "/*": "", "*/": "", "/a": "", "/a*": "", "*.html": "", "/a/{*}/b": "", "/a/{**}": "", "/a.b/c": "", "/a(b);c=d,e": "", "/v1/a%20b": "",
		"": "", // reported separately

		"a": slash, "a*": slash, ".*": slash, "^/a": slash,
		"/a/.*/b": pattern, "/a/[0-9]": pattern, `/a\d`: pattern, "/a|/b": pattern, "/a.+": pattern, "*a.*": pattern,
		"/v1/*/items": inside, "/service/*health": inside, "*a*": inside, "/a**": inside, "/a/{*}/*b": inside,
		"/a?b=1": query, "/a#b": query, "*?b=1": query, "/a b": characters, "/é": characters,
	} {
		if diff := cmp.Diff(want, operation.NeverHasPath(path)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", path, diff)
		}
	}
}

func TestNeverHasMethod(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		"GET": "", "M-SEARCH": "", "VERSION_2": "", "*": "", "P*": "", "*T": "", "": "",
		"get": "methods are upper case", "Post": "methods are upper case", "p*": "methods are upper case",
		"P*T": "* is a wildcard only at one end", "**": "* is a wildcard only at one end",
		"/pkg.Store/Info": "it is not an HTTP method", "GET|PUT": "it is not an HTTP method", "GET,PUT": "it is not an HTTP method",
	} {
		if diff := cmp.Diff(want, operation.NeverHasMethod(method)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", method, diff)
		}
	}
}

func TestAllowsPost(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]bool{
		"POST": true, "*": true, "P*": true, "*T": true, "POST*": true, "GET": false, "PU*": false, "*H": false, "post": false,
	} {
		if got := operation.AllowsPost(method); got != want {
			t.Errorf("%s: got %v", method, got)
		}
	}
}
