package internal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// errWriters are the lines of the program that use standard error itself, and
// why. All others use the functions for messages of internal/cli, which escape
// what could control a terminal.
func errWriters() map[string]string {
	return map[string]string{
		"cmd.SetErr(f.Streams.Err)":                         "cobra prints nothing there but deprecations",
		"cmd.Stdout, cmd.Stderr = streams.Err, streams.Err": "the editor of the user has the terminal",
	}
}

func TestMessagesAreEscaped(t *testing.T) {
	t.Parallel()
	known := errWriters()
	for _, top := range []string{"../internal", "../cmd"} {
		err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			name := strings.TrimPrefix(filepath.ToSlash(path), "../")
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || within(name, "internal/cli") || within(name, "internal/output") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, line := range errWrites(string(text)) {
				if known[line] == "" {
					t.Errorf("%s uses standard error itself: %s\nuse Say, Warn, Fail, Error, Block or Progress of internal/cli", name, line)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrWrites(t *testing.T) {
	t.Parallel()
	const text = "\tfmt.Fprintf(o.streams.Err, x)\nstreams.Say(x)\nout := a.streams.Err\nif p.streams.ErrTerminal {\nstreams.Error(err)\nreturn x.Err\n"
	if diff := cmp.Diff([]string{"fmt.Fprintf(o.streams.Err, x)", "out := a.streams.Err"}, errWrites(text)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

// errWrites finds the lines of a Go file that use standard error.
func errWrites(text string) []string {
	var lines []string
	uses := regexp.MustCompile(`[sS]treams\.Err\b`)
	for line := range strings.Lines(text) {
		if uses.MatchString(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
