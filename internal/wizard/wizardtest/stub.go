// Package wizardtest answers the questions of wizards in tests.
package wizardtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/wizard"
)

// kind is the method of a Prompter that an answer is for.
type kind string

const (
	kindSelect  kind = "Select"
	kindMulti   kind = "MultiSelect"
	kindInput   kind = "Input"
	kindConfirm kind = "Confirm"
)

// Answer is what is answered to one question.
type Answer struct {
	// question is how the text of the question starts.
	question string
	kind     kind
	labels   []string
	text     string
	yes      bool
	preset   bool
	back     bool
	err      error
}

// Select chooses the option with this label.
func Select(question, label string) Answer {
	return Answer{question: question, kind: kindSelect, labels: []string{label}}
}

// Mark chooses the options with these labels and no others.
func Mark(question string, labels ...string) Answer {
	return Answer{question: question, kind: kindMulti, labels: labels}
}

// Type enters a text; an empty one means the preset. If the text is refused,
// the next answer must be for the same question.
func Type(question, text string) Answer {
	return Answer{question: question, kind: kindInput, text: text}
}

// Confirm answers yes or no.
func Confirm(question string, yes bool) Answer {
	return Answer{question: question, kind: kindConfirm, yes: yes}
}

// Default takes what is preselected or preset, whatever kind of question it is.
func Default(question string) Answer { return Answer{question: question, preset: true} }

// Back goes back to the question before.
func Back(question string) Answer { return Answer{question: question, back: true, err: wizard.ErrBack} }

// Fail ends the question with an error.
func Fail(question string, err error) Answer { return Answer{question: question, err: err} }

// Screen is one question as it was asked.
type Screen struct {
	Question wizard.Question
	// Options are those of a list, Preselected the ones that were marked, or where
	// the cursor was.
	Options     []wizard.Option
	Preselected []int
	// Preset is what an empty answer means: a text, or yes or no.
	Preset string
	// Problem is why the answer was refused, empty if it was not.
	Problem string
}

// Detail returns the detail of the option with this label, empty if there is
// none.
func (s Screen) Detail(label string) string {
	for _, o := range s.Options {
		if o.Label == label {
			return o.Detail
		}
	}
	return ""
}

// Stub is a Prompter with prepared answers. It fails the test if a question
// comes that the next answer is not for, if an answer is not among the options,
// and if answers are left at the end.
type Stub struct {
	t       testing.TB
	answers []Answer
	screens []Screen
}

// New returns a Stub that gives these answers in their order.
func New(tb testing.TB, answers ...Answer) *Stub {
	tb.Helper()
	s := &Stub{t: tb, answers: answers}
	tb.Cleanup(func() {
		if len(s.answers) > 0 && !tb.Failed() {
			tb.Errorf("%d answers were not asked for, first %q", len(s.answers), s.answers[0].question)
		}
	})
	return s
}

// Screens returns every question so far. An Input that was refused is there
// once per attempt.
func (s *Stub) Screens() []Screen { return s.screens }

// next returns the answer to a question, and records the question.
func (s *Stub) next(k kind, screen Screen) Answer {
	s.t.Helper()
	s.screens = append(s.screens, screen)
	q := screen.Question.Text
	if screen.Question.Help == "" {
		s.t.Errorf("no help for %q", q)
	}
	if len(s.answers) == 0 {
		s.t.Fatalf("no answer for %s %q with options %q", k, q, labels(screen.Options))
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	if !strings.HasPrefix(q, answer.question) {
		s.t.Fatalf("%s %q was asked, with options %q, but the next answer is for %q", k, q, labels(screen.Options), answer.question)
	}
	if answer.back && !screen.Question.Back {
		s.t.Fatalf("%q cannot be gone back from", q)
	}
	if !answer.preset && answer.err == nil && answer.kind != k {
		s.t.Fatalf("%s %q was asked, but the answer is for %s", k, q, answer.kind)
	}
	return answer
}

func (s *Stub) find(options []wizard.Option, question, label string) int {
	s.t.Helper()
	at := slices.IndexFunc(options, func(o wizard.Option) bool { return o.Label == label })
	if at < 0 {
		s.t.Fatalf("%q does not offer %q; it offers %q", question, label, labels(options))
	}
	return at
}

// Select implements wizard.Prompter.
func (s *Stub) Select(q wizard.Question, options []wizard.Option, preselected int) (int, error) {
	s.t.Helper()
	if preselected < 0 || preselected >= len(options) {
		s.t.Fatalf("%q preselects option %d of %d", q.Text, preselected, len(options))
	}
	s.checkOptions(q, options)
	answer := s.next(kindSelect, Screen{Question: q, Options: options, Preselected: []int{preselected}})
	if answer.err != nil || answer.preset {
		return preselected, answer.err
	}
	return s.find(options, q.Text, answer.labels[0]), nil
}

// MultiSelect implements wizard.Prompter.
func (s *Stub) MultiSelect(q wizard.Question, options []wizard.Option, preselected []int) ([]int, error) {
	s.t.Helper()
	s.checkOptions(q, options)
	for _, i := range preselected {
		if i < 0 || i >= len(options) {
			s.t.Fatalf("%q preselects option %d of %d", q.Text, i, len(options))
		}
	}
	answer := s.next(kindMulti, Screen{Question: q, Options: options, Preselected: preselected})
	if answer.err != nil {
		return nil, answer.err
	}
	chosen := []int{}
	if answer.preset {
		chosen = append(chosen, preselected...)
	}
	for _, label := range answer.labels {
		chosen = append(chosen, s.find(options, q.Text, label))
	}
	slices.Sort(chosen)
	if q.AtLeastOne && len(chosen) == 0 {
		s.t.Fatalf("%q takes at least one answer", q.Text)
	}
	return chosen, nil
}

// checkOptions refuses lists in which two options cannot be told apart.
func (s *Stub) checkOptions(q wizard.Question, options []wizard.Option) {
	s.t.Helper()
	if len(options) == 0 {
		s.t.Fatalf("%q offers nothing", q.Text)
	}
	seen := map[wizard.Option]bool{}
	for _, o := range options {
		if seen[o] {
			s.t.Errorf("%q offers %v twice", q.Text, o)
		}
		seen[o] = true
	}
}

// Input implements wizard.Prompter.
func (s *Stub) Input(q wizard.Question, preset string, check func(string) error) (string, error) {
	s.t.Helper()
	for {
		answer := s.next(kindInput, Screen{Question: q, Preset: preset})
		if answer.err != nil {
			return "", answer.err
		}
		text := strings.TrimSpace(answer.text)
		if text == "" {
			text = preset
		}
		if check == nil {
			return text, nil
		}
		err := check(text)
		if err == nil {
			return text, nil
		}
		s.screens[len(s.screens)-1].Problem = err.Error()
		if len(s.answers) == 0 {
			s.t.Fatalf("%q refuses %q (%v) and no other answer is there", q.Text, text, err)
		}
	}
}

// Confirm implements wizard.Prompter.
func (s *Stub) Confirm(q wizard.Question, preset bool) (bool, error) {
	s.t.Helper()
	answer := s.next(kindConfirm, Screen{Question: q, Preset: fmt.Sprint(preset)})
	if answer.err != nil || answer.preset {
		return preset, answer.err
	}
	return answer.yes, nil
}

func labels(options []wizard.Option) []string {
	list := make([]string, len(options))
	for i, o := range options {
		list[i] = o.Label
	}
	return list
}
