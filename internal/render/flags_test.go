package render_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// arguments reads one flag a line, as it would arrive from a shell.
func arguments(lines string) []render.Argument {
	var list []render.Argument
	for line := range strings.Lines(lines) {
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, found := strings.Cut(strings.TrimPrefix(strings.TrimLeft(line, "\t"), "--"), " ")
		if !found {
			value = "true"
		}
		if value == "<empty>" {
			value = ""
		}
		list = append(list, render.Argument{Name: name, Value: value})
	}
	return list
}

// build makes the resource x in namespace n from flags.
func build[I any, O render.Object](t *testing.T, kind render.Kind[I, O], arguments []render.Argument) O {
	t.Helper()
	in, err := kind.Parse(arguments, render.Names{})
	if err != nil {
		t.Fatal(err)
	}
	o, err := kind.Build(render.Meta{Name: "x", Namespace: "n"}, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// yamlOf returns a resource as YAML.
func yamlOf(t *testing.T, o render.Object) string {
	t.Helper()
	text, err := render.Manifest(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const header = "metadata:\n  name: x\n  namespace: \"n\"\nspec:"

// flagCases reads testdata/KIND.txtar.
func flagCases(t *testing.T, noun string) *txtar.Archive {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", noun+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// mustCases returns the flags of all cases of a kind.
func mustCases(tb testing.TB, noun string) []string {
	tb.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", noun+".txtar"))
	if err != nil {
		tb.Fatal(err)
	}
	var flags []string
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".flags") {
			flags = append(flags, string(f.Data))
		}
	}
	return flags
}

func TestFlagsOfVirtualMesh(t *testing.T)   { t.Parallel(); testFlags(t, render.VirtualMesh()) }
func TestFlagsOfTrafficPolicy(t *testing.T) { t.Parallel(); testFlags(t, render.TrafficPolicy()) }
func TestFlagsOfAccessPolicy(t *testing.T)  { t.Parallel(); testFlags(t, render.AccessPolicy()) }

// testFlags builds every case, compares the result, holds it against its schema
// and leads it back to flags.
func testFlags[I any, O render.Object](t *testing.T, kind render.Kind[I, O]) {
	t.Helper()
	archive := flagCases(t, kind.Noun)
	want := map[string]string{}
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
	}
	v := validation.New()
	updated := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		name, isFlags := strings.CutSuffix(f.Name, ".flags")
		if !isFlags {
			continue
		}
		o := build(t, kind, arguments(string(f.Data)))
		text := yamlOf(t, o)
		_, got, found := strings.Cut(text, header)
		if !found {
			t.Fatalf("%s: the manifest does not start as it should:\n%s", name, text)
		}
		got = strings.TrimPrefix(got, "\n")
		updated.Files = append(updated.Files, f, txtar.File{Name: name + ".yaml", Data: []byte(got)})
		if diff := cmp.Diff(want[name+".yaml"], got); diff != "" && os.Getenv("UPDATE") == "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if err := render.Validate(v, o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, exact := kind.Arguments(o)
		if diff := cmp.Diff(text, yamlOf(t, build(t, kind, again))); diff != "" || !exact {
			t.Errorf("%s: flags that lead back (exact: %t): %v (-want +got):\n%s", name, exact, again, diff)
		}
	}
	if os.Getenv("UPDATE") != "" { // make update-golden
		if err := os.WriteFile(filepath.Join("testdata", kind.Noun+".txtar"), txtar.Format(updated), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
