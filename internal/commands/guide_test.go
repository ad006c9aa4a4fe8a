//go:build unix

package commands_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
)

// guide is the page about the wizard.
const guide = "../../docs/first-virtual-mesh.md"

// TestGuide compares the screens of the guide with those of the wizard. Set UPDATE=1 to update
// the guide.
func TestGuide(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/worlds/bookinfo-two-clusters")); err != nil {
		t.Fatal(err)
	}
	d := converse(t, dir, "create", "virtualmesh", "-f", "meshes.yaml", "-f", "east", "-f", "west")
	screens := map[string]string{}
	for _, step := range []struct {
		screen string
		// ends are texts that are printed in this order, up to the end.
		ends []string
		keys string
	}{
		{"name", []string{"Name of the virtual mesh:", "(virtual-mesh) "}, "first" + enter},
		{"meshes", []string{"istiod-istio-system-west.gloo-mesh", "trust domain west.example.internal"}, enter},
		{"federation", []string{"selected services, optionally", "to selected meshes"}, enter},
		{"calls", []string{"Everybody", "are allowed"}, down + enter},
		{"else", []string{"Gateways ", "istio=ingressgateway"}, enter},
		{"review", []string{"Cancel", "and create nothing"}, enter},
	} {
		for _, text := range step.ends {
			d.Wait(text)
		}
		screens[step.screen] = lastQuestion(d.Shown())
		d.Send(step.keys)
	}
	d.Wait("--save=first.yaml")
	shown := d.Shown()
	if _, code := d.End(); code != cli.ExitOK {
		t.Fatalf("exit code = %d; the screen:\n%s", code, shown)
	}
	screens["end"] = lastQuestion(shown)
	if _, err := os.Stat(filepath.Join(dir, "first.yaml")); err != nil {
		t.Error(err)
	}
	got := withScreens(t, string(page), screens)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(guide, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(page), got); diff != "" {
		t.Errorf("%s is not what the wizard shows (-page +wizard):\n%s", guide, diff)
	}
}

// lastQuestion returns the output from the last prompt on, or from the manifest above it.
func lastQuestion(shown string) string {
	start := max(strings.LastIndex(shown, "\n? "), 0)
	manifest := strings.LastIndex(shown, "\napiVersion:")
	if manifest >= 0 && strings.Contains(shown[start:], "What now?") && !strings.Contains(shown[start:], "saved to") {
		start = manifest
	}
	return strings.TrimPrefix(shown[start:], "\n")
}

// withScreens returns the page with the block after each comment `<!-- screen: NAME -->`
// replaced by that screen.
func withScreens(t *testing.T, page string, screens map[string]string) string {
	t.Helper()
	const opening, fence = "<!-- screen: ", "```"
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(page, opening)
		b.WriteString(before)
		if !found {
			break
		}
		name, rest, _ := strings.Cut(rest, " -->\n")
		screen, known := screens[name]
		if !known {
			t.Fatalf("the guide has a screen %q, the test does not", name)
		}
		delete(screens, name)
		_, rest, _ = strings.Cut(rest, "\n"+fence+"\n")
		b.WriteString(opening + name + " -->\n" + fence + "text\n" + screen + "\n" + fence + "\n")
		page = rest
	}
	for name := range screens {
		t.Errorf("the guide does not show the screen %q", name)
	}
	return b.String()
}
