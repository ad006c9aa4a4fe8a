//go:build unix

package clustertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// process is one program of a control plane. It runs in a process group of its
// own, so that an interrupt on the terminal reaches the tests first and they
// stop it, and it dies with the tests even if they are killed (on Linux).
type process struct {
	name    string
	logFile string
	pid     int
	done    chan struct{}

	stopOnce sync.Once
}

// startProcess runs the program with its output going to the log file, which
// is appended to, so that it survives restarts.
func startProcess(program string, args []string, logFile string) (*process, error) {
	name := filepath.Base(program)
	output, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	//nolint:gosec // Runs what the build of the control plane has built, until it is stopped.
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)

	p := &process{name: name, logFile: logFile, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The signal that dieWithParent asks for is sent when the thread ends
		// that started the program, so this thread stays until the program ends.
		runtime.LockOSThread()
		defer output.Close()
		defer close(p.done)
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			_ = cmd.Wait() // Whoever stopped it knows why it ended; failed tells the rest.
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// signal sends the signal to the process and its children. One that has ended
// is left alone, since its number may belong to another by now.
func (p *process) signal(signal syscall.Signal) error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended", p.name)
	default:
		return syscall.Kill(-p.pid, signal)
	}
}

// stop ends the process at once and waits for it. Nothing that it holds is
// worth keeping.
func (p *process) stop() {
	if p == nil {
		return
	}
	p.stopOnce.Do(func() { _ = p.signal(syscall.SIGKILL) })
	<-p.done
}

// waitReady calls ready until it succeeds, and gives up when the process or
// the context ends.
func (p *process) waitReady(ctx context.Context, ready func(context.Context) error) error {
	err := poll(ctx, func(ctx context.Context) error {
		select {
		case <-p.done:
			return &finalError{fmt.Errorf("%s has ended:\n%s", p.name, p.logTail())}
		default:
			return ready(ctx)
		}
	})
	var final *finalError
	if err != nil && !errors.As(err, &final) {
		return fmt.Errorf("%s does not become ready: %w\n%s", p.name, err, p.logTail())
	}
	return err
}

// logTail returns the last lines of the log, for error messages.
func (p *process) logTail() string {
	const lines = 20
	text, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	all := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}
