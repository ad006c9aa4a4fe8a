package wizard_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestAnswersMakeResources shows that what the questions allow makes a valid
// resource, and that flags can say the same.
func TestAnswersMakeResources(t *testing.T) {
	t.Parallel()
	for _, tt := range virtualMeshTests() {
		makesResource(t, tt.name, render.VirtualMesh(), tt.want)
	}
	for _, tt := range trafficTests() {
		makesResource(t, tt.name, render.TrafficPolicy(), tt.want)
	}
	for _, tt := range accessTests() {
		makesResource(t, tt.name, render.AccessPolicy(), tt.want)
	}
}

func makesResource[I any, O render.Object](t *testing.T, name string, kind render.Kind[I, O], in *I) {
	t.Helper()
	t.Run(kind.Noun+"/"+name, func(t *testing.T) {
		t.Parallel()
		resource, err := kind.Build(render.Meta{Name: "it", Namespace: "gloo-mesh"}, in, nil)
		if err != nil {
			t.Fatalf("build the resource: %v", err)
		}
		if err := render.Validate(validation.New(), resource); err != nil {
			t.Errorf("the resource is not valid: %v", err)
		}
		if arguments, exact := kind.Arguments(resource); !exact {
			t.Errorf("flags make something else: %v", arguments)
		}
	})
}
