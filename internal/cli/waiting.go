package cli

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// patience is how long something may take before a person is told what is waited
// for.
const patience = 250 * time.Millisecond

// Waiting says on a terminal which clusters are waited for, if that takes a while.
// Several goroutines may use it.
type Waiting struct {
	streams *Streams
	clock   Clock

	mu sync.Mutex
	// pending counts what each cluster has not answered yet.
	pending map[string]int
	// since is when the waiting began, idle when it last ended. Questions that
	// follow each other closely are one wait.
	since, idle time.Time
	timer       *time.Timer
}

// NewWaiting returns a Waiting for nothing.
func NewWaiting(streams *Streams, clock Clock) *Waiting {
	return &Waiting{streams: streams, clock: clock, pending: map[string]int{}}
}

// Begin says that a cluster was asked something. Callers must call end, once, when
// it has answered.
func (w *Waiting) Begin(cluster string) (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock()
	if len(w.pending) == 0 && (w.since.IsZero() || now.Sub(w.idle) > patience) {
		w.since = now
	}
	w.pending[cluster]++
	if left := patience - now.Sub(w.since); left > 0 {
		if w.timer == nil {
			w.timer = time.AfterFunc(left, w.expire)
		}
	} else {
		w.show()
	}
	return func() { w.end(cluster) }
}

func (w *Waiting) end(cluster string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending[cluster]--; w.pending[cluster] <= 0 {
		delete(w.pending, cluster)
	}
	if len(w.pending) == 0 {
		w.idle = w.clock()
		if w.timer != nil {
			w.timer.Stop()
			w.timer = nil
		}
	}
	if w.clock().Sub(w.since) >= patience {
		w.show()
	}
}

func (w *Waiting) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = nil
	w.show()
}

// shownClusters bounds the clusters that the line names.
const shownClusters = 3

func (w *Waiting) show() {
	if len(w.pending) == 0 {
		w.streams.setWaiting("")
		return
	}
	names := slices.Sorted(maps.Keys(w.pending))
	w.streams.setWaiting("Waiting for " + text.Choose(len(names), "cluster ", "clusters ") + text.Bounded(names, shownClusters))
}
