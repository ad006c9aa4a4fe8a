package spelling_test

import (
	"testing"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	commands := []string{"apply", "check", "cluster", "completion", "create", "describe", "diff", "version"}
	tests := []struct{ typed, want string }{
		{"describe", `, did you mean "describe"?`},
		{"desribe", `, did you mean "describe"?`},
		{"Version", `, did you mean "version"?`},
		{"comp", `, did you mean "completion"?`},
		{"creat", `, did you mean "create"?`},
		{"dif", `, did you mean "diff"?`},
		{"cl", `, did you mean "cluster"?`},
		{"chek", `, did you mean "check"?`},
		{"c", ""},
		{"", ""},
		{"restart", ""},
		{"приклад", ""},
	}
	for _, tt := range tests {
		if got := spelling.DidYouMean(tt.typed, commands); got != tt.want {
			t.Errorf("DidYouMean(%q) = %q, want %q", tt.typed, got, tt.want)
		}
	}
	if got, want := spelling.DidYouMean("bsh", []string{"zsh", "fish", "bash"}), `, did you mean "bash" or "zsh"?`; got != want {
		t.Errorf("DidYouMean of two = %q, want %q", got, want)
	}
}
