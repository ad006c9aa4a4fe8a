package cmdutil

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/meshctl/meshctl/internal/cli"
)

// ManifestEditor lets the user edit a manifest.
type ManifestEditor func(ctx context.Context, manifest []byte) (EditedManifest, error)

// EditedManifest is a manifest edited by the user.
type EditedManifest struct {
	// Text is the content, even if the editor failed; nil if it is empty.
	Text []byte
	// path is the temporary file; empty if there is nothing to keep. The file exists until
	// Discard is called, so that an edit is not lost if it cannot be used.
	path string
}

// Discard deletes the temporary file.
func (e EditedManifest) Discard() {
	if e.path != "" {
		_ = os.Remove(e.path)
	}
}

// Keep prints where the edited text is saved.
func (e EditedManifest) Keep(streams *cli.Streams) {
	if e.path != "" {
		streams.Say("your changes are saved in %s: use --from to continue", e.path)
	}
}

// EditManifest opens the manifest in the user's editor. It returns an error if the editor
// fails or the result is empty. While the editor runs, interrupts are left to it, because some
// editors use them for other purposes.
func EditManifest(ctx context.Context, streams *cli.Streams, signals *Interrupts, manifest []byte) (EditedManifest, error) {
	editor := streams.Getenv("VISUAL")
	if editor == "" {
		editor = streams.Getenv("EDITOR")
	}
	if editor == "" {
		editor = "vi"
	}
	path, err := writeTemporary(manifest)
	if err != nil {
		return EditedManifest{}, fmt.Errorf("cannot open the manifest in an editor: %w", err)
	}
	// By convention, the variable is a shell command and may contain arguments. The trap keeps
	// the shell alive when the terminal sends an interrupt to the editor.
	cmd := exec.CommandContext(ctx, "sh", "-c", "trap : INT; "+editor+` "$1"`, "sh", path) //nolint:gosec // running the command in $EDITOR is intended
	cmd.Stdin = streams.In
	// Standard output is for data only, so the editor uses standard error.
	cmd.Stdout, cmd.Stderr = streams.Err, streams.Err
	release := signals.leave()
	failure := cmd.Run()
	release()
	edited := EditedManifest{path: path}
	edited.Text, err = os.ReadFile(path)
	if blank := len(bytes.TrimSpace(edited.Text)) == 0; blank || bytes.Equal(edited.Text, manifest) {
		if failure != nil || blank {
			edited.Discard()
			edited.path = ""
		}
		if blank {
			edited.Text = nil
		}
	}
	switch {
	case failure != nil:
		return edited, fmt.Errorf("editor %q failed: %w", editor, failure)
	case err != nil:
		return edited, fmt.Errorf("cannot read the file of editor %q: %w", editor, err)
	case edited.Text == nil:
		return edited, errors.New("the edited manifest is empty: nothing created")
	}
	return edited, nil
}

// writeTemporary writes a new temporary file that only the user can read.
func writeTemporary(content []byte) (path string, err error) {
	file, err := os.CreateTemp("", "meshctl-*.yaml")
	if err != nil {
		return "", err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}
