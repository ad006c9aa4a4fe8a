package cmdutil

import (
	"context"
	"errors"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/wizard"
)

// NewPrompter returns a prompter for the terminal; nil if there is none.
func NewPrompter(ctx context.Context, streams *cli.Streams) wizard.Prompter {
	dialogue := streams.Dialogue()
	if dialogue == nil {
		return nil
	}
	return wizard.NewTerminal(dialogue.In, dialogue.Out, wizard.TerminalOptions{
		Color: streams.ErrColor(), Size: dialogue.Size, Done: ctx.Done(),
	})
}

// UsageErrors turns every part of a joined error into a usage error. It returns nil for nil.
func UsageErrors(err error) error {
	var errs []error
	for _, part := range cli.Unreported(err) {
		errs = append(errs, &cli.UsageError{Err: part})
	}
	return errors.Join(errs...)
}
