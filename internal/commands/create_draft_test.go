//go:build unix

package commands_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
)

// TestSavedDraft interrupts the prompts for a policy, saves the answers, and continues with
// the suggested command.
func TestSavedDraft(t *testing.T) {
	t.Parallel()
	dir := worldWithoutVirtualMesh(t)
	if err := os.WriteFile(filepath.Join(dir, "readers.draft"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := converse(t, dir, "create", "accesspolicy", "-f", ".", "-R")
	d.Answer("Name of the access policy:", "readers"+enter)
	d.Answer("Who may call?", down+down+enter) // anyone
	d.Answer("Which services may they call?", interrupt)
	d.Answer("(readers-2.draft)", "readers.draft"+enter)
	d.Answer("readers.draft already exists: choose another file", enter)
	screen, code := d.End()
	if code != cli.ExitCancelled {
		t.Fatalf("exit code = %d; the screen:\n%s", code, screen)
	}
	const again = "meshctl create accesspolicy -f . -R --interactive --from readers-2.draft"
	if !strings.Contains(strings.ReplaceAll(screen, "\r", ""), "answers saved to readers-2.draft; to continue, run:\n  "+again+"\n") {
		t.Errorf("the screen does not say how to go on:\n%s", screen)
	}
	saved, err := os.ReadFile(filepath.Join(dir, "readers-2.draft"))
	want := "# Draft, not complete: destinations and requests not asked yet. Do not apply it: what is left out\n" +
		"# may select everything. To continue, run:\n#   " + again + `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: AccessPolicy
metadata:
  name: readers
  namespace: gloo-mesh
spec:
  sourceSelector:
  - {}
`
	if diff := cmp.Diff(want, string(saved)); err != nil || diff != "" {
		t.Errorf("the draft: %v (-want +got):\n%s", err, diff)
	}
	d = converse(t, dir, strings.Fields(again)[1:]...)
	d.Answer("Which services may they call?", enter)
	d.Answer("Which services?", "ratings east "+enter)
	d.Answer("Which requests are allowed?", enter)
	d.Answer("Anything else?", enter)
	d.Answer("What now?", enter)
	if screen, code = d.End(); code != cli.ExitOK {
		t.Fatalf("exit code = %d; the screen:\n%s", code, screen)
	}
	policy, err := os.ReadFile(filepath.Join(dir, "readers.yaml"))
	if err != nil || !strings.Contains(string(policy), "name: ratings") {
		t.Errorf("the policy: %v\n%s", err, policy)
	}
}

// TestFailedSave checks that errors are shown below the manifest, and that only regular files
// can be replaced.
func TestFailedSave(t *testing.T) {
	t.Parallel()
	dir := worldWithoutVirtualMesh(t)
	if err := os.Mkdir(filepath.Join(dir, "open.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "old.yaml"), []byte("# old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := converse(t, dir, "create", "ap", "open", "-i", "--source", "any", "--destination", "ratings.bookinfo.east", "-f", "meshes.yaml", "-f", "east", "-f", "west")
	d.Answer("Which requests are allowed?", enter)
	d.Answer("Anything else?", enter)
	d.Answer("What now?", enter)
	d.Wait("cannot save the manifest to open.yaml: is a directory")
	d.Answer("What now?", down+enter)
	d.Answer("esc to go back", "\x1b")
	d.Answer("What now?", down+enter)
	d.Answer("File:", "old.yaml"+enter)
	d.Answer("old.yaml exists. Replace it?", "y"+enter)
	screen, code := d.End()
	if code != cli.ExitOK {
		t.Fatalf("exit code = %d; the screen:\n%s", code, screen)
	}
	if n := strings.Count(screen, "kind: AccessPolicy"); n != 1 {
		t.Errorf("the manifest is shown %d times:\n%s", n, screen)
	}
	if !strings.Contains(screen, "--save=old.yaml \\\r\n  --overwrite") {
		t.Errorf("the command does not replace the file:\n%s", screen)
	}
	saved, err := os.ReadFile(filepath.Join(dir, "old.yaml"))
	if err != nil || !strings.Contains(string(saved), "name: open") {
		t.Errorf("saved: %v\n%s", err, saved)
	}
}

// TestEditThatWidens removes the last destination in the editor: this requires confirmation on
// a terminal, and is an error otherwise.
func TestEditThatWidens(t *testing.T) {
	t.Parallel()
	editor := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(editor, []byte("#!/bin/sh\nsed -i '/destinationSelector/,/namespace: bookinfo/d' \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"create", "ap", "open", "--source", "any", "--destination", "ratings.bookinfo.east", "--edit", "-f", ".", "-R"}
	const question = "Accept that this accesspolicy selects more than before?"
	tests := []struct {
		name    string
		args    []string
		answers []string
		code    int
		says    string
	}{
		{name: "declined on a terminal", answers: []string{enter}, code: cli.ExitFailure, says: "the edit removes spec.destinationSelector"},
		{name: "agreed on a terminal", answers: []string{"y" + enter}, code: cli.ExitOK, says: "the edit removed spec.destinationSelector, which now means every service"},
		{name: "without a terminal", args: []string{"--no-input"}, code: cli.ExitFailure, says: "refusing an edit that removes spec.destinationSelector"},
		{name: "agreed by a flag", args: []string{"--no-input", "--yes"}, code: cli.ExitOK, says: "which now means every service"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := worldWithoutVirtualMesh(t)
			d := converseWith(t, dir, []string{"EDITOR=" + editor, "TMPDIR=" + t.TempDir()}, append(slices.Clone(args), tt.args...)...)
			for _, keys := range tt.answers {
				d.Answer(question, keys)
			}
			screen, code := d.End()
			if code != tt.code || !strings.Contains(strings.Join(strings.Fields(screen), " "), tt.says) {
				t.Errorf("exit code = %d, want %d and %q; the screen:\n%s", code, tt.code, tt.says, screen)
			}
			if printed := strings.Contains(screen, "kind: AccessPolicy"); printed != (tt.code == cli.ExitOK) {
				t.Errorf("printed %t; the screen:\n%s", printed, screen)
			}
		})
	}
}
