package cmdutil

import (
	"slices"
	"testing"
)

func TestInList(t *testing.T) {
	t.Parallel()
	choices := []string{"east\tregistered", "north", "west"}
	tests := []struct {
		typed string
		given []string
		want  []string
	}{
		{typed: "", want: choices},
		{typed: "we", want: choices},
		{typed: "west,", want: []string{"west,east\tregistered", "west,north"}},
		{typed: "west,north,ea", want: []string{"west,north,east\tregistered"}},
		{typed: "west,", given: []string{"east"}, want: []string{"west,north"}},
		{typed: ",", want: []string{",east\tregistered", ",north", ",west"}},
	}
	for _, tt := range tests {
		if got := InList(tt.typed, tt.given, choices); !slices.Equal(got, tt.want) {
			t.Errorf("inList(%q, %q) = %q, want %q", tt.typed, tt.given, got, tt.want)
		}
	}
}
