//go:build linux

package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// launchEnv carries a launch to the program that Intercept becomes.
const launchEnv = "MESHCTL_LAB_LAUNCH"

// Command is a program to run on a host.
type Command struct {
	// Args are the program and its arguments.
	Args []string
	// Env is the whole environment.
	Env []string
	// Dir is the working directory.
	Dir string
	// User is the number of the user and the group; 0 stays root.
	User int
	// Files are shown in place of others, by the path that they hide:
	// /etc/resolv.conf for example.
	Files map[string]string
}

// launch is what the intermediate process needs to know.
type launch struct {
	Args  []string
	Dir   string
	User  int
	Files map[string]string
}

// Intercept turns this process into the program of a Command, if it was started
// for that. Call it first in main and in TestMain.
func Intercept() {
	text, found := os.LookupEnv(launchEnv)
	if !found {
		return
	}
	var l launch
	err := json.Unmarshal([]byte(text), &l)
	if err == nil {
		err = l.become()
	}
	fmt.Fprintln(os.Stderr, "lab:", err)
	os.Exit(126)
}

// become replaces this process; it returns only if that fails.
func (l *launch) become() error {
	// Mounts and users are those of a thread.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mounts: %w", err)
	}
	for path, file := range l.Files {
		if !exists(path) {
			continue
		}
		if err := unix.Mount(file, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("show %s as %s: %w", file, path, err)
		}
	}
	if l.Dir != "" {
		if err := os.Chdir(l.Dir); err != nil {
			return err
		}
	}
	if l.User != 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(l.User), syscall.Setuid(l.User)); err != nil {
			return fmt.Errorf("become user %d: %w", l.User, err)
		}
	}
	program, err := exec.LookPath(l.Args[0])
	if err != nil {
		return err
	}
	if err := os.Unsetenv(launchEnv); err != nil {
		return err
	}
	return syscall.Exec(program, l.Args, os.Environ())
}

// Prepare returns the process that becomes the command once it is started on a
// host, within Host.Do. The caller may set its streams.
func (c *Command) Prepare() (*exec.Cmd, error) {
	text, err := json.Marshal(launch{Args: c.Args, Dir: c.Dir, User: c.User, Files: c.Files})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = slices.Concat(c.Env, []string{launchEnv + "=" + string(text)})
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, nil
}

// Process is a running program.
type Process struct {
	Name string
	Log  string

	cmd  *exec.Cmd
	done chan struct{}
	once sync.Once
}

// Start runs a program inside of the host; its output is appended to the log
// file, which everyone may write, since Envoy opens it again as another user.
func (h *Host) Start(c *Command, log string) (*Process, error) {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	if err := output.Chmod(0o666); err != nil {
		return nil, err
	}
	cmd, err := c.Prepare()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = output, output
	p := &Process{Name: filepath.Base(c.Args[0]), Log: log, cmd: cmd, done: make(chan struct{})}
	if err := h.Do(cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s on %s: %w", p.Name, h.Name, err)
	}
	go func() {
		cmd.Wait() //nolint:errcheck // How it ended shows in the log.
		p.reap()
		close(p.done)
	}()
	return p, nil
}

// reap ends and collects what the program has left behind, since nobody else
// in this process namespace would.
func (p *Process) reap() {
	group := p.cmd.Process.Pid
	for {
		syscall.Kill(-group, syscall.SIGKILL) //nolint:errcheck // Often nothing is left.
		_, err := syscall.Wait4(-group, nil, 0, nil)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the program has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Stop asks the program to end and kills it after the grace period, with all
// that it has started.
func (p *Process) Stop(grace time.Duration) {
	p.once.Do(func() {
		if grace > 0 {
			syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM) //nolint:errcheck // It may have ended.
			select {
			case <-p.done:
				return
			case <-time.After(grace):
			}
		}
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // It may have ended.
	})
	<-p.done
}

// Run runs a program inside of the host to its end and returns its output; the
// error has it, too.
func (h *Host) Run(ctx context.Context, c *Command) (string, error) {
	cmd, err := c.Prepare()
	if err != nil {
		return "", err
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := h.Do(cmd.Start); err != nil {
		return "", fmt.Errorf("start %s on %s: %w", c.Args[0], h.Name, err)
	}
	stop := context.AfterFunc(ctx, func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // It may have ended.
	})
	defer stop()
	if err := cmd.Wait(); err != nil {
		return output.String(), fmt.Errorf("%s on %s: %w\n%s", strings.Join(c.Args, " "), h.Name, err, output.String())
	}
	return output.String(), nil
}

// runWithInput runs a program in the lab's own namespace.
func runWithInput(ctx context.Context, input string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(input)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return nil
}
