package wizard

import (
	"errors"
	"slices"
)

// Action is something to do with what was reviewed.
type Action struct {
	// ID tells actions apart in code.
	ID string
	// Label and Detail are as in an Option.
	Label, Detail string
	// Back says that going back from the question means this action.
	Back bool
}

// Review asks what to do with what the user has just read. The first action is
// where the cursor starts.
func Review(p Prompter, actions []Action) (Action, error) {
	options := make([]Option, len(actions))
	for i, a := range actions {
		options[i] = Option{Label: a.Label, Detail: a.Detail}
	}
	back := slices.IndexFunc(actions, func(a Action) bool { return a.Back })
	chosen, err := p.Select(Question{
		Text: "What now?", Back: back >= 0,
		Help: "Nothing has been written yet. Review the manifest above and its effect.",
	}, options, 0)
	if errors.Is(err, ErrBack) && back >= 0 {
		return actions[back], nil
	}
	if err != nil {
		return Action{}, err
	}
	return actions[chosen], nil
}
