package cmdutil

import (
	"context"
	"errors"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/wizard"
)

// NewPrompter returns the prompter that asks on the terminal; nobody is asked
// anything unless CanPrompt says so.
func NewPrompter(ctx context.Context, streams *cli.Streams) wizard.Prompter {
	dialogue := streams.Dialogue()
	if dialogue == nil {
		return nil
	}
	return wizard.NewTerminal(dialogue.In, dialogue.Out, wizard.TerminalOptions{
		Color: streams.ErrColor(), Size: dialogue.Size, Done: ctx.Done(),
	})
}

// UsageErrors makes usage errors of all the parts of a joined error, nil of nil.
func UsageErrors(err error) error {
	var errs []error
	for _, part := range cli.Unreported(err) {
		errs = append(errs, &cli.UsageError{Err: part})
	}
	return errors.Join(errs...)
}
