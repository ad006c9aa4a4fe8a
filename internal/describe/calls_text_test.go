package describe

import (
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Only a default of the mesh itself is worth a line: routes without retries follow it
// instead of Istio's own (D76).
func TestMeshRetries(t *testing.T) {
	t.Parallel()
	timeout := core.NewDuration(2 * time.Second)
	for name, test := range map[string]struct {
		facts *discoveryv1.MeshFacts
		want  string
	}{
		"not known":       {nil, ""},
		"Istio's own":     {&discoveryv1.MeshFacts{DefaultHTTPRetryPolicy: &discoveryv1.DefaultRetryPolicy{}}, ""},
		"switched off":    {&discoveryv1.MeshFacts{DefaultHTTPRetryPolicy: &discoveryv1.DefaultRetryPolicy{Attempts: new(int32)}}, "the default of mesh istiod.gloo-mesh switches retries off"},
		"its own":         {&discoveryv1.MeshFacts{DefaultHTTPRetryPolicy: &discoveryv1.DefaultRetryPolicy{Attempts: new(int32(5)), RetryOn: "5xx", PerTryTimeout: timeout}}, "the default of mesh istiod.gloo-mesh makes 5 attempts of 2s on 5xx"},
		"only the number": {&discoveryv1.MeshFacts{DefaultHTTPRetryPolicy: &discoveryv1.DefaultRetryPolicy{Attempts: new(int32(1))}}, "the default of mesh istiod.gloo-mesh makes 1 attempt on connect-failure, refused-stream, unavailable, cancelled"},
	} {
		m := &world.Mesh{Ref: core.ObjectRef{Name: "istiod", Namespace: "gloo-mesh"}, Facts: test.facts}
		if got := meshRetries(m); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
