package wizard_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	answer "github.com/meshctl/meshctl/internal/wizard/wizardtest"
)

// TestVisitedPartStaysUnchanged visits every part of every resource of the other
// tests and confirms each question with Enter: nothing changes, also where the
// resource names what does not exist.
func TestVisitedPartStaysUnchanged(t *testing.T) {
	t.Parallel()
	for _, tt := range virtualMeshTests() {
		visitParts(t, "virtualmesh/"+tt.name, wizard.RevisitVirtualMesh, render.VirtualMesh(), tt.want)
	}
	for _, tt := range trafficTests() {
		visitParts(t, "trafficpolicy/"+tt.name, wizard.RevisitTrafficPolicy, render.TrafficPolicy(), tt.want)
	}
	for _, tt := range accessTests() {
		visitParts(t, "accesspolicy/"+tt.name, wizard.RevisitAccessPolicy, render.AccessPolicy(), tt.want)
	}
}

func visitParts[I any, O render.Object](t *testing.T, name string, revisit func(wizard.Prompter, wizard.Catalogue, *wizard.Draft[I]) error, kind render.Kind[I, O], in *I) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		manifest := func(in *I) string {
			resource, err := kind.Build(render.Meta{Name: "a", Namespace: "gloo-mesh"}, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := render.Manifest(resource)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		copied := *in
		menu := answer.New(t, answer.Default(change))
		if err := revisit(menu, bookinfo(), &wizard.Draft[I]{Name: "a", Input: &copied}); err != nil {
			t.Fatal(err)
		}
		for _, part := range menu.Screens()[0].Options[1:] {
			for _, world := range []wizard.Catalogue{bookinfo(), {}} {
				visited := *in
				first := []answer.Answer{answer.Select(change, part.Label)}
				err := revisit(&rest{Stub: answer.New(t, first...), left: len(first)}, world, &wizard.Draft[I]{Name: "a", Input: &visited})
				if err != nil {
					t.Errorf("%s: %v", part.Label, err)
				}
				if diff := cmp.Diff(manifest(in), manifest(&visited)); diff != "" {
					t.Errorf("%s, of a world with %d services (-before +after):\n%s", part.Label, len(world.Services), diff)
				}
			}
		}
	})
}
