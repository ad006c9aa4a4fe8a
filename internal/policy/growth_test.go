package policy_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestEvaluationGrowsWithThePolicies lets many policies act on the same
// Destination. Eight times as many must not take much more than eight times as
// long, where comparing each with all would take 64 times as long.
//
//nolint:paralleltest // It measures the processor time of the process.
func TestEvaluationGrowsWithThePolicies(t *testing.T) {
	const (
		small, factor = 200, 8
		allowed       = 3 * factor
		noise         = 20 * time.Millisecond
	)
	const header = "---\napiVersion: networking.mesh.gloo.solo.io/v1\nkind: %s\nmetadata: {name: p%d, namespace: gloo-mesh}\nspec:\n"
	v := validation.New()
	cost := func(kind, spec string, count int) time.Duration {
		var text strings.Builder
		for i := range count {
			fmt.Fprintf(&text, header, kind, i)
			fmt.Fprintf(&text, spec, i+1)
		}
		objects, err := load.Files(t.Context(), load.FileOptions{
			Paths: []string{"-", "../../testdata/worlds/bookinfo-two-clusters"}, Recursive: true, Stdin: strings.NewReader(text.String()),
		}, v)
		if err != nil {
			t.Fatal(err)
		}
		w := world.New(objects)
		least := time.Duration(0)
		for range 3 {
			runtime.GC()
			start := cputime.Used()
			policy.Evaluate(w)
			if used := cputime.Used() - start; least == 0 || used < least {
				least = used
			}
		}
		return least
	}
	for _, tt := range []struct{ name, kind, spec string }{
		{name: "policies in conflict", kind: "TrafficPolicy", spec: "  policy: {requestTimeout: %ds}\n"},
		{name: "policies for requests of their own", kind: "TrafficPolicy", spec: "  httpRequestMatchers:\n  - uri: {prefix: /a%[1]d}\n  policy: {requestTimeout: %[1]ds}\n"},
		{name: "access policies", kind: "AccessPolicy", spec: "  sourceSelector:\n  - kubeServiceAccountRefs:\n      serviceAccounts:\n      - {name: a%d, namespace: b, clusterName: east}\n"},
		{name: "virtual meshes", kind: "VirtualMesh", spec: "  displayName: v%d\n  meshes:\n  - {name: istiod-istio-system-east, namespace: gloo-mesh}\n"},
	} {
		few, many := cost(tt.kind, tt.spec, small), cost(tt.kind, tt.spec, factor*small)
		if many > allowed*few+noise {
			t.Errorf("%s: %d times as many take %v instead of %v", tt.name, factor, many, few)
		}
	}
}
