//go:build unix

package cmdutil

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"
)

// Every signal that requests the end of a process cancels the command.
//
//nolint:paralleltest // The signals are sent to the process.
func TestSignalsCancel(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		ctx, stop := (&Interrupts{}).Cancelling(t.Context())
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		hung, done := context.WithTimeout(t.Context(), time.Minute)
		select {
		case <-ctx.Done():
		case <-hung.Done():
			t.Errorf("%s did not cancel the command", s)
		}
		done()
		stop()
	}
}
