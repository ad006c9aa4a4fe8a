package discovery_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestRules runs every case of testdata: the objects of the cluster `east` in
// `in.yaml`, and exactly what is discovered from them in `want.yaml`, which
// UPDATE=1 rewrites. Each case also runs shuffled, and what is discovered must be
// valid.
func TestRules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in testdata (%v)", err)
	}
	validator := validation.New()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			in := mustRead(t, parts["in.yaml"])
			out := discovery.Discover(in)
			got := text(t, out)
			if os.Getenv("UPDATE") != "" {
				save(t, file, archive, got)
				return
			}
			if diff := cmp.Diff(parts["want.yaml"], got); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", archive.Comment, diff)
			}
			random := rand.New(rand.NewPCG(1, uint64(len(file))))
			for range 5 {
				if again := text(t, discovery.Discover(shuffled(random, in))); again != got {
					t.Errorf("the order of the objects changes the answer (-given +shuffled)\n%s", cmp.Diff(got, again))
				}
			}
			checkValid(t, validator, out)
		})
	}
}

// checkValid checks the discovered objects against their CRDs.
func checkValid(t *testing.T, validator *validation.Validator, out discovery.Output) {
	t.Helper()
	var objects []any
	for i := range out.Meshes {
		objects = append(objects, &out.Meshes[i])
	}
	for i := range out.Workloads {
		objects = append(objects, &out.Workloads[i])
	}
	for i := range out.Destinations {
		objects = append(objects, &out.Destinations[i])
	}
	for _, object := range objects {
		data, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := yaml.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		report, err := validator.Check(schema.FromAPIVersionAndKind(fields["apiVersion"].(string), fields["kind"].(string)), fields)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Unknown)+len(report.Errors) > 0 {
			t.Errorf("an API server would refuse\n%s\n%+v", data, report)
		}
	}
}

func save(t *testing.T, file string, archive *txtar.Archive, got string) {
	t.Helper()
	for i := range archive.Files {
		if archive.Files[i].Name == "want.yaml" {
			archive.Files[i].Data = []byte(got)
		}
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
}
