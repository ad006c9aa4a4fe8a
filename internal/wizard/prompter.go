package wizard

import "errors"

// ErrBack says that the user wants to go back to the question before.
var ErrBack = errors.New("go back to the previous question")

// Prompter asks one question at a time. An answer is final once it is returned.
//
// Every method returns an error that matches cli.ErrCancelled if the user
// interrupts the question or standard input ends, and ErrBack if the user wants
// to go back and the question allows it.
type Prompter interface {
	// Select returns the index of the one option that was chosen. The option at
	// preselected is where the cursor starts.
	Select(q Question, options []Option, preselected int) (int, error)
	// MultiSelect returns the indices of the options that were chosen, in
	// ascending order; those of preselected are marked at the start.
	MultiSelect(q Question, options []Option, preselected []int) ([]int, error)
	// Input returns a line of text without surrounding blanks; an empty line means
	// preset. It asks again until check returns nil, and shows what check said. A
	// nil check accepts everything.
	Input(q Question, preset string, check func(string) error) (string, error)
	// Confirm returns a yes or no; an empty line means preset.
	Confirm(q Question, preset bool) (bool, error)
}

// Question is what is asked.
type Question struct {
	// Text ends with a question mark or, where a value is asked for, a colon.
	Text string
	// Help is shown when the user answers `?`; one or two sentences.
	Help string
	// AtLeastOne refuses an empty answer to MultiSelect.
	AtLeastOne bool
	// Back says that the user can go back from the question, with Esc.
	Back bool
}

// Option is one of the answers to choose from.
type Option struct {
	// Label is what is chosen.
	Label string
	// Detail is what tells it from the others: a cluster, a version. Typing
	// searches both.
	Detail string
}
