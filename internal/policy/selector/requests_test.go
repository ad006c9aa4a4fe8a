package selector_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/policy/selector"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

func TestNeverMatches(t *testing.T) {
	t.Parallel()
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
		if kind, path, never := selector.NeverMatches(uri); never {
			t.Errorf("%s %q is said to match nothing", kind, path)
		}
	}
	for _, tt := range []struct {
		uri        *core.StringMatch
		kind, path string
	}{
		{exact(""), "exact", ""},
		{exact("a"), "exact", "a"},
		{exact("http://a/b"), "exact", "http://a/b"},
		{prefix("a"), "prefix", "a"},
		{prefix("*"), "prefix", "*"},
		{regex("a/.*"), "regex", "a/.*"},
		{regex("api(/v1|/v2)"), "regex", "api(/v1|/v2)"},
	} {
		if kind, path, never := selector.NeverMatches(tt.uri); !never || kind != tt.kind || path != tt.path {
			t.Errorf("%s %q: got %s %q, %v", tt.kind, tt.path, kind, path, never)
		}
	}
}
