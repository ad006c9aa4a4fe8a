package create

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/kballard/go-shellquote"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
)

// draftExtension differs from that of manifests, so that commands which read a
// directory of manifests ignore drafts.
const draftExtension = ".draft"

// offerDraft lets a user who interrupted the questions save the answers. Another
// interrupt discards them.
func (o *options[I, O]) offerDraft(prompter wizard.Prompter, a *authored[I, O]) {
	saved := ""
	_, err := prompter.Input(wizard.Question{
		Text: "Save your answers to (Ctrl-C discards them):",
		Help: "You can continue from this file later. Nothing has been created.",
	}, draftName(a.resource.GetName(), o.kind.Noun), func(file string) error {
		content, err := o.draftManifest(a, file)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(file); err == nil {
			return fmt.Errorf("%s already exists: choose another file", file)
		}
		if err := cmdutil.SaveFile(file, content, false); err != nil {
			return err
		}
		saved = file
		return nil
	})
	if err == nil && saved != "" {
		o.streams.Say("answers saved to %s; to continue, run:", saved)
		o.streams.Say("  %s", o.continuation(saved))
	}
}

// draftName returns a file that does not exist yet.
func draftName(name, noun string) string {
	if name == "" {
		name = noun
	}
	file := name + draftExtension
	for n := 2; ; n++ {
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) || n > 100 {
			return file
		}
		file = fmt.Sprintf("%s-%d%s", name, n, draftExtension)
	}
}

// draftManifest returns the manifest of a draft with a comment that says so.
func (o *options[I, O]) draftManifest(a *authored[I, O], file string) ([]byte, error) {
	manifest, err := render.Manifest(a.resource)
	if err != nil {
		return nil, err
	}
	note := "# Draft. To continue, run:\n"
	if len(a.open) > 0 {
		note = fmt.Sprintf("# Draft, not complete: %s not asked yet. Do not apply it: what is left out\n# may select everything. To continue, run:\n",
			strings.ToLower(text.And(a.open)))
	}
	return append([]byte(note+"#   "+o.continuation(file)+"\n"), manifest...), nil
}

// continuation returns the command that continues with the questions.
func (o *options[I, O]) continuation(file string) string {
	words := []string{"meshctl", "create", o.kind.Noun}
	words = append(words, o.world.Words()...)
	words = append(words, "--interactive", "--from", file)
	if o.save != "" {
		words = append(words, "--save", o.save)
	}
	words = append(words, o.dryRunFlags()...)
	return shellquote.Join(words...)
}
