package describe_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestGrid runs every case of testdata/grid: a base world plus the manifests
// of the case, and the exact descriptions they must give. The comment of a case
// says which rule it is about, then has the lines
//
//	base: FILE
//	describe: NAME...
//
// and perhaps `all-destinations: true` or `status: KIND...`, which adds the status
// that all objects of the kinds would get. Every case also runs with its objects
// shuffled, which must not change a byte; `ordered: true` exempts one whose
// answer names lines.
func TestGrid(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "grid")
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (%v)", dir, err)
	}
	validator := validation.New()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := parseCase(t, dir, archive)
			got := c.run(t, validator, c.manifests)
			if os.Getenv("UPDATE") != "" { // make update-golden
				c.save(t, file, archive, got)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", archive.Comment, diff)
			}
			if c.ordered {
				return
			}
			random := rand.New(rand.NewPCG(1, uint64(len(file))))
			for range 3 {
				if shuffled := c.run(t, validator, shuffle(random, c.manifests)); shuffled != got {
					t.Errorf("the order of the objects changes the answer (-given +shuffled)\n%s", cmp.Diff(got, shuffled))
				}
			}
		})
	}
}

type gridCase struct {
	manifests []string
	names     []string
	options   describe.WorkloadOptions
	want      string
	// statuses are kinds whose objects' status belongs to the answer.
	statuses []string
	// ordered says that the answer names lines, which move when shuffled.
	ordered bool
}

func parseCase(t *testing.T, dir string, archive *txtar.Archive) gridCase {
	t.Helper()
	c := gridCase{options: describe.WorkloadOptions{Details: true}}
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "base":
			base, err := os.ReadFile(filepath.Join(dir, value))
			if err != nil {
				t.Fatal(err)
			}
			c.manifests = append(c.manifests, documents(string(base))...)
		case "describe":
			c.names = strings.Fields(value)
		case "status":
			c.statuses = strings.Fields(value)
		case "ordered":
			c.ordered = true
		case "all-destinations":
			c.options.AllDestinations = true
		}
	}
	for _, f := range archive.Files {
		if f.Name == "want.yaml" {
			c.want = string(f.Data)
		} else {
			c.manifests = append(c.manifests, documents(string(f.Data))...)
		}
	}
	return c
}

func documents(text string) []string {
	return strings.Split(text, "\n---\n")
}

func shuffle(random *rand.Rand, documents []string) []string {
	shuffled := slices.Clone(documents)
	random.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	return shuffled
}

func (c gridCase) run(t *testing.T, validator *validation.Validator, manifests []string) string {
	t.Helper()
	objects, err := load.Files(context.Background(), load.FileOptions{
		Paths: []string{"-"}, Stdin: strings.NewReader(strings.Join(manifests, "\n---\n")),
	}, validator)
	if err != nil {
		t.Fatal(err)
	}
	all := world.New(objects)
	var workloads []*world.Workload
	for _, name := range c.names {
		w, err := world.Resolve("workload", all.WorkloadPointers(), (*world.Workload).Names, name)
		if err != nil {
			t.Fatal(err)
		}
		workloads = append(workloads, w)
	}
	var out bytes.Buffer
	result := policy.Evaluate(all)
	views := []interface{ View() view.View }{describe.Workloads(result, workloads, c.options)}
	for _, kind := range c.statuses {
		views = append(views, describe.Statuses(result, describe.StatusKind(kind), allOf(all, kind)))
	}
	for i, answer := range views {
		if i > 0 {
			out.WriteString("---\n")
		}
		if err := output.Write(&out, output.FormatYAML, false, answer.View()); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// allOf returns the positions of all objects of a kind.
func allOf(w *world.World, kind string) []int {
	count := map[string]int{
		"VirtualMesh": len(w.VirtualMeshes), "TrafficPolicy": len(w.TrafficPolicies), "AccessPolicy": len(w.AccessPolicies),
		"Mesh": len(w.Meshes), "Workload": len(w.Workloads), "Destination": len(w.Destinations),
	}
	positions := make([]int, count[kind])
	for i := range positions {
		positions[i] = i
	}
	return positions
}

func (c *gridCase) save(t *testing.T, file string, archive *txtar.Archive, got string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want.yaml" })
	archive.Files = append(archive.Files, txtar.File{Name: "want.yaml", Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
	c.want = got
	fmt.Fprintln(os.Stderr, "updated", file)
}
