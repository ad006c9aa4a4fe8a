package create

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
)

// editInteractively opens the editor until the manifest is valid or the user stops;
// edits are never lost.
func (o *options[I, O]) editInteractively(ctx context.Context, prompter wizard.Prompter, a *authored[I, O]) error {
	text, err := render.Manifest(a.resource)
	if err != nil {
		return err
	}
	var previous cmdutil.EditedManifest
	for {
		edited, err := o.edit(ctx, text)
		if err == nil {
			var resource O
			if resource, err = o.accept(a, edited.Text); err == nil {
				err = o.confirmWidening(prompter, a.resource, resource)
			}
			if err == nil {
				previous.Discard()
				edited.Discard()
				a.resource = resource
				return nil
			}
		}
		if edited.Text != nil {
			previous.Discard()
			previous, text = edited, edited.Text
		}
		if ctx.Err() != nil || errors.Is(err, cli.ErrCancelled) {
			previous.Keep(o.streams)
			return err
		}
		o.streams.Error(err)
		previous.Keep(o.streams)
		again, err := prompter.Confirm(wizard.Question{Text: "Edit again?", Help: "No restores the manifest from before the edit.", Back: true}, true)
		if err != nil || !again {
			return ignoreBack(err)
		}
	}
}

// confirmWidening asks for confirmation if an edit removes the last element of a
// selector, which then selects everything. Without a prompter, it requires --yes.
func (o *options[I, O]) confirmWidening(prompter wizard.Prompter, before, after O) error {
	widenings, err := o.kind.Widenings(before, after)
	if err != nil || len(widenings) == 0 {
		return err
	}
	fields := make([]string, len(widenings))
	for i, w := range widenings {
		fields[i] = w.Field
		o.streams.Warn("the edit removed %s, which now means %s", w.Field, w.Means)
	}
	switch {
	case o.yes:
		return nil
	case prompter == nil:
		return fmt.Errorf("refusing an edit that removes %s: restore it, or pass --yes to accept it", strings.Join(fields, ", "))
	}
	agreed, err := prompter.Confirm(wizard.Question{
		Text: "Accept that this " + o.kind.Noun + " selects more than before?",
		Help: "The edit removed selectors, and without them everything is selected. Answer no to return to the editor.",
	}, false)
	if err == nil && !agreed {
		err = fmt.Errorf("the edit removes %s", strings.Join(fields, ", "))
	}
	return err
}
