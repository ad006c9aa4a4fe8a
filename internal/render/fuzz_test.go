package render_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

func FuzzFlagsOfVirtualMesh(f *testing.F)   { fuzzFlags(f, render.VirtualMesh()) }
func FuzzFlagsOfTrafficPolicy(f *testing.F) { fuzzFlags(f, render.TrafficPolicy()) }
func FuzzFlagsOfAccessPolicy(f *testing.F)  { fuzzFlags(f, render.AccessPolicy()) }

// fuzzFlags reads any text with any flag. What is accepted is written in a form
// that means the same, and that is written like itself.
func fuzzFlags[I any, O render.Object](f *testing.F, kind render.Kind[I, O]) {
	f.Helper()
	for _, field := range kind.Fields {
		for _, text := range []string{"", ",", ",,", "=", `"`, `x="`, `a:"\`, "@", ":", "~", "[", "]:1", "a.b.c:1@k=v=2=3", "\xff", `service="\xff"`, "\x00", "*"} {
			f.Add(field.Name, text)
		}
	}
	for _, file := range mustCases(f, kind.Noun) {
		for _, a := range arguments(file) {
			f.Add(a.Name, a.Value)
		}
	}
	world := render.Names{World: smallWorld(), Namespace: "gloo-mesh"}
	f.Fuzz(func(t *testing.T, name, text string) {
		field := kind.Field(name)
		if field == nil {
			t.Skip()
		}
		resolved := new(I)
		if err := field.Set(resolved, text, world); err == nil {
			// What was short is written in full, so that it needs no world.
			if _, err := kind.Parse(kind.ArgumentsOf(resolved), render.Names{}); err != nil {
				t.Errorf("--%s %q is accepted in a world, but written as %q: %v", name, text, kind.ArgumentsOf(resolved), err)
			}
		}
		in := new(I)
		if err := field.Set(in, text, render.Names{}); err != nil {
			if err.Error() == "" || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' && r != '\n' }) {
				t.Errorf("--%s %q: the error disturbs terminals: %q", name, text, err)
			}
			return
		}
		texts := kind.ArgumentsOf(in)
		if len(texts) == 0 {
			t.Fatalf("--%s %q is accepted, but not given", name, text)
		}
		again, err := kind.Parse(texts, render.Names{})
		if err != nil {
			t.Fatalf("--%s %q is written as %q, which is not accepted: %v", name, text, texts, err)
		}
		if diff := cmp.Diff(texts, kind.ArgumentsOf(again)); diff != "" {
			t.Errorf("--%s %q: (-written +written again)\n%s", name, text, diff)
		}
		meta := render.Meta{Name: "x", Namespace: "n"}
		first, firstErr := kind.Build(meta, in, nil)
		second, secondErr := kind.Build(meta, again, nil)
		if (firstErr == nil) != (secondErr == nil) {
			t.Fatalf("--%s %q: %v, but %q: %v", name, text, firstErr, texts, secondErr)
		}
		if firstErr != nil {
			return
		}
		if diff := cmp.Diff(fuzzYAML(t, first), fuzzYAML(t, second)); diff != "" {
			t.Errorf("--%s %q: (-want +got)\n%s", name, text, diff)
		}
	})
}

func fuzzYAML(t *testing.T, o render.Object) string {
	t.Helper()
	text, err := render.Manifest(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzDecode reads any manifest. What is accepted is written so that it reads
// back as the same.
func FuzzDecode(f *testing.F) {
	kind := render.TrafficPolicy()
	v := validation.New()
	f.Add("")
	f.Add("---\n---\n")
	f.Add("[]")
	f.Add("apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy\nmetadata: {name: a, namespace: b}\nspec: {policy: {requestTimeout: 1s}}\n")
	f.Add(`{"apiVersion": "networking.mesh.gloo.solo.io/v1", "kind": "TrafficPolicy", "metadata": {"name": "a", "labels": {"a": "b"}}, "spec": null}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := kind.Decode(v, []byte(text))
		if err != nil {
			return
		}
		want := fuzzYAML(t, o)
		again, err := kind.Decode(v, []byte(want))
		if err != nil {
			t.Fatalf("%q is written as %q, which is not accepted: %v", text, want, err)
		}
		if diff := cmp.Diff(want, fuzzYAML(t, again)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
