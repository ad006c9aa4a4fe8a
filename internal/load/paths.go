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

// stdinPath is the path that users pass for standard input, stdinName its name in messages.
const (
	stdinPath = "-"
	stdinName = "stdin"
)

// manifest is one file to read.
type manifest struct {
	// name is the file's name in messages.
	name string
	// stdin is true for standard input.
	stdin bool
	// named is true if the user passed the file itself, not a directory that contains it.
	named bool
	// unreadable is why the file cannot be read; nil if no reason is known yet.
	unreadable error
}

// pathFinder collects the files under the user's paths, each once.
type pathFinder struct {
	recursive bool
	manifests []manifest
	// seen holds the files and directories found so far, with symbolic links resolved.
	seen map[string]bool
}

// findManifests returns the files to read in the order of the paths; files of a directory are
// sorted by name. Its error covers all paths that do not exist, all directories without
// manifests, and all arguments that are not paths.
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

// add processes one path of the user; repeated is true if the same path was given before.
func (f *pathFinder) add(path string, repeated bool) error {
	switch {
	case path == stdinPath && repeated:
		return errors.New("standard input (-) is specified more than once")
	case path == stdinPath:
		f.manifests = append(f.manifests, manifest{name: stdinName, stdin: true, named: true})
		return nil
	case path == "":
		return errors.New("empty path: pass a file or a directory, or - for standard input")
	case isURL(path):
		return fmt.Errorf("%s is a URL: only files and directories are supported; download it, or pipe it to -f -", path)
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
		if f.visit(path) {
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
	f.visit(path)
	if f.directory(path, entries) || len(f.seen) > before+1 {
		return nil
	}
	if !f.recursive && hasManifestBelow(path) {
		return fmt.Errorf("directory %s has manifests only in subdirectories: add -R to read those too", path)
	}
	return fmt.Errorf("directory %s has no manifests: none of its files ends in %s", path, strings.Join(extensions(), ", "))
}

// directory adds the manifests of a directory. It reports whether there are any, including
// those found before.
func (f *pathFinder) directory(path string, entries []os.DirEntry) bool {
	found := false
	for _, entry := range entries {
		file := filepath.Join(path, entry.Name())
		info, err := os.Stat(file) // follows links, which entry does not
		switch {
		case err == nil && info.IsDir():
			if f.recursive && !isVolumeInternal(entry.Name()) && f.subdirectory(file) {
				found = true
			}
		case !isManifest(entry.Name()):
		case err == nil && !info.Mode().IsRegular():
			// Skip pipes and the like: reading one might block forever.
		case !f.visit(file):
			found = true
		default:
			found = true
			f.manifests = append(f.manifests, manifest{name: file, unreadable: err})
		}
	}
	return found
}

func (f *pathFinder) subdirectory(path string) bool {
	if !f.visit(path) {
		return false
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		f.manifests = append(f.manifests, manifest{name: path, unreadable: err})
		return true
	}
	return f.directory(path, entries)
}

// visit records a file or directory and reports whether it is new. The same file under another
// name is not.
func (f *pathFinder) visit(path string) bool {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path // a pipe such as /dev/fd/63 cannot be resolved
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

// hasManifestBelow reports whether a subdirectory contains a manifest. It does not follow
// links.
func hasManifestBelow(path string) bool {
	found := false
	// Errors do not matter: the result is only used for a hint.
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

// isVolumeInternal recognises the directories that the kubelet uses to update mounted
// ConfigMaps atomically. Their files also appear under their proper names.
func isVolumeInternal(name string) bool { return strings.HasPrefix(name, "..") }

func isURL(path string) bool {
	scheme, _, found := strings.Cut(strings.ToLower(path), "://")
	return found && slices.Contains([]string{"http", "https", "file", "git", "oci", "s3", "gs"}, scheme)
}

// reason strips the path from an error of package os: the message already names it.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
