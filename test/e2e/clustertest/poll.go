//go:build unix

package clustertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// pollInterval is how long poll waits between two attempts: short, since what
// is waited for comes within seconds, and cheap to ask for.
const pollInterval = 50 * time.Millisecond

// finalError is one that trying again does not mend.
type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

// poll calls attempt until it returns nil or a finalError, or the context ends;
// then the error is that of the last attempt.
func poll(ctx context.Context, attempt func(context.Context) error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := attempt(ctx)
		var final *finalError
		if err == nil || errors.As(err, &final) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// Eventually calls attempt until it returns nil, at most for the given time,
// and returns the error of the last attempt. It is for what a control plane
// does in its own time, like filling in the Secret of a service account.
func Eventually(ctx context.Context, timeout time.Duration, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return poll(ctx, attempt)
}

// freePort returns a port on 127.0.0.1 that nothing listens on.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close() //nolint:errcheck // Nothing was sent.
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find a free port: unexpected address %s", listener.Addr())
	}
	return address.Port, nil
}
