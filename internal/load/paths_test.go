package load

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadPaths(t *testing.T) {
	mesh := func(name string) string { return discovery + "kind: Mesh\nmetadata: {name: " + name + "}\n" }
	inDirectory(t, map[string]string{
		"b.yaml":           mesh("b"),
		"a/2.yml":          mesh("a2"),
		"a/1.json":         `{"apiVersion":"discovery.mesh.gloo.solo.io/v1","kind":"Mesh","metadata":{"name":"a1"}}`,
		"a/readme.md":      "not a manifest",
		"a/sub/3.yaml":     mesh("a3"),
		"a/zero.yaml":      "",
		"odd.txt":          mesh("odd"),
		"mount/..v1/m.yml": mesh("m"),
		"only/below/x.yml": mesh("x"),
		"empty/y.txt":      "",
	})
	for link, target := range map[string]string{
		"a/sub/loop": "..", "a/same.yaml": "2.yml", "mount/m.yml": "..v1/m.yml", "mount/..data": "..v1", "a/gone.yaml": "nowhere",
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	gone := "UnreadableFile a/gone.yaml: cannot read the file: no such file or directory"
	tests := []struct {
		name  string
		paths []string
		flat  bool
		want  summary
	}{
		{name: "a file of any name", paths: []string{"odd.txt"}, want: summary{Objects: []string{"Mesh/odd.gloo-mesh odd.txt:1 (document 1)"}}},
		{name: "the order of the user, each file once", paths: []string{"b.yaml", "./b.yaml", "a/2.yml", "-", "b.yaml", "a"}, flat: true, want: summary{
			Objects: []string{
				"Mesh/b.gloo-mesh b.yaml:1 (document 1)", "Mesh/a2.gloo-mesh a/2.yml:1 (document 1)",
				"Mesh/s.gloo-mesh stdin:1 (document 1)", "Mesh/a1.gloo-mesh a/1.json:1 (document 1)",
			},
			Problems: []string{gone},
		}},
		{name: "subdirectories and loops", paths: []string{"a"}, want: summary{
			Objects: []string{
				"Mesh/a1.gloo-mesh a/1.json:1 (document 1)", "Mesh/a2.gloo-mesh a/2.yml:1 (document 1)", "Mesh/a3.gloo-mesh a/sub/3.yaml:1 (document 1)",
			},
			Problems: []string{gone},
		}},
		{name: "a mounted ConfigMap", paths: []string{"mount"}, want: summary{Objects: []string{"Mesh/m.gloo-mesh mount/m.yml:1 (document 1)"}}},
		{name: "a directory whose files are loaded already", paths: []string{"a/sub/3.yaml", "a/sub"}, flat: true, want: summary{
			Objects: []string{"Mesh/a3.gloo-mesh a/sub/3.yaml:1 (document 1)"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			objects, err := readFiles(t.Context(), FileOptions{
				Paths: tt.paths, Recursive: !tt.flat, Stdin: strings.NewReader(mesh("s")),
			}, pickyChecker{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, summarise(objects)); diff != "" {
				t.Errorf("loaded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	mesh := func(name string) string { return "---\n" + discovery + "kind: Mesh\nmetadata: {name: " + name + "}\n" }
	inDirectory(t, map[string]string{
		"a.yaml":           mesh("a"),
		"ab.yaml":          mesh("a") + mesh("b") + mesh("b"),
		"only/below/x.yml": "",
		"empty/y.txt":      "",
		"wide.yaml":        "\xff\xfea\x00",
	})
	tests := []struct {
		name  string
		paths []string
		want  string
	}{
		{name: "no path", want: "no files to load: pass files or directories, or - for standard input"},
		{name: "an empty path", paths: []string{""}, want: "empty path: pass a file or a directory, or - for standard input"},
		{name: "all bad paths at once", paths: []string{"x.yaml", "https://example.com/a.yaml", "a.yaml"}, want: "x.yaml does not exist: check the path, which is relative to the working directory\n" +
			"https://example.com/a.yaml is a URL: only files and directories are supported; download it, or pipe it to -f -"},
		{name: "standard input twice", paths: []string{"-", "-"}, want: "standard input (-) is specified more than once"},
		{name: "a directory without manifests", paths: []string{"empty"}, want: "directory empty has no manifests: none of its files ends in .yaml, .yml, .json"},
		{name: "manifests only in subdirectories", paths: []string{"only"}, want: "directory only has manifests only in subdirectories: add -R to read those too"},
		{name: "a named file that is no text", paths: []string{"wide.yaml"}, want: "cannot read wide.yaml: the file is UTF-16 text; save it as UTF-8"},
		{name: "one duplicate", paths: []string{"a.yaml", "-"}, want: "an object is defined twice; remove one of Mesh/a.gloo-mesh: a.yaml:2 (document 1) and stdin:2 (document 1)"},
		{name: "several duplicates", paths: []string{"ab.yaml", "a.yaml"}, want: "2 objects are defined twice; remove one of each:\n" +
			"  Mesh/b.gloo-mesh: ab.yaml:6 (document 2) and ab.yaml:10 (document 3)\n" +
			"  Mesh/a.gloo-mesh: ab.yaml:2 (document 1) and a.yaml:2 (document 1)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readFiles(t.Context(), FileOptions{Paths: tt.paths, Stdin: strings.NewReader(mesh("a"))}, pickyChecker{})
			if err == nil {
				t.Fatal("got no error")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// inDirectory writes files to a new directory and makes it the working directory.
func inDirectory(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
