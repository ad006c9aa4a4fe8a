package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/meshctl/meshctl/internal/cli/file"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.yaml")
	for _, content := range []string{"old", "new"} {
		if err := file.Replace(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("read %q and %v, want %q", got, err, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v and error %v, want 0600", info.Mode(), err)
	}
	wantFiles(t, filepath.Dir(path), "secret.yaml")
}

func TestReplaceFails(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	path := filepath.Join(directory, "taken")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := file.Replace(path, []byte("new"), 0o600); err == nil {
		t.Error("a directory was replaced by a file")
	}
	wantFiles(t, directory, "taken")
	if err := file.Replace(filepath.Join(directory, "missing", "file"), nil, 0o600); !os.IsNotExist(err) {
		t.Errorf("in a directory that does not exist: got error %v", err)
	}
}

func wantFiles(t *testing.T, directory, name string) {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("the directory has %v (error %v), want %s alone", entries, err, name)
	}
}
