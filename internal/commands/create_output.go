package commands

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kballard/go-shellquote"

	"github.com/meshctl/meshctl/internal/cli/file"
	"github.com/meshctl/meshctl/internal/render"
)

// manifestMode is that of saved manifests: they hold no secrets.
const manifestMode = 0o644

// resourceName names a resource as kubectl does: virtualmesh.GROUP/NAME.
func resourceName(resource render.Object) string {
	gvk := resource.GetObjectKind().GroupVersionKind()
	return strings.ToLower(gvk.Kind) + "." + gvk.Group + "/" + resource.GetName()
}

// saveFile writes a new file, or replaces one if overwrite is set. A file that
// cannot be written completely is not left behind, and one that is replaced
// stays as it was.
func saveFile(path string, content []byte, overwrite bool) error {
	if !overwrite {
		return saveNew(path, content)
	}
	// What a link points at is replaced, not the link.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode := fs.FileMode(manifestMode)
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() {
			return cannotSave(path, errors.New("not a regular file"))
		}
		mode = info.Mode().Perm()
	}
	if err := file.Replace(path, content, mode); err != nil {
		return cannotSave(path, err)
	}
	return nil
}

func saveNew(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, manifestMode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already exists: choose another file, or pass --overwrite", path)
	}
	if err != nil {
		return cannotSave(path, err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(path)
		return cannotSave(path, err)
	}
	return nil
}

func cannotSave(path string, err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err // the path in it may be that of the temporary file
	}
	return fmt.Errorf("cannot save the manifest to %s: %w", path, err)
}

// commandWidth is where a shown command line is broken.
const commandWidth = 80

// commandLine writes a command for a shell to read: the first words and the
// flags on one line, or each flag on a line of its own if that would be long.
func commandLine(first, flags []string) string {
	parts := []string{shellquote.Join(first...)}
	for _, flag := range flags {
		parts = append(parts, shellquote.Join(flag))
	}
	if line := strings.Join(parts, " "); len(line) <= commandWidth {
		return line
	}
	return strings.Join(parts, " \\\n  ")
}

// words returns the flags as on a command line.
func (f *worldFlags) words() []string {
	var words []string
	for _, name := range f.filenames {
		words = append(words, "-f", name)
	}
	if f.recursive && len(f.filenames) > 0 {
		words = append(words, "-R")
	}
	for _, context := range f.contexts {
		words = append(words, "--clusters", context)
	}
	return append(words, f.kube.words()...)
}
