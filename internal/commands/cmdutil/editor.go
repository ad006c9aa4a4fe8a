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

// ManifestEditor lets the user change a manifest.
type ManifestEditor func(ctx context.Context, manifest []byte) (EditedManifest, error)

// EditedManifest is what the user made of a manifest.
type EditedManifest struct {
	// Text is what was typed, also if the editor failed; nil if there is none.
	Text []byte
	// path is the file it was edited in, empty if there is nothing in it to lose.
	// It stays until discard is called, so that an edit that turns out to be of no
	// use is not lost.
	path string
}

// Discard removes the file.
func (e EditedManifest) Discard() {
	if e.path != "" {
		_ = os.Remove(e.path)
	}
}

// Keep says where the text is, for a user who cannot use it now.
func (e EditedManifest) Keep(streams *cli.Streams) {
	if e.path != "" {
		streams.Say("your changes are saved in %s: use --from to continue", e.path)
	}
}

// EditManifest opens the manifest in the user's editor. It fails if the editor
// does, or leaves nothing. Interrupts are the editor's own while it runs: in some
// of them they do not mean the end.
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
	// The variable may hold arguments and is a piece of shell by convention. The
	// shell must not end by what the terminal sends to the editor.
	cmd := exec.CommandContext(ctx, "sh", "-c", "trap : INT; "+editor+` "$1"`, "sh", path) //nolint:gosec // running what $EDITOR says is its meaning
	cmd.Stdin = streams.In
	// Standard output carries data only; the terminal is behind standard error.
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

// writeTemporary writes a new file that only the user can read.
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
