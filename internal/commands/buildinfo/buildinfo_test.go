package buildinfo

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInfoComplete(t *testing.T) {
	t.Parallel()
	recorded := &debug.BuildInfo{
		Main: debug.Module{Version: "v0.1.1-0.20261122180000-0123456789ab"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789ab"},
			{Key: "vcs.time", Value: "2026-11-22T18:00:00Z"},
			{Key: "vcs.modified", Value: "true"},
		},
	}
	tests := []struct {
		name     string
		linked   Info
		recorded *debug.BuildInfo
		want     Info
	}{
		{
			name: "nothing linked", recorded: recorded,
			want: Info{Version: recorded.Main.Version, Commit: "0123456789ab-dirty", Date: "2026-11-22T18:00:00Z"},
		},
		{
			name: "what is linked stays", recorded: recorded,
			linked: Info{Version: "v0.1.0", Commit: "fedcba", Date: "2026-01-01T00:00:00Z"},
			want:   Info{Version: "v0.1.0", Commit: "fedcba", Date: "2026-01-01T00:00:00Z"},
		},
		{
			name:     "no version control",
			recorded: &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := tt.linked
			got.complete(tt.recorded)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("build info (-want +got):\n%s", diff)
			}
		})
	}
}
