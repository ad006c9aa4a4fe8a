package selector_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/policy/selector"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

func TestNeverMatches(t *testing.T) {
	t.Parallel()
	const slash, query = "paths start with /", "the path of a request does not include the query"
	exact := func(text string) *core.StringMatch { return &core.StringMatch{Exact: &text} }
	prefix := func(text string) *core.StringMatch { return &core.StringMatch{Prefix: &text} }
	regex := func(text string) *core.StringMatch { return &core.StringMatch{Regex: &text} }
	suffix := func(text string) *core.StringMatch { return &core.StringMatch{Suffix: &text} }
	for _, uri := range []*core.StringMatch{
		nil,
		{},
		exact("/"), exact("/a"), exact("*"), prefix(""), prefix("/"), prefix("/a"), suffix("a"), suffix(""),
		regex("/a"), regex(".*"), regex("[a/]b"), regex("(?i)/A"), regex("a|/b"), regex("("), regex("a?/b"), regex(""),
	} {
		if kind, path, reason := selector.NeverMatches(uri); reason != "" {
			t.Errorf("%s %q is said to match nothing, because %s", kind, path, reason)
		}
	}
	for _, tt := range []struct {
		uri                *core.StringMatch
		kind, path, reason string
	}{
		{exact(""), "exact", "", slash},
		{exact("a"), "exact", "a", slash},
		{exact("http://a/b"), "exact", "http://a/b", slash},
		{prefix("a"), "prefix", "a", slash},
		{prefix("*"), "prefix", "*", slash},
		{regex("a/.*"), "regex", "a/.*", slash},
		{regex("api(/v1|/v2)"), "regex", "api(/v1|/v2)", slash},
		{exact("/a?b=c"), "exact", "/a?b=c", query},
		{prefix("/a#"), "prefix", "/a#", query},
		{suffix("?b"), "suffix", "?b", query},
	} {
		if kind, path, reason := selector.NeverMatches(tt.uri); kind != tt.kind || path != tt.path || reason != tt.reason {
			t.Errorf("%s %q: got %s %q, %q", tt.kind, tt.path, kind, path, reason)
		}
	}
}
