//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package wizard_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	expect "github.com/Netflix/go-expect"
	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/wizard"
)

// What terminals send.
const (
	enter     = "\r"
	down      = "\x1b[B"
	backspace = "\x7f"
	escape    = "\x1b"
	interrupt = "\x03"
	endOfText = "\x04"
)

const patience = 2 * time.Minute

// step is one thing that the user of a test does: wait for a text on the
// screen, then type.
type step struct {
	see  string
	keys string
	do   func(tty *os.File) error
}

// user is somebody at a terminal.
type user struct {
	t       *testing.T
	console *expect.Console
	screen  vt10x.Terminal
	written *bytes.Buffer
	options wizard.TerminalOptions
}

// newUser opens a terminal of a size.
func newUser(t *testing.T, columns, rows int) *user {
	t.Helper()
	ptm, pts, err := pty.Open()
	if err != nil {
		t.Fatalf("open a terminal: %v", err)
	}
	resize(t, ptm, columns, rows)
	written := &bytes.Buffer{}
	screen := vt10x.New(vt10x.WithWriter(pts), vt10x.WithSize(columns, rows))
	console, err := expect.NewConsole(expect.WithStdin(ptm), expect.WithStdout(screen, written),
		expect.WithCloser(ptm, pts), expect.WithDefaultTimeout(patience))
	if err != nil {
		t.Fatalf("watch the terminal: %v", err)
	}
	t.Cleanup(func() { console.Close() })
	return &user{t: t, console: console, screen: screen, written: written}
}

func resize(t *testing.T, tty *os.File, columns, rows int) {
	t.Helper()
	if err := pty.Setsize(tty, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)}); err != nil {
		t.Fatalf("resize the terminal: %v", err)
	}
}

// does runs the steps while ask asks, and returns what ask returned.
func (u *user) does(ask func(wizard.Prompter) error, steps ...step) error {
	u.t.Helper()
	driven := make(chan error, 1)
	go func() { driven <- u.drive(steps) }()
	err := ask(wizard.NewTerminal(u.console.Tty(), u.console.Tty(), u.options))
	if cooked, stateErr := isCooked(u.console.Tty()); stateErr != nil || !cooked {
		u.t.Errorf("the terminal was left in raw mode (%v)", stateErr)
	}
	u.console.Tty().Close()
	if driveErr := <-driven; driveErr != nil {
		u.t.Errorf("at the terminal: %v\nscreen:\n%s", driveErr, u.screen.String())
	}
	return err
}

func (u *user) drive(steps []step) error {
	for _, s := range steps {
		if s.see != "" {
			if _, err := u.console.ExpectString(s.see); err != nil {
				return errors.New("never saw " + s.see + ": " + err.Error())
			}
		}
		if err := waitRaw(u.console.Tty()); err != nil {
			return err
		}
		if s.do != nil {
			if err := s.do(u.console.Tty()); err != nil {
				return err
			}
		}
		if _, err := u.console.Send(s.keys); err != nil {
			return err
		}
	}
	_, err := u.console.ExpectEOF()
	return err
}

// waitRaw waits until a prompt reads single keys: before that the terminal
// itself would act on them.
func waitRaw(tty *os.File) error {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		cooked, err := isCooked(tty)
		if err != nil {
			return err
		}
		if !cooked {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("the terminal never was in raw mode")
}

func isCooked(tty *os.File) (bool, error) {
	mode, err := unix.IoctlGetTermios(int(tty.Fd()), getTermios)
	if err != nil {
		return false, err
	}
	return mode.Lflag&unix.ICANON != 0, nil
}

func notEmpty(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return nil
}

func threeOptions() []wizard.Option {
	return []wizard.Option{{Label: "ratings", Detail: "cluster east"}, {Label: "reviews", Detail: "cluster east"}, {Label: "reviews", Detail: "cluster west"}}
}

func TestInputOnTerminal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("A really long line, R. ", 90)[:2000]
	tests := []struct {
		name   string
		preset string
		steps  []step
		want   string
	}{
		{"default", "prod", []step{{see: "Name:", keys: enter}}, "prod"},
		{"asked again", "", []step{{see: "Name:", keys: enter}, {see: "must not be empty", keys: "prod" + enter}}, "prod"},
		{"help", "", []step{{see: "Name:", keys: "?" + enter}, {see: "Short is good", keys: "prod" + enter}}, "prod"},
		{"corrected", "", []step{{see: "Name:", keys: "prx" + backspace + "od" + enter}}, "prod"},
		{"inserted", "", []step{{see: "Name:", keys: "pd\x1b[D"}, {keys: "ro" + enter}}, "prod"},
		{"not ASCII", "", []step{{see: "Name:", keys: "Zürich-東京-🙂" + enter}}, "Zürich-東京-🙂"},
		{"2000 characters", "", []step{{see: "Name:", keys: long + enter}}, long},
		{"pasted lines", "", []step{{see: "Name:", keys: "\x1b[200~one\r\ntwo\x1b[201~" + enter}}, "one  two"},
		{"unknown keys", "", []step{{see: "Name:", keys: "p\x1b[1;3Cr\x1b[15~o\x1bOP\x1b[I\x1b[<0;3;4M\x1b[M abd\x1bx\x1b[[A" + enter}}, "prod"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, 80, 24)
			var got string
			err := u.does(func(p wizard.Prompter) (err error) {
				got, err = p.Input(wizard.Question{Text: "Name:", Help: "Short is good."}, tt.preset, notEmpty)
				return err
			}, tt.steps...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSelectOnTerminal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		steps []step
		want  int
	}{
		{"preselected", []step{{see: "Which?", keys: enter}}, 1},
		{"moved", []step{{see: "Which?", keys: down + enter}}, 2},
		{"filtered by detail", []step{{see: "Which?", keys: "WEST" + enter}}, 2},
		{"filtered by both", []step{{see: "Which?", keys: "rev east" + enter}}, 1},
		{"a filter chooses its first match", []step{{see: "Which?", keys: "r" + enter}}, 0},
		{"a filter that matches nothing chooses nothing", []step{{see: "Which?", keys: "ratx" + enter}, {see: "press esc to clear the filter", keys: backspace + enter}}, 0},
		{"escape clears the filter and leaves the cursor at its option", []step{{see: "Which?", keys: "west"}, {see: "Which? west", keys: escape}, {see: "ratings", keys: "\x1b[A" + enter}}, 1},
		{"unknown keys", []step{{see: "Which?", keys: "\x1b[1;3B\x1b[6~\x1b[O" + down + enter}}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, 80, 24)
			var got int
			err := u.does(func(p wizard.Prompter) (err error) {
				got, err = p.Select(wizard.Question{Text: "Which?", Help: "One of them."}, threeOptions(), 1)
				return err
			}, tt.steps...)
			if err != nil || got != tt.want {
				t.Errorf("chose %d, %v; want %d", got, err, tt.want)
			}
		})
	}
}

func TestMultiSelectOnTerminal(t *testing.T) {
	t.Parallel()
	u := newUser(t, 120, 24)
	var got []int
	err := u.does(func(p wizard.Prompter) (err error) {
		got, err = p.MultiSelect(wizard.Question{Text: "Which?", Help: "Some of them.", AtLeastOne: true}, threeOptions(), []int{1})
		return err
	},
		step{see: "Which?", keys: down + " " + enter}, // unmarks the only one
		step{see: "select at least one (press space)", keys: down + " " + enter},
	)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{2}, got); diff != "" {
		t.Errorf("chosen (-want +got):\n%s", diff)
	}
}

// dialogue asks one question of each kind.
func dialogue(p wizard.Prompter) error {
	if _, err := p.Input(wizard.Question{Text: "Name:", Help: "h"}, "prod", nil); err != nil {
		return err
	}
	if _, err := p.MultiSelect(wizard.Question{Text: "Which ones?", Help: "h"}, threeOptions(), nil); err != nil {
		return err
	}
	if _, err := p.Select(wizard.Question{Text: "Which one?", Help: "h"}, threeOptions(), 0); err != nil {
		return err
	}
	sure, err := p.Confirm(wizard.Question{Text: "Sure?", Help: "h"}, false)
	if err == nil && !sure {
		return errors.New("not sure")
	}
	return err
}

func TestDialogueOnTerminal(t *testing.T) {
	t.Parallel()
	name, ones, one, sure := step{see: "Name:", keys: "x" + enter}, step{see: "Which ones?", keys: " " + enter}, step{see: "Which one?", keys: enter}, step{see: "Sure?", keys: "y" + enter}
	tests := []struct {
		name  string
		steps []step
		want  error
	}{
		{"to the end", []step{name, ones, one, sure}, nil},
		{"answered ahead", []step{{see: "Name:", keys: "x" + enter + " " + enter + enter + "y" + enter}}, nil},
		{"interrupted at the first question", []step{{see: "Name:", keys: interrupt}}, cli.ErrCancelled},
		{"interrupted at the second", []step{name, {see: "Which ones?", keys: interrupt}}, cli.ErrCancelled},
		{"interrupted at the third", []step{name, ones, {see: "Which one?", keys: interrupt}}, cli.ErrCancelled},
		{"interrupted at the last", []step{name, ones, one, {see: "Sure?", keys: interrupt}}, cli.ErrCancelled},
		{"input ends at the first question", []step{{see: "Name:", keys: endOfText}}, cli.ErrCancelled},
		{"input ends at the second", []step{name, {see: "Which ones?", keys: endOfText}}, cli.ErrCancelled},
		{"input ends at the last", []step{name, ones, one, {see: "Sure?", keys: endOfText}}, cli.ErrCancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := newUser(t, 80, 24).does(dialogue, tt.steps...); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestTerminalSizes(t *testing.T) {
	t.Parallel()
	options := make([]wizard.Option, 300)
	for i := range options {
		options[i] = wizard.Option{Label: strings.Repeat("long-", 10) + "name", Detail: strings.Repeat("number ", i%7) + string(rune('a'+i%26))}
	}
	options[299] = wizard.Option{Label: "the last one"}
	for _, size := range []struct{ columns, rows int }{{20, 5}, {1, 1}, {80, 24}, {500, 200}} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			u := newUser(t, size.columns, size.rows)
			u.options.Color = true
			var got int
			err := u.does(func(p wizard.Prompter) (err error) {
				got, err = p.Select(wizard.Question{Text: "Which?", Help: "One of them, whichever you like."}, options, 0)
				return err
			}, step{keys: down + down + "?" + "last one" + enter})
			if err != nil || got != 299 {
				t.Errorf("chose %d, %v; want the last", got, err)
			}
		})
	}
}

func TestResizeOnTerminal(t *testing.T) {
	t.Parallel()
	u := newUser(t, 100, 30)
	shrink := func(tty *os.File) error {
		return pty.Setsize(tty, &pty.Winsize{Rows: 6, Cols: 24})
	}
	var got string
	err := u.does(func(p wizard.Prompter) (err error) {
		if _, err = p.Select(wizard.Question{Text: "Which?", Help: "h"}, threeOptions(), 0); err != nil {
			return err
		}
		got, err = p.Input(wizard.Question{Text: "Name:", Help: "h"}, "", notEmpty)
		return err
	},
		step{see: "Which?", do: shrink, keys: down + enter},
		step{see: "Name:", keys: "abcdefghijklmnopqrstuvwxyz"},
		step{do: func(tty *os.File) error { return pty.Setsize(tty, &pty.Winsize{Rows: 40, Cols: 200}) }, keys: "0123" + enter})
	if err != nil || got != "abcdefghijklmnopqrstuvwxyz0123" {
		t.Errorf("answer %q, %v", got, err)
	}
}

// TestSilentTerminal is about a terminal that does not say where its cursor is.
func TestSilentTerminal(t *testing.T) {
	t.Parallel()
	ptm, pts, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ptm.Close()
	go func() { _, _ = io.Copy(io.Discard, ptm) }()
	if _, err := io.WriteString(ptm, "prod"+enter); err != nil {
		t.Fatal(err)
	}
	var got string
	p := wizard.NewTerminal(pts, pts, wizard.TerminalOptions{Size: func() (int, int) { return 0, 0 }})
	got, err = p.Input(wizard.Question{Text: "Name:", Help: "h"}, "", nil)
	if err != nil || got != "prod" {
		t.Errorf("answer %q, %v", got, err)
	}
	pts.Close()
}

func TestDoneEndsQuestion(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	u := newUser(t, 80, 24)
	u.options.Done = done
	err := u.does(dialogue, step{see: "Name:", do: func(*os.File) error {
		close(done)
		return nil
	}})
	if !errors.Is(err, cli.ErrCancelled) {
		t.Errorf("error %v, want %v", err, cli.ErrCancelled)
	}
}

func TestScreen(t *testing.T) {
	t.Parallel()
	for _, color := range []bool{false, true} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			u := newUser(t, 100, 12)
			u.options.Color = color
			var during string
			err := u.does(func(p wizard.Prompter) error {
				_, err := p.Select(wizard.Question{Text: "Which?", Help: "One of them."}, threeOptions(), 1)
				return err
			}, step{see: "west", do: func(*os.File) error { during = u.screen.String(); return nil }, keys: enter})
			if err != nil {
				t.Fatal(err)
			}
			const want = `? Which? [arrows to move, type to filter, ? for help]
  ratings  cluster east
> reviews  cluster east
  reviews  cluster west`
			if diff := cmp.Diff(want, trimmed(during)); diff != "" {
				t.Errorf("screen (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff("? Which? reviews", trimmed(u.screen.String())); diff != "" {
				t.Errorf("screen afterwards (-want +got):\n%s", diff)
			}
			if got := strings.Contains(u.written.String(), "\x1b[36m"); got != color {
				t.Errorf("coloured: %t, want %t", got, color)
			}
		})
	}
}

// trimmed removes the blanks that fill a screen.
func trimmed(screen string) string {
	lines := strings.Split(screen, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
