package create

import (
	"cmp"
	"context"
	"os"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
)

// What the user may do after the review.
const (
	actionApply  = "apply"
	actionSave   = "save"
	actionSaveAs = "save-as"
	actionPrint  = "print"
	actionChange = "change"
	actionEdit   = "edit"
	actionCancel = "cancel"
)

// converse asks for what the flags do not say and shows the result, until the
// user is content with it or gives up.
func (o *options[I, O]) converse(ctx context.Context, a *authored[I, O]) error {
	if a.world == nil {
		return cli.Usagef("interactive mode needs a cluster or manifests: add --context or -f")
	}
	prompter := o.prompter(ctx)
	choices := catalogueOf(o.meaning(a), o.existing(a.world))
	draft := o.draft(a)
	if err := o.questions(prompter, choices, draft); err != nil {
		return err
	}
	if err := o.rebuild(a, draft); err != nil {
		return err
	}
	if o.editFirst {
		if err := o.editInteractively(ctx, prompter, a); err != nil {
			return err
		}
	}
	for {
		invalid := o.review(a)
		action, err := wizard.Review(prompter, o.actions(a, invalid))
		if err != nil {
			return err
		}
		switch action.ID {
		case actionApply:
			if err := o.apply(ctx, a); err != nil {
				o.streams.Error(err)
				continue // nothing is lost: it can be saved, or applied again
			}
			o.printCommand(a, "")
			return nil
		case actionSave, actionSaveAs, actionPrint:
			done, err := o.finish(prompter, a, action.ID)
			if err != nil || done {
				return err
			}
		case actionChange:
			draft = o.draft(a)
			draft.Given = nil // everything may be changed
			if err := o.revisit(prompter, choices, draft); err != nil {
				return err
			}
			if err := o.rebuild(a, draft); err != nil {
				return err
			}
		case actionEdit:
			if err := o.editInteractively(ctx, prompter, a); err != nil {
				return err
			}
		default:
			return cli.ErrCancelled
		}
	}
}

// rebuild makes the resource that was answered. What answers cannot express, such
// as a label that came with --from, stays as it was.
func (o *options[I, O]) rebuild(a *authored[I, O], draft *wizard.Draft[I]) (err error) {
	previous := a.resource
	bare := previous.DeepCopyObject().(O)
	bare.SetLabels(nil)
	bare.SetAnnotations(nil)
	base := &previous
	if _, exact := o.kind.Arguments(bare); exact {
		base = nil // so that what was taken back is gone
	}
	a.resource, err = o.kind.Build(render.Meta{Name: draft.Name, Namespace: draft.Namespace}, draft.Input, base)
	if err == nil && base == nil {
		a.resource.SetLabels(previous.GetLabels())
		a.resource.SetAnnotations(previous.GetAnnotations())
	}
	return err
}

// review shows the manifest and what it would change. It returns why the
// manifest cannot be used, nil if it can.
func (o *options[I, O]) review(a *authored[I, O]) error {
	manifest, err := render.Manifest(a.resource)
	if err != nil {
		return err
	}
	o.streams.Block("\n%s\n", manifest)
	if err := o.validate(a); err != nil {
		o.streams.Error(err)
		return err
	}
	o.printImpact(o.impactOn(a))
	o.streams.Say("")
	return nil
}

// actions returns what can be done with the reviewed manifest.
func (o *options[I, O]) actions(a *authored[I, O], invalid error) []wizard.Action {
	var actions []wizard.Action
	if invalid == nil && o.world.FromManagement() && o.dryRun.String() != dryRunClient {
		actions = append(actions, wizard.Action{ID: actionApply, Label: "Apply it", Detail: "to " + o.world.Kube.Describe()})
	}
	if invalid == nil {
		actions = append(actions,
			wizard.Action{ID: actionSave, Label: "Save it", Detail: "to " + o.saveName(a)},
			wizard.Action{ID: actionSaveAs, Label: "Save as", Detail: "to a file"},
			wizard.Action{ID: actionPrint, Label: "Print it", Detail: "to standard output"},
		)
	}
	return append(actions,
		wizard.Action{ID: actionChange, Label: "Change answers", Detail: "to selected questions"},
		wizard.Action{ID: actionEdit, Label: "Edit the YAML", Detail: "in your editor"},
		wizard.Action{ID: actionCancel, Label: "Cancel", Detail: "and create nothing"},
	)
}

// saveName returns the file to save to unless the user names another.
func (o *options[I, O]) saveName(a *authored[I, O]) string {
	extension := ".yaml"
	if o.format.String() == "json" {
		extension = ".json"
	}
	return cmp.Or(o.save, a.resource.GetName()+extension)
}

// finish prints or saves the manifest. It reports false if that was not done
// and something else may be tried, such as another file.
func (o *options[I, O]) finish(prompter wizard.Prompter, a *authored[I, O], action string) (done bool, err error) {
	if action == actionPrint {
		err := o.deliver(a, "")
		o.printCommand(a, "")
		return true, err
	}
	file := o.saveName(a)
	if action == actionSaveAs {
		file, err = prompter.Input(wizard.Question{
			Text: "File:", Help: "The manifest is written to this file. You are asked before an existing file is replaced.",
		}, file, nil)
		if err != nil {
			return false, err
		}
	}
	replace := o.overwrite && file == o.save
	if _, err := os.Lstat(file); err == nil && !replace {
		replace, err = prompter.Confirm(wizard.Question{Text: file + " exists. Replace it?", Help: "Its current content will be lost."}, false)
		if err != nil || !replace {
			return false, err
		}
	}
	if err := o.saveTo(a, file, replace); err != nil {
		o.streams.Error(err)
		return false, nil
	}
	o.printCommand(a, file)
	return true, nil
}

// editInteractively lets the user edit the manifest until it is valid or the
// edit is given up; what was typed is never lost.
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
		if ctx.Err() != nil {
			previous.Keep(o.streams)
			return err
		}
		o.streams.Error(err)
		previous.Keep(o.streams)
		again, err := prompter.Confirm(wizard.Question{Text: "Edit again?", Help: "No restores the manifest from before the edit."}, true)
		if err != nil || !again {
			return err
		}
	}
}

// printCommand shows how to create the same resource without questions.
func (o *options[I, O]) printCommand(a *authored[I, O], file string) {
	arguments, exact := o.kind.Arguments(a.resource)
	if !exact {
		o.streams.Block("\nFlags cannot express all of this manifest. Save it to a file and use --from FILE.")
		return
	}
	first := []string{"meshctl", "create", o.kind.Noun, a.resource.GetName()}
	first = append(first, o.world.Words()...)
	if namespace := a.resource.GetNamespace(); namespace != world.DefaultNamespace || o.namespace != "" {
		first = append(first, "-n", namespace)
	}
	var flags []string
	for _, argument := range arguments {
		flags = append(flags, "--"+argument.Name+"="+argument.Value)
	}
	if format := o.format.String(); format != "" {
		flags = append(flags, "--output="+format)
	}
	if file != "" {
		flags = append(flags, "--save="+file)
	}
	o.streams.Block("\nEquivalent command:\n\n%s", commandLine(first, flags))
}
