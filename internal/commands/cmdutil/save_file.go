package cmdutil

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/file"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// ManifestMode is the mode of saved manifests, which contain no secrets.
const ManifestMode = 0o644

// SaveFile writes a new file, or replaces one if overwrite is set. After an error, no partial
// file is left, and an existing file is unchanged. It returns an error if the file exists and
// overwrite is not set, or if it cannot be written.
func SaveFile(path string, content []byte, overwrite bool) error {
	if !overwrite {
		return saveNew(path, content)
	}
	// Replace the target of a link, not the link itself.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode := fs.FileMode(ManifestMode)
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() {
			return file.CannotSave(path, errors.New("not a regular file"))
		}
		mode = info.Mode().Perm()
	}
	if err := file.Replace(path, content, mode); err != nil {
		return file.CannotSave(path, err)
	}
	return nil
}

func saveNew(path string, content []byte) error {
	created, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ManifestMode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already exists: choose another file, or pass --overwrite", path)
	}
	if err != nil {
		return file.CannotSave(path, err)
	}
	_, err = created.Write(content)
	if err = errors.Join(err, created.Close()); err != nil {
		_ = os.Remove(path)
		return file.CannotSave(path, err)
	}
	return nil
}

// ClusterDirectory returns the directory for the files of a cluster: the name of the cluster
// if that is a safe file name, or else a sanitised name with a digest.
func ClusterDirectory(cluster string) string {
	fit := len(cluster) <= MaxFileName && !strings.HasPrefix(cluster, ".") && !strings.ContainsFunc(cluster, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", r)
	})
	if fit {
		return cluster
	}
	return naming.Sanitise(strings.TrimLeft(cluster, ".")) + "-" + naming.Digest(cluster)[:FileDigest]
}

// Limits of file names, in characters.
const (
	// MaxFileName is the maximum length of a file name.
	MaxFileName = 200
	// FileDigest is the length of the digest in a file name.
	FileDigest = 8
)
