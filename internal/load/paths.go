package load

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stdinPath is how users name standard input, stdinName how it is shown.
const (
	stdinPath = "-"
	stdinName = "stdin"
)

// manifest is one file to read.
type manifest struct {
	// name is what users know the file by.
	name string
	// stdin says to read standard input instead of a file.
	stdin bool
	// named: the user named the file itself, not a directory that it is in.
	named bool
	// unreadable is why the file cannot be read, nil if it can as far as known.
	unreadable error
}

// pathFinder collects the files below the paths of the user, each once.
type pathFinder struct {
	recursive bool
	manifests []manifest
	// seen holds the files and directories that were met, without symbolic links.
	seen map[string]bool
}

// findManifests returns the files to read in the order of the paths, those of a
// directory sorted by name. It reports paths that do not exist, directories
// without manifests, and what is not a path at all; all of them at once.
func findManifests(paths []string, recursive bool) ([]manifest, error) {
	if len(paths) == 0 {
		return nil, errors.New("no files to load: pass files or directories, or - for standard input")
	}
	f := &pathFinder{recursive: recursive, seen: map[string]bool{}}
	var errs []error
	for i, path := range paths {
		errs = append(errs, f.add(path, slices.Contains(paths[:i], path)))
	}
	return f.manifests, errors.Join(errs...)
}

// add takes one path of the user; repeated says that it was given before.
func (f *pathFinder) add(path string, repeated bool) error {
	switch {
	case path == stdinPath && repeated:
		return errors.New("standard input (-) is given twice")
	case path == stdinPath:
		f.manifests = append(f.manifests, manifest{name: stdinName, stdin: true, named: true})
		return nil
	case path == "":
		return errors.New("empty path: pass a file or a directory, or - for standard input")
	case isURL(path):
		return fmt.Errorf("%s is a URL: only files are read; download it, or pipe it into -f -", path)
	case repeated:
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: check the path, which is relative to the working directory", path)
	case err != nil:
		return fmt.Errorf("cannot access %s: %w", path, reason(err))
	case !info.IsDir():
		if f.meet(path) {
			f.manifests = append(f.manifests, manifest{name: path, named: true})
		}
		return nil
	}
	return f.addDirectory(path)
}

func (f *pathFinder) addDirectory(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("cannot list directory %s: %w", path, reason(err))
	}
	before := len(f.seen)
	f.meet(path)
	if f.directory(path, entries) || len(f.seen) > before+1 {
		return nil
	}
	if !f.recursive && hasManifestBelow(path) {
		return fmt.Errorf("directory %s has manifests only in subdirectories: add -R to read those too", path)
	}
	return fmt.Errorf("directory %s has no manifests: none of its files ends in %s", path, strings.Join(extensions(), ", "))
}

// directory adds the manifests of a directory, and reports whether it has any,
// be they new or not.
func (f *pathFinder) directory(path string, entries []os.DirEntry) bool {
	found := false
	for _, entry := range entries {
		file := filepath.Join(path, entry.Name())
		info, err := os.Stat(file) // follows links, which the entry does not
		switch {
		case err == nil && info.IsDir():
			if f.recursive && !isVolumeInternal(entry.Name()) && f.subdirectory(file) {
				found = true
			}
		case !isManifest(entry.Name()):
		case err == nil && !info.Mode().IsRegular():
			// Reading a pipe that merely lies there might never end.
		case !f.meet(file):
			found = true
		default:
			found = true
			f.manifests = append(f.manifests, manifest{name: file, unreadable: err})
		}
	}
	return found
}

func (f *pathFinder) subdirectory(path string) bool {
	if !f.meet(path) {
		return false
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		f.manifests = append(f.manifests, manifest{name: path, unreadable: err})
		return true
	}
	return f.directory(path, entries)
}

// meet reports whether a file or directory is met for the first time, by
// whatever name.
func (f *pathFinder) meet(path string) bool {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path // a pipe such as /dev/fd/63 has no other name
	}
	if absolute, err := filepath.Abs(target); err == nil {
		target = absolute
	}
	if f.seen[target] {
		return false
	}
	f.seen[target] = true
	return true
}

// hasManifestBelow reports whether a subdirectory has a manifest, without
// following links.
func hasManifestBelow(path string) bool {
	found := false
	// What cannot be looked into does not make the hint wrong.
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && isManifest(entry.Name()) {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

func extensions() []string { return []string{".yaml", ".yml", ".json"} }

func isManifest(name string) bool {
	return slices.Contains(extensions(), filepath.Ext(name))
}

// isVolumeInternal recognises the directories by which Kubernetes switches the
// contents of a mounted ConfigMap; the files in it have proper names, too.
func isVolumeInternal(name string) bool { return strings.HasPrefix(name, "..") }

func isURL(path string) bool {
	scheme, _, found := strings.Cut(strings.ToLower(path), "://")
	return found && slices.Contains([]string{"http", "https", "file", "git", "oci", "s3", "gs"}, scheme)
}

// reason takes the path, which the message has already, off an error of os.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
