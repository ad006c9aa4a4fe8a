package impact_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestImpact runs every case of testdata/impact: a base world of testdata/grid plus the
// manifests of world.yaml, to which those of new.yaml are applied. The comment of a case
// states the rule and names the base. want.txt has the exact sentences; want.json, if present,
// the exact view. Several objects in new.yaml are reviewed together, as changes of the whole
// world. Every case also runs with its objects shuffled.
func TestImpact(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "testdata", "impact", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	validator := validation.New()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := parseImpact(t, archive)
			got, view := c.review(t, validator, c.world)
			if os.Getenv("UPDATE") != "" { // make update-golden
				archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want.") })
				archive.Files = append(archive.Files, txtar.File{Name: "want.txt", Data: []byte(got)})
				if c.wantView != "" {
					archive.Files = append(archive.Files, txtar.File{Name: "want.json", Data: []byte(view)})
				}
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", archive.Comment, diff)
			}
			if diff := cmp.Diff(c.wantView, view); diff != "" && c.wantView != "" {
				t.Errorf("%s\n(-want +got)\n%s", archive.Comment, diff)
			}
			random := rand.New(rand.NewPCG(1, uint64(len(file))))
			for range 3 {
				lines, shuffled := c.review(t, validator, shuffle(random, c.world))
				if lines != got || shuffled != view {
					t.Errorf("the order of the objects changes the answer (-given +shuffled)\n%s%s", cmp.Diff(got, lines), cmp.Diff(view, shuffled))
				}
			}
		})
	}
}

type impactCase struct {
	world     []string
	new, want string
	// wantView is empty if the case has no want.json.
	wantView string
}

func documents(text string) []string { return strings.Split(text, "\n---\n") }

func shuffle(random *rand.Rand, documents []string) []string {
	shuffled := slices.Clone(documents)
	random.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	return shuffled
}

func parseImpact(t *testing.T, archive *txtar.Archive) impactCase {
	t.Helper()
	var c impactCase
	for line := range strings.Lines(string(archive.Comment)) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "base: "); found {
			base, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "grid", name))
			if err != nil {
				t.Fatal(err)
			}
			c.world = append(c.world, documents(string(base))...)
		}
	}
	for _, f := range archive.Files {
		switch f.Name {
		case "world.yaml":
			c.world = append(c.world, documents(string(f.Data))...)
		case "new.yaml":
			c.new = string(f.Data)
		case "want.txt":
			c.want = string(f.Data)
		case "want.json":
			c.wantView = string(f.Data)
		}
	}
	return c
}

// review returns the sentences about the new objects, one per line, and the view from which
// they are made.
func (c impactCase) review(t *testing.T, validator *validation.Validator, w []string) (sentences, view string) {
	t.Helper()
	add := loadText(t, validator, c.new)
	before := world.New(loadText(t, validator, strings.Join(w, "\n---\n")))
	was, is := policy.Evaluate(before), policy.Evaluate(before.With(add))
	var lines []impact.Line
	var shown any
	if objects := authored(add); len(objects) == 1 {
		view := impact.Of(compare.ImpactOf(was, is, objects[0].Kind, objects[0].Namespace, objects[0].Name))
		lines, shown = impact.Lines(view), view
	} else {
		view := impact.Changes(compare.Results(was, is))
		lines, shown = impact.ChangeLines(view), view
	}
	data, err := json.MarshalIndent(shown, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&text, "%s: %s\n", line.Severity, line.Text)
	}
	return text.String(), string(data) + "\n"
}

func authored(o world.Objects) []world.ObjectID {
	var ids []world.ObjectID
	for _, object := range o.VirtualMeshes {
		ids = append(ids, world.ObjectID{Kind: "VirtualMesh", Namespace: object.Resource.Namespace, Name: object.Resource.Name})
	}
	for _, object := range o.TrafficPolicies {
		ids = append(ids, world.ObjectID{Kind: "TrafficPolicy", Namespace: object.Resource.Namespace, Name: object.Resource.Name})
	}
	for _, object := range o.AccessPolicies {
		ids = append(ids, world.ObjectID{Kind: "AccessPolicy", Namespace: object.Resource.Namespace, Name: object.Resource.Name})
	}
	return ids
}

func loadText(t *testing.T, validator *validation.Validator, text string) world.Objects {
	t.Helper()
	objects, err := load.Files(context.Background(), load.FileOptions{Paths: []string{"-"}, Stdin: strings.NewReader(text)}, validator)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
