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

// bookinfo is the bundled world used by help texts and the README.
const bookinfo = "../../testdata/worlds/bookinfo-two-clusters"

// dumps holds the same world as raw objects of its clusters.
const dumps = "../../testdata/dumps"

// TestExamples runs every command in help texts, next to a directory `manifests` with a copy
// of the bundled world, and `dumps` with the raw objects of its clusters. Examples that need
// clusters are skipped.
func TestExamples(t *testing.T) {
	t.Parallel()
	StartsProcesses(t)
	for _, example := range examples() {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			dir := exampleDir(t, example)
			// An example must print a result on standard output, not "nothing found".
			out, code := runShell(t, dir, "{ "+example+"\n} 2>stderr")
			said, _ := os.ReadFile(filepath.Join(dir, "stderr"))
			judgeExample(t, example, out, string(said), code)
		})
	}
}

// TestExamplesInProcess is TestExamples for the race detector, which only covers this process.
func TestExamplesInProcess(t *testing.T) {
	if !raceDetector {
		t.Skip("TestExamples does the same in processes of its own")
	}
	t.Setenv("HOME", t.TempDir())
	for _, example := range examples() {
		t.Run(example, func(t *testing.T) {
			t.Chdir(exampleDir(t, example))
			// Let the shell split the command line.
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

// examples returns the commands in all help texts, except those that need clusters: the
// end-to-end tests run them.
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

// exampleCommands returns the commands in a help text, without pipes and redirections.
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

// exampleDir returns a directory for an example.
func exampleDir(t *testing.T, example string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "manifests"), os.DirFS(bookinfo)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(example, "create virtualmesh") && !strings.Contains(example, "--from") { // its meshes must not belong to another one
		if err := os.Remove(filepath.Join(dir, "manifests", "virtualmesh.yaml")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "dumps"), os.DirFS(dumps)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// judgeExample checks the output and the exit code of an example.
func judgeExample(t *testing.T, example, out, said string, code int) {
	t.Helper()
	// The bundled world has findings. They determine the exit code with --fail-on-findings, and
	// always for check.
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

// runShell runs a shell command in a directory, with meshctl on the PATH, and returns its
// output and exit code.
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

// cleanEnv returns the environment without variables that affect the output.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return name == "HOME" || name == "NO_COLOR" || strings.HasPrefix(name, "MESHCTL_")
	})
}
