package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Kind decides the permissions of the files in a Tree.
type Kind string

// The kinds of trees.
const (
	// Public files are readable by all users, as far as the umask allows.
	Public Kind = "public"
	// Secret files are readable by their owner only, and are synced to disk when
	// written.
	Secret Kind = "secret"
)

func (k Kind) mode() fs.FileMode {
	if k == Secret {
		return 0o600
	}
	return 0o644
}

func (k Kind) directoryMode() fs.FileMode {
	if k == Secret {
		return 0o700
	}
	return 0o755
}

// Tree is a directory in which programs write files. Neither a name nor a
// symbolic link can lead out of it.
type Tree struct {
	root *os.Root
	kind Kind
}

// ErrNotRegular is returned for a file to read or replace that is a link, a
// directory or the like.
var ErrNotRegular = errors.New("not a regular file")

// Open opens a directory.
func Open(path string, kind Kind) (*Tree, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Tree{root, kind}, nil
}

// Make is Open, but creates the directory if it does not exist.
func Make(path string, kind Kind) (*Tree, error) {
	if err := os.MkdirAll(path, kind.directoryMode()); err != nil {
		return nil, err
	}
	return Open(path, kind)
}

// Close releases the directory.
func (t *Tree) Close() error { return t.root.Close() }

// FS returns the directory as a file system for reading.
func (t *Tree) FS() fs.FS { return t.root.FS() }

// Read returns the content of a file, or ErrNotRegular for a link or a directory.
func (t *Tree) Read(path string) ([]byte, error) {
	if err := t.checkRegular(path); err != nil {
		return nil, err
	}
	return t.root.ReadFile(path)
}

// Remove removes a file or an empty directory.
func (t *Tree) Remove(path string) error { return t.root.Remove(path) }

// Replace atomically replaces the content of a file and creates missing
// directories: readers see the old or the new content. On failure the old file
// stays and the temporary file is removed.
func (t *Tree) Replace(path string, content []byte) error {
	if err := t.checkRegular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	directory := filepath.Dir(path)
	if err := t.root.MkdirAll(directory, t.kind.directoryMode()); err != nil {
		return err
	}
	const enough = 8
	digest := sha256.Sum256([]byte(path))
	temporary := filepath.Join(directory, ".meshctl-"+hex.EncodeToString(digest[:enough]))
	if err := t.root.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) { // left over from a run that was killed
		return err
	}
	file, err := t.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, t.kind.mode())
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if t.kind == Secret {
		err = errors.Join(err, file.Sync())
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = t.root.Rename(temporary, path)
	}
	if err != nil {
		_ = t.root.Remove(temporary) // the first error is the cause
	}
	return err
}

func (t *Tree) checkRegular(path string) error {
	info, err := t.root.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	return nil
}
