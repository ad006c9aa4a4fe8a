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

// outWriters are the lines that use standard output itself, and why. All others
// print a view with package output, which escapes and lays out.
func outWriters() map[string]string {
	return map[string]string{
		"cmd.SetOut(f.Streams.Out)":                      "cobra prints help, and answers of completion",
		"opts := &completionOptions{out: f.Streams.Out}": "a script is printed as it is",
	}
}

func TestMessagesAreEscaped(t *testing.T) {
	t.Parallel()
	expectWriters(t, `[sS]treams\.Err\b`, errWriters(), "use Say, Warn, Fail, Error, Block or Progress of internal/cli")
}

func TestResultsArePrinted(t *testing.T) {
	t.Parallel()
	expectWriters(t, `[sS]treams\.Out\b`, outWriters(), "use output.Print")
}

// expectWriters expects that no line of the program uses a stream but those that are
// known, all of which exist.
func expectWriters(t *testing.T, stream string, known map[string]string, instead string) {
	t.Helper()
	seen := map[string]bool{}
	for _, top := range []string{"../internal", "../cmd"} {
		err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			name := strings.TrimPrefix(filepath.ToSlash(path), "../")
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || within(name, "internal/cli") || within(name, "internal/output") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, line := range linesWith(stream, string(text)) {
				seen[line] = true
				if known[line] == "" {
					t.Errorf("%s uses a stream itself: %s\n%s", name, line, instead)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for line := range known {
		if !seen[line] {
			t.Errorf("nothing has the line %s any more", line)
		}
	}
}

func TestLinesWith(t *testing.T) {
	t.Parallel()
	const text = "\tfmt.Fprintf(o.streams.Err, x)\nstreams.Say(x)\nout := a.streams.Err\nif p.streams.ErrTerminal {\nstreams.Error(err)\nreturn x.Err\n"
	if diff := cmp.Diff([]string{"fmt.Fprintf(o.streams.Err, x)", "out := a.streams.Err"}, linesWith(`[sS]treams\.Err\b`, text)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

// linesWith finds the lines of a Go file that have the pattern.
func linesWith(pattern, text string) []string {
	var lines []string
	uses := regexp.MustCompile(pattern)
	for line := range strings.Lines(text) {
		if uses.MatchString(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
