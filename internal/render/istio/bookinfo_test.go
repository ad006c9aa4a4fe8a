package istio_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestBookinfo holds every object of the bundled world to its golden file, and
// what is left out to another.
func TestBookinfo(t *testing.T) {
	t.Parallel()
	testdata := filepath.Join("..", "..", "..", "testdata")
	golden := filepath.Join(testdata, "golden", "istio")
	objects, err := load.Files(context.Background(), load.FileOptions{
		Paths: []string{filepath.Join(testdata, "worlds", "bookinfo-two-clusters")}, Recursive: true,
	}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	all := render(objects)
	checkSchemas(t, all.objects)
	got := map[string]string{"omissions.txt": omissionsText(all.omissions)}
	for i := range all.objects {
		o := &all.objects[i]
		manifest, err := o.YAML()
		if err != nil {
			t.Fatal(err)
		}
		name := strings.ToLower(fmt.Sprintf("%s-%s-%s.yaml", o.Kind, o.Namespace, o.Name))
		got[o.Cluster+"/"+name] = string(manifest)
	}
	if os.Getenv("UPDATE") != "" { // make update-golden
		replaceFiles(t, golden, got)
	}
	if diff := cmp.Diff(readFiles(t, golden), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func readFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func replaceFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
