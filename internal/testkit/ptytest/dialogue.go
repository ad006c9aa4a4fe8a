//go:build unix

package ptytest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Netflix/go-expect"
	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"
)

// Keys as a terminal sends them.
const (
	Enter     = "\r"
	Down      = "\x1b[B"
	Interrupt = "\x03"
)

// Size of the terminal, in characters.
const (
	Columns = 120
	Rows    = 60
)

// Dialogue is a conversation with a program on a pseudo-terminal.
type Dialogue struct {
	t        *testing.T
	patience time.Duration
	console  *expect.Console
	// screen is all output, terminal the part that is visible now.
	screen   *bytes.Buffer
	terminal vt10x.Terminal
	cmd      *exec.Cmd
}

// Start starts a program on its own terminal. patience is how long to wait for expected output
// before the test fails.
func Start(t *testing.T, cmd *exec.Cmd, patience time.Duration) *Dialogue {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	var screen bytes.Buffer
	// The terminal emulator answers the queries of prompts.
	terminal := vt10x.New(vt10x.WithWriter(slave), vt10x.WithSize(Columns, Rows))
	console, err := expect.NewConsole(expect.WithStdin(master), expect.WithStdout(terminal, &screen),
		expect.WithCloser(master, slave), expect.WithDefaultTimeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	tty := console.Tty()
	if err := pty.Setsize(tty, &pty.Winsize{Rows: Rows, Cols: Columns}); err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &Dialogue{t: t, patience: patience, console: console, screen: &screen, terminal: terminal, cmd: cmd}
}

// Environ returns an environment in which prompts are enabled: without the variables that
// disable them, for example in continuous integration.
func Environ(environ []string) []string {
	var kept []string
	for _, setting := range environ {
		name, _, _ := strings.Cut(setting, "=")
		if name != "CI" && name != "EDITOR" && name != "VISUAL" && !strings.HasPrefix(name, "MESHCTL_") {
			kept = append(kept, setting)
		}
	}
	return append(kept, "TERM=xterm", "NO_COLOR=1")
}

// Answer waits for a question and sends keys.
func (d *Dialogue) Answer(question, keys string) {
	d.t.Helper()
	d.Wait(question)
	d.Send(keys)
}

// Wait reads until a text is printed.
func (d *Dialogue) Wait(text string) {
	d.t.Helper()
	if _, err := d.console.ExpectString(text); err != nil {
		d.t.Fatalf("waiting for %q: %v; the screen:\n%s", text, err, d.screen)
	}
}

// Send sends keys once the terminal is in raw mode; before that, the terminal would interpret
// them.
func (d *Dialogue) Send(keys string) {
	d.t.Helper()
	deadline := time.Now().Add(d.patience)
	for !raw(d.console.Tty()) {
		if time.Now().After(deadline) {
			d.t.Fatalf("the terminal never became raw; the screen:\n%s", d.screen)
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := d.console.Send(keys); err != nil {
		d.t.Fatal(err)
	}
}

// Interrupt presses Ctrl-C while there is no prompt, so that the terminal turns it into a
// signal.
func (d *Dialogue) Interrupt() {
	d.t.Helper()
	if _, err := d.console.Send(Interrupt); err != nil {
		d.t.Fatal(err)
	}
}

func raw(tty *os.File) bool {
	settings, err := unix.IoctlGetTermios(int(tty.Fd()), ioctlGetTermios)
	return err == nil && settings.Lflag&unix.ICANON == 0
}

// Shown returns the visible text, without trailing blanks and empty lines.
func (d *Dialogue) Shown() string {
	var lines []string
	for line := range strings.Lines(d.terminal.String()) {
		lines = append(lines, strings.TrimRight(line, " \n\x00"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// End waits for the process to end and returns its output and exit code.
func (d *Dialogue) End() (screen string, code int) {
	d.t.Helper()
	if err := d.console.Tty().Close(); err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.console.ExpectEOF(); err != nil {
		d.t.Fatalf("waiting for the end: %v; the screen:\n%s", err, d.screen)
	}
	err := d.cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return d.screen.String(), exit.ExitCode()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return d.screen.String(), 0
}
