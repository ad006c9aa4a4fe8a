package wizard

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLayoutKeys(t *testing.T) {
	t.Parallel()
	keys := []string{"space to select", "right for all", "left for none", "type to filter", "esc to go back", "? for help"}
	tests := []struct {
		name          string
		keys          []string
		column, width int
		want          []string
	}{
		{"beside the question", keys, 15, 120, []string{"[space to select, right for all, left for none, type to filter, esc to go back, ? for help]"}},
		{"up to the edge", keys[:1], 60, 79, []string{"[space to select]"}},
		{"one column too many", keys[:1], 61, 79, []string{"", "[space to select]"}},
		{"below the question", keys[:4], 45, 80, []string{"", "[space to select, right for all, left for none, type to filter]"}},
		{"on two lines", keys, 45, 80, []string{"", "[space to select, right for all, left for none, type to filter,", " esc to go back, ? for help]"}},
		{"narrow", keys[:2], 15, 5, []string{"", "[space to select,", " right for all]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, layoutKeys(tt.keys, tt.column, tt.width)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLayoutOptions(t *testing.T) {
	t.Parallel()
	options := []Option{{Label: "istiod-east", Detail: "cluster east"}, {Label: "a", Detail: "東京"}, {Label: "bell\a"}}
	tests := []struct {
		name  string
		width int
		color bool
		want  []string
	}{
		{"wide", 80, false, []string{"istiod-east  cluster east", "a            東京", `bell\a`}},
		{"coloured", 80, true, []string{"istiod-east  \x1b[2mcluster east\x1b[22m", "a            \x1b[2m東京\x1b[22m", `bell\a`}},
		{"cut details", 20, false, []string{"istiod-east  clus...", "a            東京", `bell\a`}},
		{"no room for details", 13, false, []string{"istiod-east", "a", `bell\a`}},
		{"cut labels", 6, false, []string{"ist...", "a", `bell\a`}},
		{"tiny", 2, false, []string{"..", "a", ".."}},
		{"none", -3, false, []string{"", "", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, layoutOptions(options, tt.width, tt.color)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}
