package kube

import (
	"testing"
	"time"

	"k8s.io/client-go/tools/leaderelection"
)

// Whoever waits for a Lease sees the last renewal up to one pause late, and that
// it has expired up to one more pause late.
func TestLeaseTimesAllowATakeoverInTime(t *testing.T) {
	t.Parallel()
	pause := time.Duration((1 + leaderelection.JitterFactor) * float64(leaseRetry))
	if worst := pause + leaseDuration + pause; worst > LeaseTakeover {
		t.Errorf("a takeover takes up to %v, want at most %v", worst, LeaseTakeover)
	}
	if renewDeadline >= leaseDuration || pause >= renewDeadline {
		t.Errorf("pauses of %v, a deadline of %v and a duration of %v let two hold the Lease", pause, renewDeadline, leaseDuration)
	}
}
