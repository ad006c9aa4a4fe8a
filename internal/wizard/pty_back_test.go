//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package wizard_test

import (
	"errors"
	"testing"

	"github.com/meshctl/meshctl/internal/wizard"
)

// TestBackOnTerminal goes back from every kind of question, and stays where a
// question does not allow it.
func TestBackOnTerminal(t *testing.T) {
	t.Parallel()
	questions := []struct {
		name string
		ask  func(p wizard.Prompter, q wizard.Question) error
	}{
		{"input", func(p wizard.Prompter, q wizard.Question) error { _, err := p.Input(q, "x", nil); return err }},
		{"confirm", func(p wizard.Prompter, q wizard.Question) error { _, err := p.Confirm(q, true); return err }},
		{"select", func(p wizard.Prompter, q wizard.Question) error { _, err := p.Select(q, threeOptions(), 0); return err }},
		{"multiselect", func(p wizard.Prompter, q wizard.Question) error {
			_, err := p.MultiSelect(q, threeOptions(), nil)
			return err
		}},
	}
	tests := []struct {
		name  string
		back  bool
		steps []step
		want  error
	}{
		{"at once", true, []step{{see: "esc to go back", keys: escape}}, wizard.ErrBack},
		{"after what was typed was cleared", true, []step{{see: "esc to go back", keys: "y" + escape}, {see: "esc to go back", keys: escape}}, wizard.ErrBack},
		{"not allowed", false, []step{{see: "What?", keys: escape}, {see: "What?", keys: enter}}, nil},
	}
	for _, question := range questions {
		for _, tt := range tests {
			t.Run(question.name+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				u := newUser(t, 120, 24)
				err := u.does(func(p wizard.Prompter) error {
					return question.ask(p, wizard.Question{Text: "What?", Help: "h", Back: tt.back})
				}, tt.steps...)
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
				if screen := u.screen.String(); tt.back && trimmed(screen) != "? What? (back)" {
					t.Errorf("screen afterwards:\n%s", screen)
				}
			})
		}
	}
}
