package describe_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/describe"
)

func TestUnifiedDiff(t *testing.T) {
	t.Parallel()
	before, after := []byte("a: 1\nb: 2\nc: \x1b[2J\n"), []byte("a: 1\nb: 3\nc: \x1b[2J\n")
	want := "--- old\n+++ new\n@@ -1,3 +1,3 @@\n a: 1\n-b: 2\n+b: 3\n c: ?[2J\n"
	got := describe.UnifiedDiff("old", "new", before, after)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := describe.UnifiedDiff("old", "new", before, before); got != nil {
		t.Errorf("equal texts differ: %s", got)
	}
	painted := "\x1b[31m--- old\x1b[0m\n\x1b[32m+++ new\x1b[0m\n\x1b[33m@@ -1,3 +1,3 @@\x1b[0m\n a: 1\n\x1b[31m-b: 2\x1b[0m\n\x1b[32m+b: 3\x1b[0m\n c: ?[2J\n"
	if diff := cmp.Diff(painted, string(describe.ColorDiff(got, describe.Style{Color: true}))); diff != "" {
		t.Errorf("painted (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(want, string(describe.ColorDiff(got, describe.Style{}))); diff != "" {
		t.Errorf("unpainted (-want +got)\n%s", diff)
	}
}
