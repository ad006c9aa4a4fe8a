package cmdutil

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// Interrupts cancels commands on signals, unless another program controls the terminal.
type Interrupts struct {
	left atomic.Int32
}

// leave ignores interrupts until back is called, because another program handles them.
// Termination signals still cancel the command.
func (i *Interrupts) leave() (back func()) {
	i.left.Add(1)
	return func() { i.left.Add(-1) }
}

// Cancelling returns a context that is cancelled by the first interrupt or termination signal,
// or when the terminal closes. A second signal has its default effect. Callers must call stop.
// Until then, writing to a closed pipe returns an error instead of ending the process, so that
// `meshctl apply | head` completes its work.
func (i *Interrupts) Cancelling(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	received := make(chan os.Signal, 1)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // for example, under nohup
		signal.Notify(received, syscall.SIGHUP)
	}
	unread := make(chan os.Signal, 1) // never read: being notified is enough to prevent the default effect
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
