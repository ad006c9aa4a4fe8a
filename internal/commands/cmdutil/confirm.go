package cmdutil

import (
	"context"
	"fmt"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/wizard"
)

// Confirm asks whether to go on, unless yes was given. It returns
// cli.ErrCancelled if the answer is no, and a usage error if it cannot ask.
func Confirm(ctx context.Context, streams *cli.Streams, yes bool, question wizard.Question) error {
	if yes {
		return nil
	}
	return agree(NewPrompter(ctx, streams), func(p wizard.Prompter) (bool, error) { return p.Confirm(question, false) })
}

// ConfirmByName is confirm for what destroys something: the user types its name.
func ConfirmByName(ctx context.Context, streams *cli.Streams, yes bool, consequence, name string) error {
	if yes {
		return nil
	}
	return agree(NewPrompter(ctx, streams), func(p wizard.Prompter) (bool, error) {
		streams.Say("%s", consequence)
		return typesName(p, consequence, name)
	})
}

func typesName(p wizard.Prompter, consequence, name string) (bool, error) {
	question := wizard.Question{Text: "Type '" + name + "' to confirm, or press Enter to cancel:", Help: consequence}
	typed, err := p.Input(question, "", func(typed string) error {
		if typed != "" && typed != name {
			return fmt.Errorf("must be %s, or empty to cancel", name)
		}
		return nil
	})
	return typed == name, err
}

// agree asks for consent; without a prompter, the flag must give it.
func agree(prompter wizard.Prompter, ask func(wizard.Prompter) (bool, error)) error {
	if prompter == nil {
		return ErrCannotConfirm()
	}
	agreed, err := ask(prompter)
	if err == nil && !agreed {
		err = cli.ErrCancelled
	}
	return err
}

// ErrCannotConfirm is the error of a command that has to ask and cannot.
func ErrCannotConfirm() error { return cli.Usagef("not a terminal: pass --yes to confirm") }
