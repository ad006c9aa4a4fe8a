package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixedCounts are the messages that may count in the plural without looking at the
// count, and why.
func fixedCounts() map[string]string {
	return map[string]string{
		"%d bytes": "a limit",
		"the list has not ended after %d pages with %d objects":      "limits",
		"%d objects are defined twice; remove one of each:\n  %s":    "a single one has its own sentence",
		"short outage: all %d pods may be replaced at the same time": "a single one has its own sentence",
		"all %d pods are": "a single one has its own sentence",
		"%s: Service %s has %d ports, so the port must be given":                                                                                         "one port would be taken",
		"it has %d pods, but a ServiceEntry supports only %d; the others get no requests from other clusters":                                            "more than a limit",
		"%s, RSA %d bits, organisation %s, renewed in the last %s of its life":                                                                           "the API has a minimum",
		"its partition %d keeps all pods from being replaced: lower spec.updateStrategy.rollingUpdate.partition, or delete the pods one after the other": "a name, no count",
	}
}

// TestCountsHaveTheirNouns finds messages that say "1 meshes": those that count
// must use Count of internal/cli/text.
func TestCountsHaveTheirNouns(t *testing.T) {
	t.Parallel()
	known := fixedCounts()
	used := map[string]bool{}
	for _, top := range []string{"../internal", "../cmd", "../pkg"} {
		err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(filepath.ToSlash(path), "test") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			for _, message := range countingMessages(file) {
				used[message] = true
				if known[message] == "" {
					t.Errorf("%s counts in the plural whatever the count is: %q\nuse Count of internal/cli/text", strings.TrimPrefix(filepath.ToSlash(path), "../"), message)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for message := range known {
		if !used[message] {
			t.Errorf("no message says %q any more", message)
		}
	}
}

func TestCountingMessages(t *testing.T) {
	t.Parallel()
	const source = "package p\nvar a = []string{`%d pods`, \"%d of %d pods\", \"wrote %d objects.\", \"%d is\", \"port %d has\", \"%d access policies of\"}\nvar b = strconv.Itoa(n) + \" destinations\""
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"%d pods", "wrote %d objects.", "%d access policies of", " destinations"}, countingMessages(file)); diff != "" {
		t.Errorf("found (-want +got)\n%s", diff)
	}
}

// countingMessages returns the texts of a file that have a number in front of a
// plural.
func countingMessages(file *ast.File) []string {
	counts := regexp.MustCompile(`(of |at most |more than |longer than )?%d (?:[a-z]+ )?[A-Za-z-]*[A-Za-rt-z]s\b`)
	verbs := regexp.MustCompile(`%d (?:is|has|was|does|as|this)\b|port %d`)
	var messages []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			text, err := strconv.Unquote(n.Value)
			if n.Kind != token.STRING || err != nil {
				break
			}
			if found := counts.FindStringSubmatch(text); found != nil && found[1] == "" && !verbs.MatchString(text) {
				messages = append(messages, text)
			}
		case *ast.BinaryExpr: // a number and a noun that are put together
			noun, isText := n.Y.(*ast.BasicLit)
			if call, isCall := n.X.(*ast.CallExpr); isText && isCall && strings.HasSuffix(nameOf(call.Fun), "Itoa") {
				if text, err := strconv.Unquote(noun.Value); err == nil && regexp.MustCompile(`^ [a-z]+s\b`).MatchString(text) {
					messages = append(messages, text)
				}
			}
		}
		return true
	})
	return messages
}

func nameOf(function ast.Expr) string {
	if selector, ok := function.(*ast.SelectorExpr); ok {
		return selector.Sel.Name
	}
	return ""
}
