package internal_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestContributingNamesFiles holds the paths in CONTRIBUTING.md to the tree. A file
// that is named without a directory is in one that the same paragraph, row or item
// names before.
func TestContributingNamesFiles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	missing, found := missingPaths(string(text), func(pattern string) bool {
		matches, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pattern)))
		return err == nil && len(matches) > 0
	})
	for _, name := range missing {
		t.Errorf("CONTRIBUTING.md names %s, which does not exist", name)
	}
	if found < 50 {
		t.Errorf("only %d paths were recognised", found)
	}
}

func TestMissingPaths(t *testing.T) {
	t.Parallel()
	tree := []string{"internal/a", "internal/a/b.go", "internal/c.go", "internal/a/b_test.go"}
	exists := func(pattern string) bool {
		return slices.ContainsFunc(tree, func(name string) bool {
			matches, _ := path.Match(pattern, name)
			return matches
		})
	}
	text := "1. `internal/a/b.go` and `b_test.go`, not `c.go`.\n   `go test ./internal/a` of `internal/{a,x}` and `make`\n" +
		"2. `b.go` alone; `internal/a/*.go`, `internal/<name>/x.go`\n\n| `internal/gone.go` |\n"
	missing, found := missingPaths(text, exists)
	want := []string{"c.go", "internal/x", "b.go", "internal/gone.go"}
	if !slices.Equal(missing, want) || found != 9 {
		t.Errorf("got %d paths, missing %q; want 9, %q", found, missing, want)
	}
}

// missingPaths returns the paths in backticks that do not exist, and how many
// paths there are.
func missingPaths(text string, exists func(pattern string) bool) (missing []string, found int) {
	quoted := regexp.MustCompile("`([^`\n]+)`")
	rooted := regexp.MustCompile(`^(\./)?(\.ci|cmd|docs|hack|internal|pkg|test|testdata)/[^ ]*$`)
	bare := regexp.MustCompile(`^[\w*]+\.go$`)
	newParagraph := regexp.MustCompile(`^(\d+\. |- |\||#|$)`)
	var directories []string
	for line := range strings.Lines(text) {
		if newParagraph.MatchString(strings.TrimRight(line, "\n")) {
			directories = nil
		}
		for _, match := range quoted.FindAllStringSubmatch(line, -1) {
			for word := range strings.FieldsSeq(match[1]) {
				switch {
				case strings.Contains(word, "<"):
				case rooted.MatchString(word):
					for _, name := range alternatives(strings.TrimSuffix(strings.TrimPrefix(word, "./"), "/...")) {
						found++
						if !exists(name) {
							missing = append(missing, name)
						}
						directories = append(directories, name, path.Dir(name))
					}
				case bare.MatchString(word):
					found++
					if !slices.ContainsFunc(directories, func(directory string) bool { return exists(path.Join(directory, word)) }) {
						missing = append(missing, word)
					}
				}
			}
		}
	}
	return missing, found
}

// alternatives spells out one pair of braces.
func alternatives(pattern string) []string {
	before, rest, ok := strings.Cut(pattern, "{")
	inside, after, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return []string{pattern}
	}
	var all []string
	for part := range strings.SplitSeq(inside, ",") {
		all = append(all, before+part+after)
	}
	return all
}
