package cmdutil

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// Interrupts turns signals into the end of a command, unless another program
// that has the terminal answers them.
type Interrupts struct {
	left atomic.Int32
}

// leave leaves Interrupts to another program until back is called. Termination
// still ends the command.
func (i *Interrupts) leave() (back func()) {
	i.left.Add(1)
	return func() { i.left.Add(-1) }
}

// Cancelling returns a context that is cancelled by the first interrupt or
// termination signal, or when the terminal closes; a second signal has its default
// effect. Callers must call stop. Until then, writing to a closed pipe is an error
// and does not end the process, so that `meshctl apply | head` finishes its work.
func (i *Interrupts) Cancelling(parent context.Context) (ctx context.Context, stop func()) {
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
