package cputime

import (
	"runtime"
	"slices"
	"time"
)

// Measure returns the processor time of one call of f: the least of several
// calls, since everything that disturbs only adds to it. Garbage of earlier
// calls is not charged.
func Measure(f func()) time.Duration {
	const calls = 5
	costs := make([]time.Duration, calls)
	for i := range costs {
		runtime.GC()
		start := Used()
		f()
		costs[i] = Used() - start
	}
	return slices.Min(costs)
}
