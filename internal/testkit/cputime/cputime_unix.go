//go:build unix

// Package cputime measures the CPU time of benchmarks, which does not depend on the load of
// the machine.
package cputime

import (
	"syscall"
	"time"
)

// Used returns the CPU time of this process on all cores, in user and system mode; 0 if it is
// not available.
func Used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
