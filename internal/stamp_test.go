package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The linker says nothing about -X with a variable that does not exist, so that a
// build would have no version.
func TestBuildStampNamesVariables(t *testing.T) {
	t.Parallel()
	stamp := regexp.MustCompile(`STAMP\s*:?=\s*github\.com/meshctl/meshctl/(\S+)`)
	variable := regexp.MustCompile(`-X \$\(?STAMP\)?\.(\w+)=`)
	for _, name := range []string{"Makefile", "Dockerfile"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		pkg, variables := stamp.FindStringSubmatch(string(text)), variable.FindAllStringSubmatch(string(text), -1)
		if pkg == nil || len(variables) != 3 {
			t.Fatalf("%s: found package %q and %d variables, want 3", name, pkg, len(variables))
		}
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pkg[1]), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s stamps %s, which does not exist (%v)", name, pkg[1], err)
		}
		var source strings.Builder
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
		for _, v := range variables {
			if !regexp.MustCompile(`(?m)^\s+` + v[1] + `\s+string$`).MatchString(source.String()) {
				t.Errorf("%s stamps %s.%s, which is no variable", name, pkg[1], v[1])
			}
		}
	}
}
