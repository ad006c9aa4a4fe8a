package create

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/file"
	"github.com/meshctl/meshctl/internal/commands/create/choices"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
)

// The actions after the review.
const (
	actionApply  = "apply"
	actionSave   = "save"
	actionSaveAs = "save-as"
	actionPrint  = "print"
	actionChange = "change"
	actionEdit   = "edit"
	actionCancel = "cancel"
)

// runInteractively asks for what the flags leave open and shows the result, until the
// user accepts it or cancels. After an interrupt, the answers can be saved.
func (o *options[I, O]) runInteractively(ctx context.Context, a *authored[I, O]) error {
	prompter := o.prompter(ctx)
	err := o.author(ctx, prompter, a)
	if a.answered && errors.Is(err, cli.ErrCancelled) && !errors.Is(err, errDeclined) && ctx.Err() == nil {
		o.offerDraft(prompter, a)
	}
	return err
}

// errDeclined is the error after the action to cancel.
var errDeclined = fmt.Errorf("nothing created: %w", cli.ErrCancelled)

// author asks the questions and repeats the review until the resource is applied,
// saved or printed.
func (o *options[I, O]) author(ctx context.Context, prompter wizard.Prompter, a *authored[I, O]) error {
	offered := choices.Catalogue(o.meaning(a), o.existing(a.world))
	if err := o.ask(a, o.draft(a), func(draft *wizard.Draft[I]) error { return o.questions(prompter, offered, draft) }); err != nil {
		return err
	}
	if o.editFirst {
		if err := o.editInteractively(ctx, prompter, a); err != nil {
			return err
		}
	}
	for {
		invalid := o.review(a)
		changes := false
		for !changes {
			// Errors are shown right above this question, below the manifest.
			action, err := wizard.Review(prompter, o.actions(a, invalid))
			if err != nil {
				return err
			}
			switch action.ID {
			case actionApply:
				if err := o.apply(ctx, a); err != nil {
					o.streams.Error(err) // the user can try again, or save it
					continue
				}
				o.printCommand(a, o.dryRunFlags()...)
				return a.outcome()
			case actionSave, actionSaveAs, actionPrint:
				done, err := o.finish(prompter, a, action.ID)
				if err != nil {
					return err
				}
				if done {
					return a.outcome()
				}
			case actionChange:
				draft := o.draft(a)
				draft.Given = nil // everything may be changed
				if err := o.ask(a, draft, func(draft *wizard.Draft[I]) error { return o.revisit(prompter, offered, draft) }); err != nil {
					return err
				}
				changes = true
			case actionEdit:
				if err := o.editInteractively(ctx, prompter, a); err != nil {
					return err
				}
				changes = true
			default:
				return errDeclined
			}
		}
	}
}

// ask runs the questions about a draft and builds the resource from the answers,
// also from those before an interrupt.
func (o *options[I, O]) ask(a *authored[I, O], draft *wizard.Draft[I], questions func(*wizard.Draft[I]) error) error {
	err := questions(draft)
	var interrupted *wizard.Interrupted
	switch {
	case errors.As(err, &interrupted):
		a.answered = a.answered || interrupted.Answers > 0
		a.open = interrupted.Open
	case err != nil:
		return err
	default:
		a.answered = true
	}
	return cmp.Or(o.rebuild(a, draft), err)
}

// rebuild builds the resource from the answers. Fields that answers cannot express,
// such as labels of --from, keep their values.
func (o *options[I, O]) rebuild(a *authored[I, O], draft *wizard.Draft[I]) (err error) {
	previous := a.resource
	bare := previous.DeepCopyObject().(O)
	bare.SetLabels(nil)
	bare.SetAnnotations(nil)
	base := &previous
	if _, exact := o.kind.Arguments(bare); exact {
		base = nil // removed answers do not come back
	}
	a.resource, err = o.kind.Build(render.Meta{Name: draft.Name, Namespace: draft.Namespace}, draft.Input, base)
	if err == nil && base == nil {
		a.resource.SetLabels(previous.GetLabels())
		a.resource.SetAnnotations(previous.GetAnnotations())
	}
	return err
}

// review shows the manifest and its effect. It returns the error of an invalid
// manifest.
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
	if invalid == nil && o.applies() {
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
		wizard.Action{ID: actionChange, Label: "Change answers", Detail: "to selected questions", Back: true},
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

// finish prints or saves the manifest. It returns false if the user should choose
// again, for example another file.
func (o *options[I, O]) finish(prompter wizard.Prompter, a *authored[I, O], action string) (done bool, err error) {
	if action == actionPrint {
		err := o.deliver(a, "")
		o.printCommand(a, o.printFlags()...)
		return true, err
	}
	file := o.saveName(a)
	if action == actionSaveAs {
		file, err = prompter.Input(wizard.Question{
			Text: "File:", Help: "The manifest is written to this file. You are asked before an existing file is replaced.", Back: true,
		}, file, func(file string) error {
			_, err := existing(file)
			return err
		})
		if err != nil {
			return false, ignoreBack(err)
		}
	}
	replace, err := existing(file)
	if err != nil {
		o.streams.Error(err)
		return false, nil
	}
	if replace && (!o.overwrite || file != o.save) {
		agreed, err := prompter.Confirm(wizard.Question{Text: file + " exists. Replace it?", Help: "Its current content will be lost.", Back: true}, false)
		if err != nil || !agreed {
			return false, ignoreBack(err)
		}
	}
	if err := o.saveTo(a, file, replace); err != nil {
		o.streams.Error(err)
		return false, nil
	}
	flags := []string{"--save=" + file}
	if replace {
		flags = append(flags, "--overwrite")
	}
	o.printCommand(a, flags...)
	return true, nil
}

// existing reports whether a regular file exists. It fails if the manifest can
// neither replace the file nor be created there.
func existing(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return false, file.CannotSave(path, err)
		}
		return false, nil
	case err != nil:
		return false, file.CannotSave(path, err)
	case info.IsDir():
		return false, file.CannotSave(path, errors.New("is a directory"))
	case !info.Mode().IsRegular():
		return false, file.CannotSave(path, errors.New("not a regular file"))
	default:
		return true, nil
	}
}

// ignoreBack returns nil for wizard.ErrBack.
func ignoreBack(err error) error {
	if errors.Is(err, wizard.ErrBack) {
		return nil
	}
	return err
}
