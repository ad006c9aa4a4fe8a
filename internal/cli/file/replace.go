// Package file writes files atomically: readers see the old or the new content,
// never a part.
package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace atomically replaces the content of a file and sets its permissions. The
// content is never readable with wider permissions. On failure the old file stays
// and the temporary file is removed.
func Replace(path string, content []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".meshctl-*") // created with mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // the first error is the cause
	}
	return err
}

// CannotSave returns the error that a manifest could not be saved to path.
func CannotSave(path string, err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err // its path may be that of the temporary file
	}
	return fmt.Errorf("cannot save the manifest to %s: %w", path, err)
}
