package render_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

func TestRoundTripOfVirtualMesh(t *testing.T) {
	t.Parallel()
	testRoundTrip(t, render.VirtualMesh(), generator.virtualMesh)
}

func TestRoundTripOfTrafficPolicy(t *testing.T) {
	t.Parallel()
	testRoundTrip(t, render.TrafficPolicy(), generator.trafficPolicy)
}

func TestRoundTripOfAccessPolicy(t *testing.T) {
	t.Parallel()
	testRoundTrip(t, render.AccessPolicy(), generator.accessPolicy)
}

// testRoundTrip builds resources from random inputs: each satisfies its schema,
// leads to flags that recreate it byte for byte, and is read back from its
// manifest.
func testRoundTrip[I any, O render.Object](t *testing.T, kind render.Kind[I, O], random func(generator) *I) {
	t.Helper()
	v := validation.New()
	for seed := range uint64(100) {
		g := generator{random: rand.New(rand.NewPCG(1, seed))}
		o, err := kind.Build(render.Meta{Name: "x", Namespace: "n"}, random(g), nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := render.Validate(v, o); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, yamlOf(t, o))
		}
		want := yamlOf(t, o)
		arguments, exact := kind.Arguments(o)
		if diff := cmp.Diff(want, yamlOf(t, build(t, kind, arguments))); diff != "" || !exact {
			t.Fatalf("seed %d: exact: %t, %v\n(-want +got):\n%s", seed, exact, arguments, diff)
		}
		decoded, err := kind.Decode(v, []byte(want))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, want)
		}
		if diff := cmp.Diff(want, yamlOf(t, decoded)); diff != "" {
			t.Fatalf("seed %d: (-written +read):\n%s", seed, diff)
		}
		json, err := render.ManifestJSON(o)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err = kind.Decode(v, json)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, json)
		}
		if diff := cmp.Diff(want, yamlOf(t, decoded)); diff != "" {
			t.Fatalf("seed %d: (-written +read from JSON):\n%s", seed, diff)
		}
	}
}
