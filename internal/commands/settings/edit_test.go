package settings

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
)

func TestEditConfigKeepsTheRest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, before, key, want string
		// value is the new value; nil removes the key.
		value any
	}{
		{name: "no file", key: Color, value: "never", want: "color: never\n"},
		{name: "empty file", before: "\n", key: Color, value: "never", want: "color: never\n"},
		{name: "comments only", before: "# mine\n", key: Color, value: "never", want: "# mine\n\ncolor: never\n"},
		{
			name: "in place, with comments", key: Color, value: "never",
			before: "# mine\n\n# dark background\ncolor: always # as ever\nrecursive: true\n",
			want:   "# mine\n\n# dark background\ncolor: never # as ever\nrecursive: true\n",
		},
		{
			name: "at the end", before: "recursive: true\n", key: Filename, value: []string{"a b", "c"},
			want: "recursive: true\nfilename:\n  - a b\n  - c\n",
		},
		{name: "text that looks like something else", key: Namespace, value: "1", want: "namespace: \"1\"\n"},
		{name: "removed", before: "color: never\nrecursive: true # deep\n", key: Color, want: "recursive: true # deep\n"},
		{name: "removed, twice there", before: "color: never\ncolor: always\n", key: Color, want: "{}\n"},
		{name: "set after nothing was left", before: "{}\n", key: Color, value: "never", want: "color: never\n"},
		{name: "not there", before: "recursive:   true\n", key: Color, want: "recursive:   true\n"},
		{name: "keys of others", before: "later: {a: 1}\n", key: Color, value: "never", want: "later: {a: 1}\ncolor: never\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "made", "config.yaml")
			if tt.before != "" {
				path = filepath.Join(t.TempDir(), "config.yaml")
				if err := os.WriteFile(path, []byte(tt.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Edit(t.Context(), Location{Path: path}, func(config *Document) error {
				if tt.value == nil {
					config.Unset(tt.key)
					return nil
				}
				return config.Set(tt.key, tt.value)
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
			others, err := os.ReadDir(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			if len(others) != 1 {
				t.Errorf("files left behind: %v", others)
			}
		})
	}
}

func TestEditConfigPermissions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	edit := func(path string) {
		t.Helper()
		change := func(config *Document) error { return config.Set(Color, "never") }
		if _, err := Edit(t.Context(), Location{Path: path}, change); err != nil {
			t.Fatal(err)
		}
	}
	mode := func(path string) fs.FileMode {
		t.Helper()
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	created := filepath.Join(dir, "meshctl", "config.yaml")
	edit(created)
	if got := mode(created); got != 0o644 {
		t.Errorf("a new file has mode %v", got)
	}
	if got := mode(filepath.Dir(created)); got != fs.ModeDir|0o700 {
		t.Errorf("a new directory has mode %v", got)
	}
	kept := filepath.Join(dir, "kept.yaml")
	if err := os.WriteFile(kept, []byte("color: always\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink(kept, link); err != nil {
		t.Fatal(err)
	}
	edit(link)
	if got := mode(kept); got != 0o600 {
		t.Errorf("an existing file has mode %v afterwards", got)
	}
	if got := mode(link); got.Type() != fs.ModeSymlink {
		t.Errorf("the link became %v", got)
	}
	if text, _ := os.ReadFile(kept); string(text) != "color: never\n" {
		t.Errorf("the file behind the link has\n%s", text)
	}
}

// TestEditConfigTogether edits a file concurrently while reading it: no edit is lost, and no
// partial edit is ever visible.
func TestEditConfigTogether(t *testing.T) {
	t.Parallel()
	location := Location{Path: filepath.Join(t.TempDir(), "config.yaml")}
	const editors = 8
	var group sync.WaitGroup
	for i := range editors {
		group.Go(func() {
			_, err := Edit(t.Context(), location, func(config *Document) error {
				return config.Set(fmt.Sprintf("key-%d", i), strings.Repeat("x", 10000))
			})
			if err != nil {
				t.Errorf("editor %d: %v", i, err)
			}
		})
		group.Go(func() {
			if _, err := open(location); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("reader %d: %v", i, err)
			}
		})
	}
	group.Wait()
	config, err := open(location)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(config.entries.Content) / 2; got != editors {
		t.Errorf("%d of %d edits are in the file", got, editors)
	}
}

func TestLockConfig(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	waiting, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = lock(waiting, path)
	if cli.ExitCode(err) != cli.ExitTimeout || !strings.Contains(err.Error(), path+".lock") {
		t.Errorf("a locked file: %v, want a timeout that names the lock", err)
	}
	// The process that held the lock ended some time ago.
	past := time.Now().Add(-2 * lockLifetime)
	if err := os.Chtimes(path+".lock", past, past); err != nil {
		t.Fatal(err)
	}
	unlockToo, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	unlockToo()
	unlock()
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock is left behind: %v", err)
	}
}

// FuzzConfig parses any text as a configuration file and, if it is valid, edits it.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"", "color: never\n", "filename: [a, &x b, *x]\nrecursive: true\n", "# only\n", "a: b\n---\nc: d\n", "{}", "[]", "? {a: b}\n: c", "color: *x", "\t", "\xff", "\xfe\xff", "\xef\xbb\xbf# mark\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		config, err := parse("config.yaml", []byte(text))
		if err != nil {
			return
		}
		_, _ = config.settings()
		if err := config.Set(Color, "never"); err != nil {
			t.Fatal(err)
		}
		edited, err := config.text()
		if err != nil {
			return // invalid, so nothing is written
		}
		again, err := parse("config.yaml", edited)
		if err != nil {
			t.Fatalf("%q is edited to %q, which cannot be read: %v", text, edited, err)
		}
		values, _ := again.settings()
		if values[Color] != "never" {
			t.Errorf("%q is edited to %q, which does not set the color", text, edited)
		}
	})
}
