package cputime

import (
	"runtime"
	"slices"
	"time"
)

// Measure returns the CPU time of one call of f: the minimum of several calls, because
// disturbances only add to it. It excludes the collection of earlier garbage.
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
