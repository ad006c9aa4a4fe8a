package wizard

import (
	"errors"
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli"
)

// Interrupted says that the user ended the questions about a draft, which keeps
// the answers of every part that was complete. It matches cli.ErrCancelled.
type Interrupted struct {
	// Answers is how many questions were answered.
	Answers int
	// Open are the titles of the parts that nobody was asked about yet, of those
	// that everyone is asked about.
	Open []string
}

// Error implements error.
func (*Interrupted) Error() string { return cli.ErrCancelled.Error() }

// Unwrap returns cli.ErrCancelled.
func (*Interrupted) Unwrap() error { return cli.ErrCancelled }

// conversation asks the questions about a draft. The questions depend on nothing
// but the draft and the answers so far: to go back, the draft gets what it had at
// the start, and all answers but the last are given again without asking.
type conversation struct {
	prompter Prompter
	// save returns what restores the draft to what it is now. Inputs share
	// memory: answers replace values and never change them in place.
	save func() (restore func())

	// answered are the answers so far; the first repeated of them were given again.
	answered []answered
	repeated int
	// undone are the answers that were taken back, the oldest last. They are
	// proposed when their question is asked again.
	undone []answered
	// leave says that going back from the first question ends the questions.
	leave bool
	// complete restores the draft to what it was after the last part that was
	// answered completely.
	complete func()
}

// answered is a question with its answer.
type answered struct {
	text    string
	options []Option
	answer  any
}

// hold runs the questions of ask, again from the start for each step back. A step
// back from the first question leaves the draft unchanged. open returns the parts
// that are still to be asked about.
func (c *conversation) hold(ask func() error, open func() []string) error {
	restore := c.save()
	for {
		c.repeated, c.complete = 0, c.save()
		err := ask()
		switch {
		case errors.Is(err, cli.ErrCancelled):
			c.complete()
			return &Interrupted{Answers: len(c.answered), Open: open()}
		case !errors.Is(err, ErrBack):
			return err
		}
		restore()
		last := len(c.answered) - 1
		if last < 0 {
			return nil
		}
		c.undone = append(c.undone, c.answered[last])
		c.answered = c.answered[:last]
	}
}

// completed notes that a part of the draft is answered completely.
func (c *conversation) completed() { c.complete = c.save() }

// respond returns the answer to a question: the one that was given before, or a
// new one.
func respond[T any](c *conversation, q Question, options []Option, preset T, ask func(q Question, preset T) (T, error)) (T, error) {
	if c.repeated < len(c.answered) {
		before := c.answered[c.repeated]
		c.repeated++
		answer, ok := before.answer.(T)
		if !ok || !before.isFor(q, options) {
			return preset, fmt.Errorf("the answer to %q cannot be repeated for %q", before.text, q.Text)
		}
		return answer, nil
	}
	rest := c.undone
	if n := len(c.undone); n > 0 {
		last := c.undone[n-1]
		if answer, ok := last.answer.(T); ok && last.isFor(q, options) {
			preset, rest = answer, c.undone[:n-1]
		} else {
			rest = nil // the conversation takes another course
		}
	}
	q.Back = c.leave || len(c.answered) > 0
	answer, err := ask(q, preset)
	if err == nil {
		c.undone = rest
		c.answered = append(c.answered, answered{q.Text, options, answer})
		c.repeated++
	}
	return answer, err
}

func (a answered) isFor(q Question, options []Option) bool {
	return a.text == q.Text && slices.Equal(a.options, options)
}

// Select implements Prompter.
func (c *conversation) Select(q Question, options []Option, preselected int) (int, error) {
	return respond(c, q, options, preselected, func(q Question, preselected int) (int, error) {
		return c.prompter.Select(q, options, preselected)
	})
}

// MultiSelect implements Prompter.
func (c *conversation) MultiSelect(q Question, options []Option, preselected []int) ([]int, error) {
	chosen, err := respond(c, q, options, preselected, func(q Question, preselected []int) ([]int, error) {
		return c.prompter.MultiSelect(q, options, preselected)
	})
	return slices.Clone(chosen), err // the caller may change it
}

// Input implements Prompter.
func (c *conversation) Input(q Question, preset string, check func(string) error) (string, error) {
	return respond(c, q, nil, preset, func(q Question, preset string) (string, error) {
		return c.prompter.Input(q, preset, check)
	})
}

// Confirm implements Prompter.
func (c *conversation) Confirm(q Question, preset bool) (bool, error) {
	return respond(c, q, nil, preset, func(q Question, preset bool) (bool, error) {
		return c.prompter.Confirm(q, preset)
	})
}
