package commands

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	makefile = "../../Makefile"
	repoRoot = "../.."
)

// TestTranscripts runs every `$ meshctl` command of the README and the tour in the bundled
// world, and `$ make demo` at the root, and compares the output with the page, where a line
// `...` stands for any lines. Set UPDATE=1 to update the pages: each part between two `...`
// keeps its first and last line.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	StartsProcesses(t)
	for _, page := range []string{"README.md", "docs/tour.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			checkTranscripts(t, page)
		})
	}
}

func checkTranscripts(t *testing.T, page string) {
	t.Helper()
	path := filepath.Join(repoRoot, page)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	update := os.Getenv("UPDATE") != ""
	lines := strings.Split(string(text), "\n")
	transcripts := findTranscripts(lines)
	if len(transcripts) < 5 {
		t.Fatalf("found only %d transcripts in %s", len(transcripts), page)
	}
	// Backwards, so that an update does not move the others.
	for _, shown := range slices.Backward(transcripts) {
		t.Run(shown.command, func(t *testing.T) {
			got := shown.run(t)
			want := lines[shown.from:shown.to]
			if update {
				want = refresh(t, want, got)
				lines = slices.Replace(lines, shown.from, shown.to, want...)
			}
			if !matches(want, got) {
				t.Errorf("%s:%d does not show the output of the command (-shown +printed); update with `make update-golden`:\n%s",
					page, shown.from, cmp.Diff(want, got))
			}
		})
	}
	if update {
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// transcript is a command on a page, with the range of lines of its output (from inclusive, to
// exclusive).
type transcript struct {
	command  string
	from, to int
}

// findTranscripts returns the commands in blocks of the language `console`.
func findTranscripts(lines []string) []transcript {
	var found []transcript
	inside := false
	for i := 0; i < len(lines); i++ {
		switch {
		case strings.HasPrefix(lines[i], "```"):
			inside = lines[i] == "```console"
		case inside && strings.HasPrefix(lines[i], "$ "):
			command := strings.TrimPrefix(lines[i], "$ ")
			if strings.HasSuffix(command, "<<EOF") {
				for command += "\n"; lines[i] != "EOF"; command += lines[i] + "\n" {
					i++
				}
			}
			shown := transcript{command: command, from: i + 1}
			for i+1 < len(lines) && !strings.HasPrefix(lines[i+1], "```") && !strings.HasPrefix(lines[i+1], "$ ") {
				i++
			}
			shown.to = i + 1
			found = append(found, shown)
		}
	}
	return found
}

// run returns the lines that the command prints.
func (s transcript) run(t *testing.T) []string {
	t.Helper()
	command, dir := s.command, bookinfo
	if command == "make demo" {
		command, dir = demoCommand(t), repoRoot
	}
	if !strings.HasPrefix(command, "meshctl ") {
		t.Fatalf("no way to test %q", command)
	}
	if _, err := exec.LookPath("jq"); err != nil && strings.Contains(command, "jq ") {
		if os.Getenv("CI") != "" {
			t.Fatal("jq is not installed; .ci/run should have seen to that")
		}
		t.Skip("install jq to check this transcript; continuous integration does")
	}
	out, _ := runShell(t, dir, command)
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

// demoCommand returns what `make demo` runs, as a command of meshctl.
func demoCommand(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(makefile)
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, found := strings.Cut(string(text), "\ndemo:")
	_, recipe, runs := strings.Cut(recipe, "go run ./cmd/meshctl ")
	if !found || !runs {
		t.Fatal("the Makefile has no demo that runs meshctl")
	}
	arguments, _, _ := strings.Cut(recipe, "\n")
	return "meshctl " + arguments
}

func isEllipsis(line string) bool { return strings.TrimSpace(line) == "..." }

// matches reports whether the printed lines are what is shown.
func matches(shown, printed []string) bool {
	if len(shown) == 0 {
		return len(printed) == 0
	}
	if !isEllipsis(shown[0]) {
		return len(printed) > 0 && printed[0] == shown[0] && matches(shown[1:], printed[1:])
	}
	for i := range len(printed) + 1 {
		if matches(shown[1:], printed[i:]) {
			return true
		}
	}
	return false
}

// refresh returns what is shown with the lines as they are printed now.
func refresh(t *testing.T, shown, printed []string) []string {
	t.Helper()
	var fresh []string
	for i := 0; i < len(shown); i++ {
		if isEllipsis(shown[i]) {
			fresh = append(fresh, shown[i])
			continue
		}
		last := i
		for last+1 < len(shown) && !isEllipsis(shown[last+1]) {
			last++
		}
		from, to := 0, len(printed)
		if i > 0 {
			from = findLike(t, printed, shown[i])
		}
		if last+1 < len(shown) {
			to = from + findLike(t, printed[from:], shown[last]) + 1
		}
		fresh, printed, i = append(fresh, printed[from:to]...), printed[to:], last
	}
	return fresh
}

// findLike returns the position of the line that starts most like the one
// shown: with as many of its words as possible, but at least two or all.
func findLike(t *testing.T, printed []string, shown string) int {
	t.Helper()
	words := strings.Fields(shown)
	for n := len(words); n >= min(len(words), 2); n-- {
		i := slices.IndexFunc(printed, func(line string) bool {
			candidate := strings.Fields(line)
			return len(candidate) >= n && slices.Equal(candidate[:n], words[:n])
		})
		if i >= 0 {
			return i
		}
	}
	t.Fatalf("nothing printed now starts like %q: edit the page by hand", shown)
	return 0
}
