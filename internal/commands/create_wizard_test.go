//go:build unix

package commands_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/testkit/ptytest"
)

// TestFirstVirtualMesh follows a new user: six answers, all of them the default, create a
// virtual mesh of all meshes.
func TestFirstVirtualMesh(t *testing.T) {
	t.Parallel()
	dir := worldWithoutVirtualMesh(t)
	d := converse(t, dir, "create", "virtualmesh", "-f", ".", "-R")
	d.Answer("Name of the virtual mesh:", enter)
	d.Answer("Which meshes?", enter)
	d.Answer("Which services do you want to federate?", enter)
	d.Answer("Default access for services without an access policy?", enter)
	d.Answer("Anything else?", enter)
	d.Answer("What now?", enter)
	screen, code := d.End()
	if code != cli.ExitOK {
		t.Fatalf("exit code = %d; the screen:\n%s", code, screen)
	}
	saved, err := os.ReadFile(filepath.Join(dir, "virtual-mesh.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: networking.mesh.gloo.solo.io/v1
kind: VirtualMesh
metadata:
  name: virtual-mesh
  namespace: gloo-mesh
spec:
  federation:
    selectors:
    - {}
  globalAccessPolicy: MESH_DEFAULT
  meshes:
  - name: istiod-istio-system-east
    namespace: gloo-mesh
  - name: istiod-istio-system-west
    namespace: gloo-mesh
  mtlsConfig:
    shared:
      rootCertificateAuthority:
        generated: {}
`
	if diff := cmp.Diff(want, string(saved)); diff != "" {
		t.Errorf("the manifest (-want +got):\n%s", diff)
	}
	if err := os.Remove(filepath.Join(dir, "virtual-mesh.yaml")); err != nil { // the name is in use while the file exists
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(saved), rerun(t, dir, screen)); diff != "" {
		t.Errorf("the shown command makes another manifest (-wizard +command):\n%s", diff)
	}
}

// TestAskedPolicies answers the prompts for policies.
func TestAskedPolicies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		talk func(d *ptytest.Dialogue)
		want string
		code int
	}{
		{
			name: "a traffic policy, its name and destination given by flags",
			args: []string{"create", "tp", "slow", "--destination", "ratings.bookinfo.east", "-o", "json"},
			talk: func(d *ptytest.Dialogue) {
				d.Answer("Which workloads send the requests?", enter)
				d.Answer("Which settings do you want to set?", " "+enter)
				d.Answer("imeout", "3s"+enter)
				d.Answer("Anything else?", enter)
				d.Answer("What now?", down+down+enter)
			},
			want: `"requestTimeout": "3s"`,
		},
		{
			name: "an access policy that anybody may use",
			args: []string{"create", "ap", "-i", "--source", "any", "--destination", "ratings.bookinfo.east"},
			talk: func(d *ptytest.Dialogue) {
				d.Answer("Name of the access policy:", "open-ratings"+enter)
				d.Answer("Which requests are allowed?", enter)
				d.Answer("Anything else?", enter)
				d.Answer("What now?", down+down+enter)
			},
			want: "name: open-ratings",
		},
		{
			name: "an access policy that is INVALID for its only caller",
			args: []string{"create", "ap", "-i", "--source", "cluster=mars", "--destination", "ratings.bookinfo.east"},
			talk: func(d *ptytest.Dialogue) {
				d.Answer("Name of the access policy:", "martians"+enter)
				d.Answer("Which requests are allowed?", enter)
				d.Answer("Anything else?", enter)
				d.Answer("What now?", down+down+enter)
			},
			want: "name: martians",
			code: cli.ExitFailure,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := worldWithoutVirtualMesh(t)
			d := converse(t, dir, append(tt.args, "-f", ".", "-R")...)
			tt.talk(d)
			screen, code := d.End()
			if code != tt.code {
				t.Fatalf("exit code = %d; the screen:\n%s", code, screen)
			}
			if code != cli.ExitOK { // so would the shown command
				if !strings.Contains(screen, tt.want) {
					t.Errorf("no %q on the screen:\n%s", tt.want, screen)
				}
				return
			}
			if got := rerun(t, dir, screen); !strings.Contains(got, tt.want) {
				t.Errorf("the shown command makes a manifest without %q:\n%s\nthe screen:\n%s", tt.want, got, screen)
			}
		})
	}
}

// TestInterruptedWizard interrupts each prompt: from the second one on, the answers can be
// saved, and another interrupt discards them.
func TestInterruptedWizard(t *testing.T) {
	t.Parallel()
	questions := []string{
		"Name of the virtual mesh:", "Which meshes?", "Which services do you want to federate?",
		"Default access for services without an access policy?", "Anything else?", "What now?",
	}
	for stop := range questions {
		t.Run(questions[stop], func(t *testing.T) {
			t.Parallel()
			dir := worldWithoutVirtualMesh(t)
			before := filesIn(t, dir)
			d := converse(t, dir, "create", "virtualmesh", "-f", ".", "-R")
			for _, question := range questions[:stop] {
				d.Answer(question, enter)
			}
			d.Answer(questions[stop], interrupt)
			if stop > 0 {
				d.Answer("Save your answers to", interrupt)
			}
			screen, code := d.End()
			if code != cli.ExitCancelled || !strings.Contains(screen, "cancelled") {
				t.Errorf("exit code = %d, want %d and a word about it; the screen:\n%s", code, cli.ExitCancelled, screen)
			}
			if diff := cmp.Diff(before, filesIn(t, dir)); diff != "" {
				t.Errorf("files (-before +after):\n%s", diff)
			}
		})
	}
}

// TestReviewedAgain edits, changes and saves to another file after the review.
func TestReviewedAgain(t *testing.T) {
	t.Parallel()
	dir := worldWithoutVirtualMesh(t)
	editor := filepath.Join(t.TempDir(), "editor")
	script := `#!/bin/sh
if grep -q broken "$1"
then sed -i 's/broken/ENABLED/' "$1"
elif grep -q typed "$1"
then sed -i 's/typed/broken/' "$1"
else sed -i 's/globalAccessPolicy: .*/globalAccessPolicy: typed/' "$1"; exit 1
fi
`
	if err := os.WriteFile(editor, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "prod.yaml"), []byte("# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := converseWith(t, dir, []string{"EDITOR=" + editor}, "create", "virtualmesh", "prod", "-f", "meshes.yaml")
	d.Answer("Which meshes?", enter)
	d.Answer("Which services do you want to federate?", enter)
	d.Answer("Default access for services without an access policy?", enter)
	d.Answer("Anything else?", enter)
	d.Answer("What now?", strings.Repeat(down, 4)+enter) // edit: the editor fails, its file is kept
	d.Answer("Edit again?", "y"+enter)                   // now it leaves an invalid manifest
	d.Answer("Edit again?", "y"+enter)                   // and now it fixes it
	d.Answer("What now?", enter)                         // save
	d.Answer("prod.yaml exists. Replace it?", enter)     // no
	d.Answer("What now?", down+enter)                    // save as
	d.Answer("File:", "nowhere/prod.yaml"+enter)         // a path that cannot be written
	d.Answer("cannot save the manifest to nowhere/prod.yaml: no such file or directory", "east"+enter)
	d.Answer("cannot save the manifest to east: is a directory", "other.yaml"+enter)
	screen, code := d.End()
	if code != cli.ExitOK {
		t.Fatalf("exit code = %d; the screen:\n%s", code, screen)
	}
	for _, said := range []string{"globalAccessPolicy", "your changes are saved in", "cannot save the manifest to nowhere/prod.yaml"} {
		if !strings.Contains(screen, said) {
			t.Errorf("the screen does not say %q:\n%s", said, screen)
		}
	}
	saved, err := os.ReadFile(filepath.Join(dir, "other.yaml"))
	if err != nil || !strings.Contains(string(saved), "globalAccessPolicy: ENABLED") {
		t.Errorf("saved: %v\n%s", err, saved)
	}
	if mine, err := os.ReadFile(filepath.Join(dir, "prod.yaml")); err != nil || string(mine) != "# mine\n" {
		t.Errorf("the existing file is now %q, %v", mine, err)
	}
}

// TestTakenBack starts from a manifest, removes one of its settings after the review, and
// keeps what prompts cannot express.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	dir := worldWithoutVirtualMesh(t)
	base := `apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
metadata:
  labels:
    team: reviews
  name: slow
  namespace: gloo-mesh
spec:
  policy:
    requestTimeout: 3s
    retries:
      attempts: 2
`
	if err := os.WriteFile(filepath.Join(dir, "base.txt"), []byte(base), 0o600); err != nil {
		t.Fatal(err)
	}
	d := converse(t, dir, "create", "tp", "-i", "--from", "base.txt", "--source", "all", "--destination", "ratings.bookinfo.east", "-f", ".", "-R")
	d.Answer("Anything else?", enter)
	d.Answer("What now?", "Change"+enter)
	d.Answer("What do you want to change?", "Settings"+enter)
	d.Answer("Which settings do you want to set?", " "+enter) // deselects the timeout
	d.Answer("What do you want to change?", enter)
	d.Answer("What now?", "Print"+enter)
	screen, code := d.End()
	if code != cli.ExitOK {
		t.Fatalf("exit code = %d; the screen:\n%s", code, screen)
	}
	_, printed, _ := strings.Cut(strings.ReplaceAll(screen, "\r", ""), "What now? Print it")
	for _, want := range []string{"team: reviews", "attempts: 2", "name: ratings"} {
		if !strings.Contains(printed, want) {
			t.Errorf("the manifest has no %q:\n%s", want, printed)
		}
	}
	if strings.Contains(printed, "requestTimeout") {
		t.Errorf("the manifest still has the timeout:\n%s", printed)
	}
}

// TestNobodyToAsk checks missing values without a terminal.
func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	dir := worldWithoutVirtualMesh(t)
	tests := []struct {
		name string
		env  []string
		args []string
	}{
		{name: "--no-input", args: []string{"--no-input"}},
		{name: "CI", env: []string{"CI=true"}},
		{name: "MESHCTL_NO_INPUT", env: []string{"MESHCTL_NO_INPUT=1"}},
		{name: "a terminal that cannot move the cursor", env: []string{"TERM=dumb"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := converseWith(t, dir, tt.env, append([]string{"create", "virtualmesh", "-f", ".", "-R"}, tt.args...)...)
			screen, code := d.End()
			if code != cli.ExitUsage || !strings.Contains(screen, "missing: NAME") || !strings.Contains(screen, "missing: --mesh") {
				t.Errorf("exit code = %d, want %d and both things that are missing; the screen:\n%s", code, cli.ExitUsage, screen)
			}
		})
	}
}

// rerun runs the equivalent command shown by the wizard, without saving, and returns the
// manifest as YAML.
func rerun(t *testing.T, dir, screen string) string {
	t.Helper()
	_, command, found := strings.Cut(strings.ReplaceAll(screen, "\r", ""), "Equivalent command:\n\n")
	if !found {
		t.Fatalf("no command is shown; the screen:\n%s", screen)
	}
	var kept []string
	for line := range strings.Lines(command) {
		if line = strings.TrimSuffix(line, "\n"); !strings.Contains(line, "--save=") {
			kept = append(kept, strings.TrimSuffix(line, " \\"))
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Join(kept, " "))
	cmd.Dir = dir
	cmd.Env = ptytest.Environ(os.Environ())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(kept, " "), err)
	}
	return string(out)
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
