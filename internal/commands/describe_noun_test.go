package commands

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// otherNouns returns the kinds of describe except workloads, which have their own tests.
func otherNouns(t *testing.T) []string {
	t.Helper()
	streams, _, _ := cli.Test("")
	describe, _, err := newRootCmd(cmdutil.NewFactory(streams)).Find([]string{"describe"})
	if err != nil {
		t.Fatal(err)
	}
	var nouns []string
	for _, noun := range describe.Commands() {
		if noun.Name() != "workload" {
			nouns = append(nouns, noun.Name())
		}
	}
	return nouns
}

// TestDescribeNounGolden compares the output for the bundled world with
// testdata/golden/describe-KIND. Set UPDATE=1 to rewrite the files.
func TestDescribeNounGolden(t *testing.T) {
	t.Parallel()
	variants := []struct {
		file string
		args []string
	}{
		{"table.txt", nil},
		{"wide.txt", []string{"-o", "wide"}},
		{"names.txt", []string{"-o", "name"}},
		{"summary.json", []string{"-o", "json"}},
		{"details.txt", []string{"--details"}},
		{"details.yaml", []string{"--details", "-o", "yaml"}},
	}
	for _, noun := range otherNouns(t) {
		for _, variant := range variants {
			t.Run(noun+"/"+variant.file, func(t *testing.T) {
				t.Parallel()
				got := runDescribe(t, "", append([]string{noun, "-R", "-f", bookinfo}, variant.args...)...)
				golden := filepath.Join("..", "..", "testdata", "golden", "describe-"+noun, variant.file)
				if os.Getenv("UPDATE") != "" {
					saveGolden(t, golden, got)
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", golden, diff)
				}
			})
		}
	}
}

// TestDescribeNounShuffled checks that the order of the manifests does not affect the output.
func TestDescribeNounShuffled(t *testing.T) {
	t.Parallel()
	documents := bookinfoDocuments(t)
	for _, noun := range otherNouns(t) {
		t.Run(noun, func(t *testing.T) {
			t.Parallel()
			args := []string{noun, "--details", "-o", "json", "-f", "-"}
			want := runDescribe(t, strings.Join(documents, "\n---\n"), args...)
			random := rand.New(rand.NewPCG(1, uint64(len(noun))))
			for range 3 {
				shuffled := slices.Clone(documents)
				random.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
				if diff := cmp.Diff(want, runDescribe(t, strings.Join(shuffled, "\n---\n"), args...)); diff != "" {
					t.Errorf("the order of the objects changes the answer (-given +shuffled):\n%s", diff)
				}
			}
		})
	}
}

func runDescribe(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	streams, out, errOut := cli.Test(stdin)
	if code := run(t.Context(), append([]string{"describe"}, args...), cmdutil.NewFactory(streams)); code != cli.ExitOK {
		t.Fatalf("describe %v exits with %d: %s", args, code, errOut)
	}
	return out.String()
}

func saveGolden(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func bookinfoDocuments(t *testing.T) []string {
	t.Helper()
	var documents []string
	err := filepath.WalkDir(bookinfo, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		documents = append(documents, strings.Split(string(text), "\n---\n")...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return documents
}
