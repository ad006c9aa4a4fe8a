package wizard

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/AlecAivazis/survey/v2"
	"github.com/AlecAivazis/survey/v2/core"
	"github.com/AlecAivazis/survey/v2/terminal"
	"golang.org/x/term"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
)

// What the prompt library adds around a question or an option, in columns.
const (
	selectHint        = len("[Use arrows to move, type to filter, ? for more help]  ")
	multiSelectHint   = len("[Use arrows to move, space to select, <right> to all, <left> to none, type to filter, ? for more help]  ")
	questionMargin    = len("? ")
	selectMargin      = len("> ") + 1
	multiSelectMargin = len("> [x]  ") + 1
)

// Size of a terminal that does not tell.
const (
	usualWidth, usualHeight = 80, 24
)

// SurveyOptions say how questions look on a terminal.
type SurveyOptions struct {
	Color bool
	// Size measures the terminal before each question; nil measures the one
	// behind the output. A result below 1 means unknown.
	Size func() (width, height int)
	// Done ends every question as if the user had when it is closed.
	Done <-chan struct{}
}

// surveyPrompter asks on a terminal.
type surveyPrompter struct {
	console *console
	color   bool
}

// NewSurvey returns a Prompter that asks on a terminal: it reads keys from in
// and draws on out. It reads nothing between questions, so that other programs
// can use the terminal there.
func NewSurvey(in, out *os.File, opts SurveyOptions) Prompter {
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
	return &surveyPrompter{console: c, color: opts.Color}
}

// Select implements Prompter.
func (s *surveyPrompter) Select(q Question, options []Option, preselected int) (int, error) {
	if len(options) == 0 {
		return 0, fmt.Errorf("nothing to choose from: %s", q.Text)
	}
	l := s.layout(q, selectHint)
	prompt := &selectPrompt{options: options, room: l.room, Select: survey.Select{
		Message: l.message, Help: l.help, PageSize: l.page,
		Options: layoutOptions(options, l.width-selectMargin, s.color),
		Default: min(max(preselected, 0), len(options)-1),
		Filter:  optionFilter(options),
	}}
	answer, err := s.ask(prompt, nil)
	if err != nil {
		return 0, err
	}
	return answer.(core.OptionAnswer).Index, nil
}

// MultiSelect implements Prompter.
func (s *surveyPrompter) MultiSelect(q Question, options []Option, preselected []int) ([]int, error) {
	if len(options) == 0 {
		return nil, fmt.Errorf("nothing to choose from: %s", q.Text)
	}
	l := s.layout(q, multiSelectHint)
	prompt := &multiSelectPrompt{options: options, room: l.room, MultiSelect: survey.MultiSelect{
		Message: l.message, Help: l.help, PageSize: l.page,
		Options: layoutOptions(options, l.width-multiSelectMargin, s.color),
		Default: slices.DeleteFunc(slices.Clone(preselected), func(i int) bool { return i < 0 || i >= len(options) }),
		Filter:  optionFilter(options),
	}}
	answer, err := s.ask(prompt, func(answer any) error {
		if q.AtLeastOne && len(answer.([]core.OptionAnswer)) == 0 {
			return errors.New("select at least one (press space)")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	chosen := []int{}
	for _, option := range answer.([]core.OptionAnswer) {
		chosen = append(chosen, option.Index)
	}
	return chosen, nil
}

// Input implements Prompter.
func (s *surveyPrompter) Input(q Question, preset string, check func(string) error) (string, error) {
	shown := text.Printable(preset)
	given := func(answer any) string {
		if typed := strings.TrimSpace(answer.(string)); typed != "" && typed != shown {
			return typed
		}
		return preset
	}
	l := s.layout(q, 0)
	answer, err := s.ask(&survey.Input{Message: l.message, Help: l.help, Default: shown}, func(answer any) error {
		if check == nil {
			return nil
		}
		return check(given(answer))
	})
	if err != nil {
		return "", err
	}
	return given(answer), nil
}

// Confirm implements Prompter.
func (s *surveyPrompter) Confirm(q Question, preset bool) (bool, error) {
	l := s.layout(q, 0)
	answer, err := s.ask(&survey.Confirm{Message: l.message, Help: l.help, Default: preset}, nil)
	if err != nil {
		return false, err
	}
	return answer.(bool), nil
}

// layout is how a question fits on the terminal.
type layout struct {
	message, help string
	// width is that of the terminal, room what an answer has beside the message.
	width, room, page int
}

func (s *surveyPrompter) layout(q Question, hint int) layout {
	width, height := s.console.size()
	l := layout{message: text.Printable(q.Text), width: width}
	if q.Help != "" {
		l.help = text.Wrap(text.PrintableLines(q.Help), max(width-questionMargin-1, 1), "")
	}
	question := questionMargin + text.Width(l.message)
	l.page = pageSize(width, height, question+hint, l.help)
	l.room = max(width-question-2, len(cutMark)+1)
	return l
}

// ask shows one prompt until check accepts the answer. The terminal is in raw
// mode before the question can be seen, so that no key is lost or echoed.
func (s *surveyPrompter) ask(prompt survey.Prompt, check func(answer any) error) (any, error) {
	c := s.console
	stdio := terminal.Stdio{In: c, Out: screen{c}, Err: c.out}
	mode := terminal.NewRuneReader(stdio)
	if mode.SetTermMode() == nil {
		defer func() { _ = mode.RestoreTermMode() }()
	}
	fmt.Fprint(c.out, pasteOn)
	defer fmt.Fprint(c.out, pasteOff)

	var answer any
	err := survey.AskOne(prompt, notWritten{}, survey.WithStdio(stdio.In, stdio.Out, stdio.Err),
		survey.WithValidator(func(given any) error {
			answer = given
			if check == nil {
				return nil
			}
			return check(given)
		}))
	switch {
	case errors.Is(err, terminal.InterruptErr):
		return nil, cli.ErrCancelled
	case errors.Is(err, io.EOF):
		fmt.Fprint(c.out, "\r\n") // the cursor is still behind the question
		return nil, cli.ErrCancelled
	case err != nil:
		return nil, fmt.Errorf("prompt on the terminal: %w", err)
	}
	return answer, nil
}

// notWritten takes an answer that is already known from its validation.
type notWritten struct{}

// WriteAnswer implements core.Settable.
func (notWritten) WriteAnswer(string, any) error { return nil }

// selectPrompt shows the label of the answer, not the line it was chosen from.
type selectPrompt struct {
	survey.Select
	options []Option
	room    int
}

// Cleanup implements survey.Prompt.
func (p *selectPrompt) Cleanup(config *survey.PromptConfig, answer any) error {
	chosen := answer.(core.OptionAnswer)
	chosen.Value = text.Cut(text.Printable(p.options[chosen.Index].Label), p.room)
	return p.Select.Cleanup(config, chosen)
}

// multiSelectPrompt shows the labels of the answers.
type multiSelectPrompt struct {
	survey.MultiSelect
	options []Option
	room    int
}

// Cleanup implements survey.Prompt.
func (p *multiSelectPrompt) Cleanup(config *survey.PromptConfig, answer any) error {
	var labels []string
	for _, chosen := range answer.([]core.OptionAnswer) {
		labels = append(labels, text.Printable(p.options[chosen.Index].Label))
	}
	shown := text.Cut(cmp.Or(strings.Join(labels, ", "), "none"), p.room)
	return p.MultiSelect.Cleanup(config, []core.OptionAnswer{{Value: shown}})
}

// optionFilter returns a filter that keeps the options with every word of the
// text in their label or detail. A text that fits no option at all is shortened
// until it fits one: a list without options cannot be moved in.
func optionFilter(options []Option) func(text, line string, index int) bool {
	lower := make([]string, len(options))
	for i, o := range options {
		lower[i] = strings.ToLower(o.Label + " " + o.Detail)
	}
	var typed, fitting string
	return func(text, _ string, index int) bool {
		if text != typed || typed == "" {
			typed, fitting = text, strings.ToLower(text)
			for !slices.ContainsFunc(lower, func(option string) bool { return hasWords(option, fitting) }) {
				_, size := utf8.DecodeLastRuneInString(fitting)
				fitting = fitting[:len(fitting)-size]
			}
		}
		return hasWords(lower[index], fitting)
	}
}

func hasWords(text, words string) bool {
	for _, word := range strings.Fields(words) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
