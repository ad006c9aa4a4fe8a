package cmdutil

import (
	"testing"
)

func TestDedent(t *testing.T) {
	t.Parallel()
	got := Dedent(`
		first
			indented

		last
	`)
	if want := "first\n\tindented\n\nlast"; got != want {
		t.Errorf("dedent() = %q, want %q", got, want)
	}
}
