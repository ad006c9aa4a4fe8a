package file_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli/file"
)

// files returns all files below a directory with their modes and contents.
func files(t *testing.T, directory string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(directory, path)
		found[filepath.ToSlash(name)] = info.Mode().String() + " " + string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTreeReplace(t *testing.T) {
	t.Parallel()
	for kind, mode := range map[file.Kind]string{file.Public: "-rw-r--r--", file.Secret: "-rw-------"} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			directory := filepath.Join(t.TempDir(), "new")
			tree, err := file.Make(directory, kind)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = tree.Close() })
			for _, content := range []string{"old", "new"} {
				if err := tree.Replace("a/b/c.yaml", []byte(content)); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(map[string]string{"a/b/c.yaml": mode + " new"}, files(t, directory)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if got, err := tree.Read("a/b/c.yaml"); string(got) != "new" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
			info, err := os.Stat(filepath.Join(directory, "a"))
			if err != nil || kind == file.Secret && info.Mode().Perm() != 0o700 {
				t.Errorf("a directory of secrets has mode %v, %v", info.Mode(), err)
			}
		})
	}
}

// TestTreeStaysInside holds that neither names nor links lead out of a tree, and
// that no link is written through.
func TestTreeStaysInside(t *testing.T) {
	t.Parallel()
	for _, kind := range []file.Kind{file.Public, file.Secret} {
		outside, directory := t.TempDir(), t.TempDir()
		if err := os.WriteFile(filepath.Join(outside, "victim"), []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, target := range map[string]string{"directory": outside, "file": filepath.Join(outside, "victim"), "inside": "real", "dangling": filepath.Join(outside, "new")} {
			if err := os.Symlink(target, filepath.Join(directory, name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(directory, "taken"), 0o700); err != nil {
			t.Fatal(err)
		}
		tree, err := file.Open(directory, kind)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tree.Close() })
		for _, path := range []string{"../victim", "directory/victim", "directory/new", "file", "inside", "dangling", "taken", "/etc/passwd"} {
			if err := tree.Replace(path, []byte("x")); err == nil {
				t.Errorf("%s: wrote %s", kind, path)
			}
			if _, err := tree.Read(path); err == nil {
				t.Errorf("%s: read %s", kind, path)
			}
		}
		if err := tree.Replace("file", nil); !errors.Is(err, file.ErrNotRegular) {
			t.Errorf("%s: a link fails with %v", kind, err)
		}
		if diff := cmp.Diff(map[string]string{"victim": "-rw------- kept"}, files(t, outside)); diff != "" {
			t.Errorf("%s: outside (-want +got):\n%s", kind, diff)
		}
		entries, err := os.ReadDir(directory)
		if err != nil || len(entries) != 5 {
			t.Errorf("%s: the tree has %v, %v", kind, entries, err)
		}
	}
}
