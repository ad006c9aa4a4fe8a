package discovery_test

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/discovery"
)

// FuzzDiscover feeds manifests of all shapes: whatever can be decoded must be
// discovered without panic, and in any order to the same result.
func FuzzDiscover(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases in testdata (%v)", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("east", archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, cluster string, manifests []byte) {
		in, err := readInput(cluster, manifests)
		if err != nil {
			return
		}
		out := discovery.Discover(in)
		for _, n := range out.Notes {
			if n.Object == "" || n.Message == "" {
				t.Errorf("an empty note: %+v", n)
			}
		}
		got := encoded(t, out)
		if again := encoded(t, discovery.Discover(in)); again != got {
			t.Errorf("the same input gives\n%s\nand\n%s", got, again)
		}
		if repeats(in) {
			return // of two objects of one name the first counts
		}
		random := rand.New(rand.NewPCG(1, uint64(len(manifests))))
		if again := encoded(t, discovery.Discover(shuffled(random, in))); again != got {
			t.Errorf("the order of the objects matters:\n%s\nand\n%s", got, again)
		}
		discovery.Merge(out, out)
	})
}

// encoded is text without the niceties: YAML refuses some characters that no
// cluster accepts either.
func encoded(t *testing.T, out discovery.Output) string {
	t.Helper()
	data, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
