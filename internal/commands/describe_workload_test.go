package commands

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

const golden = "../../testdata/golden"

// TestDescribeWorkloadGolden compares the output for the bundled world with testdata/golden.
// Set UPDATE=1 to rewrite the files.
func TestDescribeWorkloadGolden(t *testing.T) {
	t.Parallel()
	tests := []struct{ file, args string }{
		{"workloads.txt", ""},
		{"workloads-wide.txt", "-o wide"},
		{"workloads.json", "-o json"},
		{"workloads.yaml", "-o yaml"},
		{"workloads-names.txt", "-o name"},
		{"productpage.txt", "productpage-v1.bookinfo.east"},
		{"productpage-wide.txt", "productpage-v1.bookinfo.east -o wide"},
		{"productpage.json", "productpage-v1.bookinfo.east -o json"},
		{"productpage.yaml", "productpage-v1.bookinfo.east -o yaml"},
		{"productpage-all-destinations.txt", "productpage-v1.bookinfo.east --all-destinations"},
		{"productpage-color.txt", "productpage-v1.bookinfo.east --color=always"},
		{"ratings-west.txt", "ratings-v1.bookinfo.west"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			got := describeWorkload(t, "", append(strings.Fields(tt.args), "-f", bookinfo, "-R")...)
			path := filepath.Join(golden, "describe-workload", tt.file)
			if os.Getenv("UPDATE") != "" {
				writeFile(t, path, got)
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("output differs; look at it and update with `make update-golden` (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDescribeContract checks that docs/describe.md mentions every field in the golden files.
func TestDescribeContract(t *testing.T) {
	t.Parallel()
	contract, err := os.ReadFile("../../docs/describe.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(golden, "describe-workload", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden JSON files (%v)", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list any
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatal(err)
		}
		for field := range contractFields(list) {
			if !regexp.MustCompile(`\b` + field + `\b`).Match(contract) {
				t.Errorf("docs/describe.md does not mention the field %s of %s", field, filepath.Base(file))
			}
		}
	}
}

// contractFields returns the names of all fields in a JSON value, except those below fields
// that hold labels or a manifest.
func contractFields(value any) map[string]bool {
	fields := map[string]bool{}
	switch value := value.(type) {
	case map[string]any:
		for field, inner := range value {
			fields[field] = true
			if field != "labels" && field != "value" && field != "match" {
				maps.Copy(fields, contractFields(inner))
			}
		}
	case []any:
		for _, inner := range value {
			maps.Copy(fields, contractFields(inner))
		}
	}
	return fields
}

// TestDescribeWorkloadIgnoresOrder checks the bundled world with its objects in other orders
// and in other files.
func TestDescribeWorkloadIgnoresOrder(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"-o json", "-o wide", "--all-destinations -o json", "productpage-v1.bookinfo.east"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			want := describeWorkload(t, "", append(strings.Fields(args), "-f", bookinfo, "-R")...)
			documents := worldDocuments(t)
			random := rand.New(rand.NewPCG(1, 2))
			for range 3 {
				random.Shuffle(len(documents), func(i, k int) { documents[i], documents[k] = documents[k], documents[i] })
				oneFile := describeWorkload(t, strings.Join(documents, "\n---\n"), append(strings.Fields(args), "-f", "-")...)
				if diff := cmp.Diff(want, oneFile); diff != "" {
					t.Fatalf("the order of the objects changes the answer (-given +shuffled):\n%s", diff)
				}
				dir := split(t, random, documents)
				manyFiles := describeWorkload(t, "", append(strings.Fields(args), "-f", dir, "-R")...)
				if diff := cmp.Diff(want, manyFiles); diff != "" {
					t.Fatalf("how objects are spread over files changes the answer (-given +split):\n%s", diff)
				}
			}
		})
	}
}

// worldDocuments returns the YAML documents of the bundled world.
func worldDocuments(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(bookinfo, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob(filepath.Join(bookinfo, "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var documents []string
	for _, file := range slices.Concat(files, below) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, strings.Split(string(text), "\n---\n")...)
	}
	return documents
}

// split distributes documents over files in nested directories, with names unrelated to their
// content, and returns the top directory.
func split(t *testing.T, random *rand.Rand, documents []string) string {
	t.Helper()
	dir := t.TempDir()
	for len(documents) > 0 {
		n := min(len(documents), 1+random.IntN(4))
		depth := strings.Repeat("sub/", random.IntN(3))
		name := string(rune('a'+random.IntN(26))) + string(rune('a'+len(documents)%26)) + ".yaml"
		path := filepath.Join(dir, depth, string(rune('a'+len(documents)/26)), name)
		writeFile(t, path, strings.Join(documents[:n], "\n---\n"))
		documents = documents[n:]
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// describeWorkload runs the command and returns its standard output. The command must succeed
// and print nothing else.
func describeWorkload(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	streams, out, errOut := cli.Test(stdin)
	code := run(t.Context(), append([]string{"describe", "workload"}, args...), cmdutil.NewFactory(streams))
	if code != cli.ExitOK || errOut.Len() > 0 {
		t.Fatalf("exit code = %d, want %d and no errors; got:\n%s", code, cli.ExitOK, errOut)
	}
	if bytes.Contains(out.Bytes(), []byte(" \n")) {
		t.Error("a line ends with blanks")
	}
	return out.String()
}
