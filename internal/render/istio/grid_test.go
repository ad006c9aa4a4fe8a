package istio_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestGrid runs every case of testdata/istio: a base world plus the manifests
// of the case, and the exact objects that they must give. The comment of a case
// says which rules it is about, then has the lines
//
//	base: FILE
//	show: CLUSTER/KIND/NAMESPACE/NAME...
//
// where `*` stands for any text within one part; all that is left out belongs
// to the answer, too. Every case also runs with its objects shuffled, and each
// object is held against Istio's own rules.
func TestGrid(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "testdata", "istio")
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (%v)", dir, err)
	}
	validator := validation.New()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := parseCase(t, dir, archive)
			all := render(loadText(t, validator, strings.Join(c.manifests, "\n---\n")))
			checkIdentities(t, all)
			checkReferences(t, all)
			checkParents(t, all)
			checkSchemas(t, all.objects)
			checkRules(t, all.objects)
			got := c.run(t, validator)
			if os.Getenv("UPDATE") != "" { // make update-golden
				c.save(t, file, archive, got)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", archive.Comment, diff)
			}
			random := rand.New(rand.NewPCG(1, uint64(len(file))))
			for range 3 {
				random.Shuffle(len(c.manifests), func(i, k int) { c.manifests[i], c.manifests[k] = c.manifests[k], c.manifests[i] })
				if shuffled := c.run(t, validator); shuffled != got {
					t.Errorf("the order of the objects changes the answer (-given +shuffled)\n%s", cmp.Diff(got, shuffled))
				}
			}
		})
	}
}

type gridCase struct {
	manifests []string
	show      []string
	want      string
}

func parseCase(t *testing.T, dir string, archive *txtar.Archive) *gridCase {
	t.Helper()
	c := &gridCase{}
	for line := range strings.Lines(string(archive.Comment)) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key {
		case "base":
			base, err := os.ReadFile(filepath.Join(dir, value))
			if err != nil {
				t.Fatal(err)
			}
			c.manifests = append(c.manifests, strings.Split(string(base), "\n---\n")...)
		case "show":
			c.show = append(c.show, strings.Fields(value)...)
		}
	}
	for _, f := range archive.Files {
		if f.Name == "want.yaml" {
			c.want = string(f.Data)
		} else {
			c.manifests = append(c.manifests, strings.Split(string(f.Data), "\n---\n")...)
		}
	}
	return c
}

func (c *gridCase) run(t *testing.T, validator *validation.Validator) string {
	t.Helper()
	all := render(loadText(t, validator, strings.Join(c.manifests, "\n---\n")))
	shown := map[string]bool{}
	got := all.text(t, func(o *istio.Object) bool {
		return slices.ContainsFunc(c.show, func(pattern string) bool {
			matches, err := path.Match(pattern, strings.Join([]string{o.Cluster, string(o.Kind), o.Namespace, o.Name}, "/"))
			shown[pattern] = shown[pattern] || matches
			return matches && err == nil
		})
	})
	for _, pattern := range c.show {
		if !shown[pattern] {
			got += fmt.Sprintf("# nothing is called %s\n", pattern)
		}
	}
	return got
}

func (c *gridCase) save(t *testing.T, file string, archive *txtar.Archive, got string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want.yaml" })
	archive.Files = append(archive.Files, txtar.File{Name: "want.yaml", Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
	c.want = got
}
