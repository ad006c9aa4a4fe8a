package cmdutil

import (
	"errors"
	"testing"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/wizard/wizardtest"
)

func TestConfirm(t *testing.T) {
	t.Parallel()
	yesOrNo := func(p wizard.Prompter) (bool, error) {
		return p.Confirm(wizard.Question{Text: "Apply these changes to 2 clusters?", Help: "They are listed above."}, false)
	}
	name := func(p wizard.Prompter) (bool, error) { return typesName(p, "Cluster west is deregistered.", "west") }
	const question = "Type 'west' to confirm, or press Enter to cancel:"
	interrupted := errors.New("interrupted")
	tests := []struct {
		name    string
		ask     func(wizard.Prompter) (bool, error)
		answers []wizardtest.Answer
		want    error
	}{
		{"yes", yesOrNo, []wizardtest.Answer{wizardtest.Confirm("Apply", true)}, nil},
		{"no", yesOrNo, []wizardtest.Answer{wizardtest.Confirm("Apply", false)}, cli.ErrCancelled},
		{"Enter means no", yesOrNo, []wizardtest.Answer{wizardtest.Default("Apply")}, cli.ErrCancelled},
		{"Ctrl-C", yesOrNo, []wizardtest.Answer{wizardtest.Fail("Apply", interrupted)}, interrupted},
		{"the name", name, []wizardtest.Answer{wizardtest.Type(question, "west")}, nil},
		{"another name, then the right one", name, []wizardtest.Answer{wizardtest.Type(question, "east"), wizardtest.Type(question, "west")}, nil},
		{"no name", name, []wizardtest.Answer{wizardtest.Type(question, "")}, cli.ErrCancelled},
		{"Ctrl-C instead of a name", name, []wizardtest.Answer{wizardtest.Fail(question, interrupted)}, interrupted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := agree(wizardtest.New(t, tt.answers...), tt.ask); !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestConfirmWithoutATerminal(t *testing.T) {
	t.Parallel()
	streams, _, errOut := cli.Test("y\n")
	question := wizard.Question{Text: "Apply these changes to 2 clusters?"}
	for name, ask := range map[string]func(yes bool) error{
		"a question": func(yes bool) error { return Confirm(t.Context(), streams, yes, question) },
		"a name": func(yes bool) error {
			return ConfirmByName(t.Context(), streams, yes, "Cluster west is deregistered.", "west")
		},
	} {
		err := ask(false)
		if usage := (*cli.UsageError)(nil); !errors.As(err, &usage) || err.Error() != "not a terminal: pass --yes to confirm" {
			t.Errorf("%s without --yes: got %v", name, err)
		}
		if err := ask(true); err != nil {
			t.Errorf("%s with --yes: got %v", name, err)
		}
	}
	if errOut.Len() > 0 {
		t.Errorf("standard error has %q", errOut.String())
	}
}
