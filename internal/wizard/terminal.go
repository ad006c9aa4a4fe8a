package wizard

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/AlecAivazis/survey/v2/terminal"
	"golang.org/x/term"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
)

// Columns of what stands before an option, and one that stays empty.
const (
	selectMargin      = len("> ") + 1
	multiSelectMargin = len("> [x]  ") + 1
)

// Size of a terminal that does not tell.
const (
	usualWidth, usualHeight = 80, 24
)

// TerminalOptions say how questions look on a terminal.
type TerminalOptions struct {
	Color bool
	// Size measures the terminal before each question; nil measures the one
	// behind the output. A result below 1 means unknown.
	Size func() (width, height int)
	// Done ends every question as if the user had when it is closed.
	Done <-chan struct{}
}

// terminalPrompter asks on a terminal.
type terminalPrompter struct {
	console *console
	color   bool
}

// NewTerminal returns a Prompter that asks on a terminal: it reads keys from in
// and draws on out. It reads nothing between questions, so that other programs
// can use the terminal there.
func NewTerminal(in, out *os.File, opts TerminalOptions) Prompter {
	size := opts.Size
	if size == nil {
		size = func() (int, int) {
			width, height, err := term.GetSize(int(out.Fd()))
			if err != nil {
				return 0, 0
			}
			return width, height
		}
	}
	c := &console{in: in, out: out, done: opts.Done, size: func() (int, int) {
		width, height := size()
		if width < 1 || height < 1 {
			return usualWidth, usualHeight
		}
		return width, height
	}}
	if !opts.Color {
		c.colors = regexp.MustCompile("\x1b\\[[0-9;]*m")
	}
	return &terminalPrompter{console: c, color: opts.Color}
}

// Select implements Prompter.
func (s *terminalPrompter) Select(q Question, options []Option, preselected int) (int, error) {
	if len(options) == 0 {
		return 0, fmt.Errorf("nothing to choose from: %s", q.Text)
	}
	l := newList(options)
	l.moveTo(preselected)
	chosen, err := s.askList(q, l, selectMargin)
	if err != nil {
		return 0, err
	}
	return chosen[0], nil
}

// MultiSelect implements Prompter.
func (s *terminalPrompter) MultiSelect(q Question, options []Option, preselected []int) ([]int, error) {
	if len(options) == 0 {
		return nil, fmt.Errorf("nothing to choose from: %s", q.Text)
	}
	l := newList(options)
	l.many, l.atLeastOne = true, q.AtLeastOne
	for _, i := range preselected {
		l.selected[i] = true
	}
	return s.askList(q, l, multiSelectMargin)
}

// askList shows a list until it is answered.
func (s *terminalPrompter) askList(q Question, l *list, margin int) (chosen []int, err error) {
	err = s.onTerminal(q, func(d *drawing) error {
		cursor := d.NewCursor()
		_ = cursor.Hide()
		defer func() { _ = cursor.Show() }()
		keys := d.NewRuneReader()
		lines := layoutOptions(l.options, d.width-margin, s.color)
		for {
			head := d.head(l.problem, l.help, " "+l.filter, l.keysHelp(q.Back))
			page := pageSize(d.height, d.linesOf(head))
			if err := d.show(head + "\n" + strings.Join(l.rows(lines, page), "\n") + "\n"); err != nil {
				return err
			}
			key, _, err := keys.ReadRune()
			switch {
			case err != nil:
				return err
			case key == terminal.KeyInterrupt:
				return terminal.InterruptErr
			}
			switch outcome := l.press(key); {
			case outcome == answers:
				chosen = l.chosen()
				var labels []string
				for _, i := range chosen {
					labels = append(labels, l.options[i].Label)
				}
				return d.answered(cmp.Or(strings.Join(labels, ", "), "none"))
			case outcome == goesBack && q.Back:
				return ErrBack
			}
		}
	})
	return chosen, err
}

// Input implements Prompter.
func (s *terminalPrompter) Input(q Question, preset string, check func(string) error) (string, error) {
	shown, proposal := text.Printable(preset), ""
	if shown != "" {
		proposal = "(" + shown + ") "
	}
	var answer string
	err := s.askLine(q, proposal, func(typed string) (string, error) {
		if answer = strings.TrimSpace(typed); answer == "" || answer == shown {
			answer = preset
		}
		if check == nil {
			return answer, nil
		}
		return answer, check(answer)
	})
	return answer, err
}

// Confirm implements Prompter.
func (s *terminalPrompter) Confirm(q Question, preset bool) (bool, error) {
	proposal := "(y/N) "
	if preset {
		proposal = "(Y/n) "
	}
	var yes bool
	err := s.askLine(q, proposal, func(typed string) (string, error) {
		switch strings.ToLower(strings.TrimSpace(typed)) {
		case "":
			yes = preset
		case "y", "yes":
			yes = true
		case "n", "no":
			yes = false
		default:
			return "", errors.New("answer y or n")
		}
		if yes {
			return "Yes", nil
		}
		return "No", nil
	})
	return yes, err
}

// askLine reads lines until accept takes one and returns how it is shown.
func (s *terminalPrompter) askLine(q Question, proposal string, accept func(line string) (shown string, err error)) error {
	return s.onTerminal(q, func(d *drawing) error {
		var problem error
		help := false
		for {
			var keysHelp []string
			if q.Back {
				keysHelp = []string{"esc to go back"}
			}
			if err := d.show(d.head(problem, help, "", keysHelp) + " " + faint(proposal)); err != nil {
				return err
			}
			line, err := d.readLine()
			switch {
			case errors.Is(err, errEscape) && line == "" && q.Back:
				return ErrBack
			case errors.Is(err, errEscape):
				continue // nothing is typed any more
			case err != nil:
				return err
			case line == "?" && q.Help != "":
				help, problem = true, nil
				continue
			}
			shown, err := accept(line)
			if err == nil {
				return d.answered(shown)
			}
			problem = err
		}
	})
}

// onTerminal runs a question. The terminal is in raw mode before the question
// can be seen, so that no key is lost or echoed.
func (s *terminalPrompter) onTerminal(q Question, ask func(*drawing) error) error {
	c := s.console
	stdio := terminal.Stdio{In: c, Out: screen{c}, Err: c.out}
	mode := terminal.NewRuneReader(stdio)
	if mode.SetTermMode() == nil {
		defer func() { _ = mode.RestoreTermMode() }()
	}
	fmt.Fprint(c.out, pasteOn)
	defer fmt.Fprint(c.out, pasteOff)

	d := &drawing{question: q}
	d.width, d.height = c.size()
	d.WithStdio(stdio)
	err := ask(d)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrBack):
		return errors.Join(d.answered("(back)"), ErrBack)
	case errors.Is(err, terminal.InterruptErr):
		return cli.ErrCancelled
	case errors.Is(err, io.EOF):
		fmt.Fprint(c.out, "\r\n") // the cursor is still behind the question
		return cli.ErrCancelled
	default:
		return fmt.Errorf("prompt on the terminal: %w", err)
	}
}
