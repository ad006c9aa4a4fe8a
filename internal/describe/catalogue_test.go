package describe_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// findingsOf evaluates the whole world of a case.
func findingsOf(t *testing.T, validator *validation.Validator, c gridCase) []finding.Finding {
	t.Helper()
	objects, err := load.Files(context.Background(), load.FileOptions{
		Paths: []string{"-"}, Stdin: strings.NewReader(strings.Join(c.manifests, "\n---\n")),
	}, validator)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Evaluate(world.New(objects)).Findings
}

// TestEveryFindingHasAWorld holds the catalogue to what the engine reports:
// every code is produced by some case of the grid, and no case produces a code
// that the catalogue does not have.
func TestEveryFindingHasAWorld(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "grid")
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (%v)", dir, err)
	}
	validator := validation.New()
	produced := map[finding.Code]bool{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findingsOf(t, validator, parseCase(t, dir, archive)) {
			produced[f.Code] = true
			if f.Message == "" || f.Object == "" || f.Hint == "" || f.Severity != f.Code.Entry().Severity {
				t.Errorf("%s: incomplete finding %+v", file, f)
			}
		}
	}
	// Standard input is neither an unreadable file of a directory nor a cluster.
	unreadable := world.Objects{Problems: []world.Problem{
		{Kind: world.UnreadableFile, Origin: world.Origin{File: "dir/secret.yaml"}, Message: "permission denied"},
		{Kind: world.UnusableCluster, Origin: world.Origin{File: "cluster east"}, Message: "no answer"},
		{Kind: world.UnlistedKind, Origin: world.Origin{File: "cluster east"}, Message: "forbidden"},
		{Kind: world.DiscoveryNote, Origin: world.Origin{File: "cluster east"}, Object: "Pod/a.b.east", Message: "ambient"},
		{Kind: world.IgnoredNamespace, Origin: world.Origin{File: "cluster management"}, Object: "AccessPolicy/a.b", Message: "ignored"},
	}}
	for _, f := range policy.Evaluate(world.New(unreadable)).Findings {
		produced[f.Code] = true
	}
	for _, entry := range finding.Catalogue() {
		if strings.HasPrefix(string(entry.Code), "MC07") {
			continue // found in clusters, by internal/sharedtrust, and held there
		}
		if !produced[entry.Code] {
			t.Errorf("no case of %s produces %s (%s)", dir, entry.Code, entry.Title)
		}
		delete(produced, entry.Code)
	}
	for code := range produced {
		t.Errorf("%s is reported but not in the catalogue", code)
	}
}

// TestCleanWorldHasNoFindings guards against false alarms.
func TestCleanWorldHasNoFindings(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "grid")
	archive, err := txtar.ParseFile(filepath.Join(dir, "clean.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if findings := findingsOf(t, validation.New(), parseCase(t, dir, archive)); len(findings) > 0 {
		t.Errorf("findings in a clean world: %+v", findings)
	}
}

// TestCatalogueIsSortedAndComplete checks what the generated page relies on.
func TestCatalogueIsSortedAndComplete(t *testing.T) {
	entries := finding.Catalogue()
	if !slices.IsSortedFunc(entries, func(a, b finding.Entry) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("the catalogue is not sorted by code")
	}
	for i, e := range entries {
		if i > 0 && entries[i-1].Code == e.Code {
			t.Errorf("%s stands twice", e.Code)
		}
		if e.Title == "" || e.Explanation == "" || e.Hint == "" || e.Severity == "" {
			t.Errorf("%s is incomplete", e.Code)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "findings.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.Contains(string(page), "## "+string(e.Code)) {
			t.Errorf("docs/findings.md does not explain %s; run make generate", e.Code)
		}
	}
}
