// Package file writes files that appear as a whole or not at all.
package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace gives a file a new content and these permissions: whoever opens it
// sees the old or the new content, and nobody can read it with wider permissions
// at any time. If it fails, the old file stays, and no temporary one.
func Replace(path string, content []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".meshctl-*") // readable by nobody else
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // the first error says what matters
	}
	return err
}
