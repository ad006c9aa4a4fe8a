package cmdutil

import (
	"context"
	"fmt"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/wizard"
)

// Confirm asks for confirmation, unless yes is set. It returns cli.ErrCancelled if the user
// declines, and a usage error if there is no terminal.
func Confirm(ctx context.Context, streams *cli.Streams, yes bool, question wizard.Question) error {
	if yes {
		return nil
	}
	return agree(NewPrompter(ctx, streams), func(p wizard.Prompter) (bool, error) { return p.Confirm(question, false) })
}

// ConfirmByName is like Confirm, for destructive operations: the user must type the name.
// It returns the same errors.
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

// agree asks for confirmation, and returns an error if there is no prompter or the user
// declines.
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

// ErrCannotConfirm returns the error for a command that cannot ask for confirmation.
func ErrCannotConfirm() error { return cli.Usagef("not a terminal: pass --yes to confirm") }
