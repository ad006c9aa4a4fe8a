package rollout

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Retries after failures come sooner than a resync, but never without a pause.
func TestPauses(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	p := pauses{resync: time.Minute}
	var got []time.Duration
	for _, err := range []error{nil, broken, broken, broken, broken, broken, broken, nil, broken} {
		got = append(got, p.after(err))
	}
	want := []time.Duration{
		time.Minute, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute, time.Minute, 5 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	for range 1000 {
		if pause := p.after(broken); pause < firstRetry || pause > time.Minute {
			t.Fatalf("after many failures it waits %s", pause)
		}
	}
}
