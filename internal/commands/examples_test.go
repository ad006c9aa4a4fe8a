package commands

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// bookinfo is the bundled world that help texts and the README talk about.
const bookinfo = "../../testdata/worlds/bookinfo-two-clusters"

// dumps has the same world as raw objects of its clusters.
const dumps = "../../testdata/dumps"

// TestExamples runs every command that a help text shows, next to a directory
// `manifests` with a copy of the bundled world, and `dumps` with the raw objects
// of its clusters. Examples that need clusters are left out.
func TestExamples(t *testing.T) {
	t.Parallel()
	StartsProcesses(t)
	for _, example := range examples() {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			dir := exampleDir(t)
			// An example shows something on standard output; "nothing found" is no example.
			out, code := runShell(t, dir, "{ "+example+"\n} 2>stderr")
			said, _ := os.ReadFile(filepath.Join(dir, "stderr"))
			judgeExample(t, example, out, string(said), code)
		})
	}
}

// TestExamplesInProcess is TestExamples for the race detector: it sees what
// happens in this process.
func TestExamplesInProcess(t *testing.T) {
	if !raceDetector {
		t.Skip("TestExamples does the same in processes of its own")
	}
	t.Setenv("HOME", t.TempDir())
	for _, example := range examples() {
		t.Run(example, func(t *testing.T) {
			t.Chdir(exampleDir(t))
			// The shell takes the command line apart.
			line := exec.CommandContext(t.Context(), "sh", "-c", `meshctl() { printf '%s\n' "$@"; }; `+example)
			args, err := line.Output()
			if err != nil {
				t.Fatal(err)
			}
			streams, out, errOut := cli.Test("")
			streams.Getenv = os.Getenv
			f := cmdutil.NewFactory(streams)
			f.CompletionPatience = time.Hour
			code := mainWith(strings.Split(strings.TrimSuffix(string(args), "\n"), "\n"), f)
			judgeExample(t, example, out.String(), errOut.String(), code)
		})
	}
}

// examples are the commands of all help texts, but for those that need clusters:
// the end-to-end tests run what these do.
func examples() []string {
	streams, _, _ := cli.Test("")
	var found []string
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, example := range exampleCommands(cmd) {
			if cmd.Annotations[cmdutil.NeedsCluster] == "" || strings.Contains(example, " --from ") {
				found = append(found, example)
			}
		}
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(newRootCmd(cmdutil.NewFactory(streams)))
	return found
}

// exampleCommands returns the commands of a help text, without what shells do
// with their output.
func exampleCommands(cmd *cobra.Command) []string {
	var found []string
	joined := strings.ReplaceAll(cmd.Example, " \\\n", "")
	for line := range strings.Lines(joined) {
		if !strings.HasPrefix(line, "meshctl ") {
			continue
		}
		line, _, _ = strings.Cut(line, " | ")
		line, _, _ = strings.Cut(line, " >")
		found = append(found, strings.TrimSpace(line))
	}
	return found
}

// exampleDir returns a directory for examples.
func exampleDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "manifests"), os.DirFS(bookinfo)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "dumps"), os.DirFS(dumps)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// judgeExample holds what an example printed, and its exit code.
func judgeExample(t *testing.T, example, out, said string, code int) {
	t.Helper()
	// Whoever asks for an exit code that tells about findings gets it, and check
	// always does: the bundled world has some.
	want := cli.ExitOK
	if strings.Contains(example, "--fail-on-findings") || strings.HasPrefix(example, "meshctl check ") {
		want = cli.ExitFindings
	}
	if code != want {
		t.Errorf("exit code = %d, want %d; it printed:\n%s%s", code, want, out, said)
	}
	if out == "" {
		t.Error("it printed nothing")
	}
}

// runShell runs a line of shell in a directory, with meshctl on the PATH, and
// returns what it printed on both streams and its exit code.
func runShell(t *testing.T, dir, line string) (output string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(cleanEnv(), "HOME="+t.TempDir())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return out.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("run %s: %v", line, err)
	}
	return out.String(), cli.ExitOK
}

// cleanEnv returns the environment without what would change the output.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return name == "HOME" || name == "NO_COLOR" || strings.HasPrefix(name, "MESHCTL_")
	})
}
