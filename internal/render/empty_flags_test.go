package render_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/render"
)

// TestEmptyListFlags gives each flag of a list what an unset variable of a script
// leaves: it is refused, and never makes a list that means everything.
func TestEmptyListFlags(t *testing.T) {
	t.Parallel()
	refuseEmptyFlags(t, render.VirtualMesh())
	refuseEmptyFlags(t, render.TrafficPolicy())
	refuseEmptyFlags(t, render.AccessPolicy())
}

func refuseEmptyFlags[I any, O render.Object](t *testing.T, kind render.Kind[I, O]) {
	t.Helper()
	for _, field := range kind.Fields {
		if !field.Repeatable {
			continue
		}
		texts := []string{"", " ", ","}
		if len(field.Keys) > 0 {
			texts = append(texts, "namespace=", "cluster=", "service=", "to=", "label:app", "namespace=,cluster=east")
		}
		for _, text := range texts {
			t.Run(kind.Noun+" --"+field.Name+"="+text, func(t *testing.T) {
				t.Parallel()
				if _, err := kind.Parse([]render.Argument{{Name: field.Name, Value: text}}, render.Names{}); err == nil {
					t.Error("accepted")
				}
			})
		}
	}
}
