//go:build unix

package commands_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Netflix/go-expect"
	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"

	"github.com/meshctl/meshctl/internal/commands"
)

// Keys as a terminal sends them.
const (
	enter     = "\r"
	down      = "\x1b[B"
	interrupt = "\x03"
)

// The size of the terminal.
const columns, rows = 120, 60

// dialogue is a conversation with the built binary on a pseudo-terminal.
type dialogue struct {
	t       *testing.T
	console *expect.Console
	// screen is everything that was printed, terminal what of it is shown now.
	screen   *bytes.Buffer
	terminal vt10x.Terminal
	cmd      *exec.Cmd
}

// converse starts meshctl on a terminal of its own.
func converse(t *testing.T, dir string, args ...string) *dialogue {
	t.Helper()
	return converseWith(t, dir, nil, args...)
}

// converseWith is converse with more environment variables.
func converseWith(t *testing.T, dir string, env []string, args ...string) *dialogue {
	t.Helper()
	commands.StartsProcesses(t)
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	var screen bytes.Buffer
	// The terminal emulator answers what prompts ask the terminal.
	terminal := vt10x.New(vt10x.WithWriter(slave), vt10x.WithSize(columns, rows))
	console, err := expect.NewConsole(expect.WithStdin(master), expect.WithStdout(terminal, &screen),
		expect.WithCloser(master, slave), expect.WithDefaultTimeout(commands.Patience))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "meshctl", args...)
	cmd.Dir = dir
	cmd.Env = append(withoutPromptGuards(os.Environ()), "TERM=xterm", "NO_COLOR=1", "HOME="+t.TempDir())
	cmd.Env = append(cmd.Env, env...)
	tty := console.Tty()
	if err := pty.Setsize(tty, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &dialogue{t: t, console: console, screen: &screen, terminal: terminal, cmd: cmd}
}

// withoutPromptGuards removes what forbids questions, because tests run in
// continuous integration too.
func withoutPromptGuards(environ []string) []string {
	var kept []string
	for _, setting := range environ {
		name, _, _ := strings.Cut(setting, "=")
		if name != "CI" && name != "EDITOR" && name != "VISUAL" && !strings.HasPrefix(name, "MESHCTL_") {
			kept = append(kept, setting)
		}
	}
	return kept
}

// answer waits for a question and sends keys.
func (d *dialogue) answer(question, keys string) {
	d.t.Helper()
	d.wait(question)
	d.send(keys)
}

// wait reads until a text is printed.
func (d *dialogue) wait(text string) {
	d.t.Helper()
	if _, err := d.console.ExpectString(text); err != nil {
		d.t.Fatalf("waiting for %q: %v; the screen:\n%s", text, err, d.screen)
	}
}

// send sends keys once the terminal hands them over unprocessed: what is sent
// earlier would be interpreted by the terminal.
func (d *dialogue) send(keys string) {
	d.t.Helper()
	deadline := time.Now().Add(commands.Patience)
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

func raw(tty *os.File) bool {
	settings, err := unix.IoctlGetTermios(int(tty.Fd()), ioctlGetTermios)
	return err == nil && settings.Lflag&unix.ICANON == 0
}

// shown returns what a person sees, without blanks at the ends of lines and
// without empty lines at the end.
func (d *dialogue) shown() string {
	var lines []string
	for line := range strings.Lines(d.terminal.String()) {
		lines = append(lines, strings.TrimRight(line, " \n\x00"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// end waits for the process and returns what it printed and its exit code.
func (d *dialogue) end() (screen string, code int) {
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

// worldWithoutVirtualMesh returns a directory with the bundled world as it was
// before anybody created a virtual mesh.
func worldWithoutVirtualMesh(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/worlds/bookinfo-two-clusters")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "virtualmesh.yaml")); err != nil {
		t.Fatal(err)
	}
	return dir
}
