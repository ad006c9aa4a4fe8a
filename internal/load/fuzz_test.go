package load

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/pkg/api/validation"
)

// FuzzLoad looks for input that panics or that gives different results when read twice.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		networking + "kind: TrafficPolicy\nmetadata: {name: a}\nspec:\n  policy: {requestTimeout: 5s, retrys: 3}\n",
		networking + "kind: VirtualMesh\nmetadata: {name: a, labels: {x: 1}}\nspec:\n  meshes: [{name: b}]\n---\n# nothing\n---\nx: *y\n",
		"apiVersion: v1\nitems:\n- " + discovery + "  kind: Mesh\n  metadata: {name: a}\n- &x\n  spec: {}\n- *x\nkind: List\n",
		`{"kind":"MeshList","apiVersion":"discovery.mesh.gloo.solo.io/v1","items":[{"metadata":{"name":"a"}},{}]}{"a":1}`,
		"%TAG ! tag:x,2000:\n--- !y {a: 'b}', <<: {c: 1e3}}\n...\n\ufeff--- |\n x\n",
		"{\"items\": [{\"a\": 1, x: y}\nitems:\n- a\n  - b\n c\n",
	} {
		f.Add([]byte(seed))
	}
	validator := validation.New()
	f.Fuzz(func(t *testing.T, data []byte) {
		load := func() summary {
			objects, err := readFiles(t.Context(), FileOptions{Paths: []string{"-"}, Stdin: bytes.NewReader(data)}, validator)
			if err != nil {
				return summary{Problems: []string{err.Error()}}
			}
			return summarise(objects)
		}
		if diff := cmp.Diff(load(), load()); diff != "" {
			t.Errorf("the second time differs from the first:\n%s", diff)
		}
	})
}
