package restart

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestIdle(t *testing.T) {
	t.Parallel()
	items := []Item{{Action: ActionNone}, {Action: ActionNone, OlderPods: 1}, {Action: ActionManual}, {Action: ActionExpire, OlderPods: 2}}
	fleet := &Fleet{Meshes: []MeshRestart{
		{Plan: &Plan{TrustChanged: time.Unix(1, 0), Items: items, known: make([]Ref, len(items)+3)}},
		{Plan: &Plan{Items: items[:1], known: make([]Ref, 1)}},
		{Err: errors.New("no answer")},
	}}
	want := Idle{Unknown: 1, Undetectable: 1, Manual: 1, Ending: 1, Scaled: 1, LeftOut: 3}
	if diff := cmp.Diff(want, fleet.Idle()); diff != "" {
		t.Errorf("idle (-want +got):\n%s", diff)
	}
}
