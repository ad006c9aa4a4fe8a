//go:build !unix

// Package cputime measures the CPU time of benchmarks, which does not depend on the load of
// the machine.
package cputime

import "time"

// Used returns 0, because the CPU time is not available on this platform.
func Used() time.Duration { return 0 }
