package internal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const module = "github.com/meshctl/meshctl"

// listed is what `go list` says about one package. Imports of test files are
// not part of it: tests may use whatever they need.
type listed struct {
	ImportPath string
	Imports    []string
}

// tree is what a build of all packages consists of.
type tree struct {
	imports map[string][]string
}

func TestArchitecture(t *testing.T) {
	t.Parallel()
	all := listTree(t)
	for _, problem := range all.problems(rooms()) {
		t.Error(problem)
	}
}

// TestArchitectureBites shows that the rules reject what they are there for.
func TestArchitectureBites(t *testing.T) {
	t.Parallel()
	rooms := []room{
		{path: "internal/commands", imports: []string{"internal/policy", "internal/kube"}},
		{path: "internal/policy", pure: true, imports: []string{"internal/world"}},
		{path: "internal/world", pure: true},
		{path: "internal/kube"},
		{path: "pkg/api/core/v1", pure: true},
	}
	tests := []struct {
		name    string
		imports map[string][]string
		want    []string
	}{
		{
			name: "nothing is wrong",
			imports: map[string][]string{
				"internal/commands": {"internal/policy", "internal/kube", "pkg/api/core/v1", "github.com/spf13/cobra", "context"},
				"internal/policy":   {"internal/world", "net/netip"},
				"internal/kube":     {"k8s.io/client-go/rest", "context"},
			},
		},
		{
			name:    "a package of ours that is not in the list",
			imports: map[string][]string{"internal/policy": {"internal/kube"}},
			want:    []string{"internal/policy imports internal/kube: it may import [internal/world] and pkg/api of ours", "internal/policy is pure, and imports internal/kube, which is not"},
		},
		{
			name:    "a reserved library",
			imports: map[string][]string{"internal/commandsextra": {"github.com/spf13/cobra"}, "internal/commands": {"github.com/AlecAivazis/survey/v2"}},
			want: []string{
				"internal/commands imports github.com/AlecAivazis/survey/v2: only [internal/wizard] may",
				"internal/commandsextra is not known: say in rooms() what it is for and what it may import",
				"internal/commandsextra imports github.com/spf13/cobra: only [internal/commands/... hack/docs] may",
			},
		},
		{
			name:    "a pure package that does more",
			imports: map[string][]string{"internal/world": {"context", "os"}},
			want:    []string{"internal/world is pure, and imports context", "internal/world is pure, and imports os"},
		},
		{
			name:    "a client behind a library",
			imports: map[string][]string{"internal/world": {"example.org/library"}, "example.org/library": {"example.org/deeper"}, "example.org/deeper": {"k8s.io/client-go/rest"}},
			want: []string{
				"internal/policy is pure, and needs k8s.io/client-go/rest (by internal/world, example.org/library, example.org/deeper)",
				"internal/world is pure, and needs k8s.io/client-go/rest (by example.org/library, example.org/deeper)",
			},
		},
		{
			name:    "test tools in the program",
			imports: map[string][]string{"internal/commands": {"github.com/google/go-cmp/cmp"}},
			want:    []string{"internal/commands imports github.com/google/go-cmp/cmp: only [] may"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all := tree{imports: map[string][]string{}}
			for _, r := range rooms {
				all.imports[r.path] = nil
			}
			all.imports["internal/policy"] = []string{"internal/world"}
			for path, imports := range tt.imports {
				all.imports[path] = imports
			}
			if path := "internal/policy"; tt.imports[path] == nil {
				all.imports[path] = []string{"internal/world"}
			}
			if diff := cmp.Diff(tt.want, all.problems(rooms)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	if got, want := (tree{imports: map[string][]string{}}).problems(rooms[:1]), []string{"internal/commands does not exist"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// problems says what the tree does that its rooms do not allow, sorted by
// package.
func (all tree) problems(rooms []room) []string {
	known := map[string]room{}
	var problems []string
	for _, r := range rooms {
		known[r.path] = r
		if _, exists := all.imports[r.path]; !exists {
			problems = append(problems, r.path+" does not exist")
		}
	}
	for _, path := range sortedPaths(all.imports) {
		if !isOurs(path) {
			continue
		}
		r, isKnown := known[path]
		if !isKnown {
			problems = append(problems, path+" is not known: say in rooms() what it is for and what it may import")
		}
		for _, imported := range all.imports[path] {
			if reason := r.forbids(path, imported, isKnown); reason != "" {
				problems = append(problems, fmt.Sprintf("%s imports %s: %s", path, imported, reason))
			}
			switch {
			case !r.pure || slices.Contains(r.except, imported):
			case slices.Contains(impure(), imported):
				problems = append(problems, fmt.Sprintf("%s is pure, and imports %s", path, imported))
			case isOurs(imported) && !known[imported].pure:
				problems = append(problems, fmt.Sprintf("%s is pure, and imports %s, which is not", path, imported))
			}
		}
		if r.pure {
			for _, client := range clients() {
				if slices.Contains(r.except, client) {
					continue
				}
				if needed, by := all.needs(path, client); needed != "" {
					problems = append(problems, fmt.Sprintf("%s is pure, and needs %s (by %s)", path, needed, strings.Join(by, ", ")))
				}
			}
		}
	}
	return problems
}

// forbids says why the room may not import a package; "" if it may.
func (r room) forbids(path, imported string, isKnown bool) string {
	for library, allowed := range reserved() {
		mayImport := func(entry string) bool {
			parent, below := strings.CutSuffix(entry, "/...")
			return path == parent || below && within(path, parent)
		}
		if within(imported, library) && !slices.ContainsFunc(allowed, mayImport) {
			return fmt.Sprintf("only %v may", allowed)
		}
	}
	if isKnown && isOurs(imported) && !within(imported, "pkg/api") && !slices.Contains(r.imports, imported) {
		return fmt.Sprintf("it may import %v and pkg/api of ours", r.imports)
	}
	if within(path, "pkg/api") && isOurs(imported) && !within(imported, "pkg/api") {
		return "pkg/api is for everybody and may import pkg/api only"
	}
	return ""
}

// needs returns a package of a library that a package imports, however
// indirectly, and what is between the two; "" if there is none.
func (all tree) needs(path, library string) (needed string, by []string) {
	before := map[string]string{path: ""}
	queue := []string{path}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, imported := range all.imports[at] {
			if _, seen := before[imported]; seen {
				continue
			}
			before[imported] = at
			if within(imported, library) {
				for ; at != path; at = before[at] {
					by = append(by, at)
				}
				slices.Reverse(by)
				return imported, by
			}
			queue = append(queue, imported)
		}
	}
	return "", nil
}

// TestPureRoomsHaveNoClock looks for time that is not handed in.
func TestPureRoomsHaveNoClock(t *testing.T) {
	t.Parallel()
	for _, r := range rooms() {
		if !r.pure {
			continue
		}
		files, err := filepath.Glob(filepath.Join("..", r.path, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", r.path, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, place := range clockCalls(t, file, nil) {
				t.Errorf("%s asks for the time; %s is pure", place, r.path)
			}
		}
	}
	const text = "package p\nimport \"time\"\nvar a, b = time.Now(), time.Since(time.Time{})\nvar c = time.Hour\n"
	if got, want := clockCalls(t, "p.go", text), []string{"p.go:3:12", "p.go:3:24"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func clockCalls(t *testing.T, file string, text any) []string {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := selector.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick"}, selector.Sel.Name) {
			places = append(places, set.Position(n.Pos()).String())
		}
		return true
	})
	return places
}

// TestLinterKnowsTheRooms holds the rules of depguard, which editors show, to the
// same table.
func TestLinterKnowsTheRooms(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Files []string `json:"files"`
		Allow []string `json:"allow"`
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]rule `json:"rules"`
				} `json:"depguard"`
			} `json:"settings"`
		} `json:"linters"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	got, want := map[string]rule{}, map[string]rule{}
	for name, r := range config.Linters.Settings.Depguard.Rules {
		if len(r.Allow) > 0 {
			got[name] = r
		}
	}
	want["api"] = rule{Files: []string{"**/pkg/api/**/*.go", "!$test"}, Allow: []string{module + "/pkg/api"}}
	for _, r := range rooms() {
		name, isInternal := strings.CutPrefix(r.path, "internal/")
		if !isInternal || within(r.path, "internal/testkit") {
			continue
		}
		allow := []string{module + "/pkg/api"}
		for _, path := range r.imports {
			allow = append(allow, module+"/"+path+"$")
		}
		want[strings.ReplaceAll(name, "/", "-")] = rule{Files: []string{"**/" + r.path + "/*.go", "!$test"}, Allow: allow}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("depguard in .golangci.yml (-rooms +rules):\n%s", diff)
	}
}

// listTree asks Go about all packages of the module and all that they need.
func listTree(t *testing.T) tree {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", module+"/...")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("go list: %v\n%s", err, errOut.String())
	}
	all := tree{imports: map[string][]string{}}
	decoder := json.NewDecoder(&out)
	for {
		var pkg listed
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("decode the output of go list: %v", err)
		}
		imports := make([]string, 0, len(pkg.Imports))
		for _, imported := range pkg.Imports {
			imports = append(imports, short(imported))
		}
		all.imports[short(pkg.ImportPath)] = imports
	}
	return all
}

// short turns an import path of the module into the path inside of it, and sees
// to it that no other looks like one: Go has packages called internal, too.
func short(importPath string) string {
	if path, found := strings.CutPrefix(importPath, module+"/"); found {
		return path
	}
	if isOurs(importPath) {
		return "std/" + importPath
	}
	return importPath
}

// isOurs tells paths inside of the module from those of others.
func isOurs(path string) bool {
	return slices.ContainsFunc([]string{"cmd", "internal", "pkg", "hack", "test"}, func(top string) bool { return within(path, top) })
}

func within(path, parent string) bool {
	return path == parent || strings.HasPrefix(path, parent+"/")
}

func sortedPaths(imports map[string][]string) []string {
	paths := make([]string, 0, len(imports))
	for path := range imports {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
