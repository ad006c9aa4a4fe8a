package cmdutil

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// interrupts turns signals into the end of a command, unless another program
// that has the terminal answers them.
type interrupts struct {
	left atomic.Int32
}

// leave leaves interrupts to another program until back is called. Termination
// still ends the command.
func (i *interrupts) leave() (back func()) {
	i.left.Add(1)
	return func() { i.left.Add(-1) }
}

// Cancelling returns a context that the first interrupt, termination signal or
// loss of the terminal ends. A second one has its default effect. Until stop is called, which must
// be in the end, writing to a pipe that nobody reads any more is an error instead
// of the end of the process: what is being written to clusters goes on when only
// `| head` has seen enough.
func (i *interrupts) Cancelling(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	received := make(chan os.Signal, 1)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as by nohup
		signal.Notify(received, syscall.SIGHUP)
	}
	unread := make(chan os.Signal, 1) // that it is notified suffices
	signal.Notify(unread, syscall.SIGPIPE)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-received:
				if s == os.Interrupt && i.left.Load() > 0 {
					continue
				}
				signal.Stop(received)
				cancel()
			}
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		signal.Stop(unread)
		cancel()
	}
}
