package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/meshctl/meshctl/internal/cli"
)

// manifestEditor lets the user change a manifest.
type manifestEditor func(ctx context.Context, manifest []byte) (editedManifest, error)

// editedManifest is what the user made of a manifest.
type editedManifest struct {
	text []byte
	// path is the file it was edited in. It stays until discard is called, so
	// that an edit that turns out to be invalid is not lost.
	path    string
	discard func()
}

// editManifest opens $VISUAL or $EDITOR, else vi, on a copy of the manifest.
// After a failure the file is kept, and the error names it.
func editManifest(ctx context.Context, streams *cli.Streams, manifest []byte) (editedManifest, error) {
	editor := streams.Getenv("VISUAL")
	if editor == "" {
		editor = streams.Getenv("EDITOR")
	}
	if editor == "" {
		editor = "vi"
	}
	path, err := writeTemporary(manifest)
	if err != nil {
		return editedManifest{}, fmt.Errorf("cannot open the manifest in an editor: %w", err)
	}
	edited := editedManifest{path: path, discard: func() { _ = os.Remove(path) }}
	// The variable may hold arguments and is a piece of shell by convention.
	cmd := exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", path) //nolint:gosec // running what $EDITOR says is its meaning
	cmd.Stdin = streams.In
	// Standard output carries data only; the terminal is behind standard error.
	cmd.Stdout, cmd.Stderr = streams.Err, streams.Err
	if err := cmd.Run(); err != nil {
		return edited, fmt.Errorf("editor %q failed: %w; your text is kept in %s", editor, err, path)
	}
	edited.text, err = os.ReadFile(path)
	if err != nil {
		return edited, fmt.Errorf("cannot read back what editor %q left in %s: %w", editor, path, err)
	}
	if len(bytes.TrimSpace(edited.text)) == 0 {
		edited.discard()
		return edited, errors.New("the edited manifest is empty: nothing is created")
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
