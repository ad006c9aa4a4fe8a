//go:build unix

// Package cputime measures what benchmarks cost on a machine that has other
// things to do.
package cputime

import (
	"syscall"
	"time"
)

// Used returns the processor time that this process has used on all cores, in
// user and system mode; 0 if the system does not say.
func Used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
