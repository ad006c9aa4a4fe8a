package naming_test

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/pkg/api/naming"
)

func TestSanitise(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"reviews-bookinfo-east", "reviews-bookinfo-east"},
		{"*/.:_ x", "------x"},
		{"a[b]c\n\"d'", "abcd"},
		{"Upper", "upper"},
		{"", ""},
		{strings.Repeat("a", 63), strings.Repeat("a", 63)},
		// The digits are those of `printf %064s | tr ' ' a | md5sum`.
		{strings.Repeat("a", 64), strings.Repeat("a", 31) + "-014842d480b571495a4a0363793f736"},
		// The hash is of the mapped text, before it is made lower case, and the
		// length that of the mapped text too.
		{strings.Repeat("A", 62) + "[].", strings.Repeat("a", 62) + "-"},
		{strings.Repeat("A", 64), strings.Repeat("a", 31) + "-d289a97565bc2d27ac8b8545a5ddba4"},
	}
	for _, test := range tests {
		if got := naming.Sanitise(test.text); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
		}
	}
}
