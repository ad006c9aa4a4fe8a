package spelling_test

import (
	"testing"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

func TestNearest(t *testing.T) {
	candidates := []string{"retries", "mirror", "mtls", "requestTimeout"}
	tests := []struct{ word, want string }{
		{"retrys", "retries"},
		{"mirorr", "mirror"},
		{"MTLS", "mtls"},
		{"requesttimeout", "requestTimeout"},
		{"mtl", "mtls"},
		{"weight", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got := spelling.Nearest(test.word, candidates); got != test.want {
			t.Errorf("nearest to %q is %q, want %q", test.word, got, test.want)
		}
	}
	if got := spelling.Nearest("ab", []string{"ax", "aa"}); got != "aa" {
		t.Errorf("of two equally near candidates %q is taken", got)
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "abc", 0},
		{"abc", "acb", 1},
		{"abc", "abxc", 1},
		{"kitten", "sitting", 3},
		{"é", "e", 1},
	}
	for _, test := range tests {
		if got := spelling.Distance(test.a, test.b); got != test.want {
			t.Errorf("distance of %q and %q is %d, want %d", test.a, test.b, got, test.want)
		}
		if got := spelling.Distance(test.b, test.a); got != test.want {
			t.Errorf("distance of %q and %q is %d, want %d", test.b, test.a, got, test.want)
		}
	}
}
