package commands

import (
	"testing"
)

func TestDedent(t *testing.T) {
	t.Parallel()
	got := dedent(`
		first
			indented

		last
	`)
	if want := "first\n\tindented\n\nlast"; got != want {
		t.Errorf("dedent() = %q, want %q", got, want)
	}
}
