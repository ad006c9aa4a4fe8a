package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestFactsOfOtherTools: facts that do not fit the schema are not known. The
// resource and its other facts are used, and a problem names each of them.
func TestFactsOfOtherTools(t *testing.T) {
	t.Parallel()
	const mesh = `
apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Mesh
metadata: {name: istiod, namespace: gloo-mesh}
spec:
  istio: {installation: {cluster: east, namespace: istio-system}}
  meshctl: %s
`
	tests := []struct {
		name, facts string
		want        *discoveryv1.MeshFacts
		problems    []string
	}{
		{
			name: "valid", facts: "{trustDomainAliases: [], networks: [a], skipValidateTrustDomain: false}",
			want: &discoveryv1.MeshFacts{TrustDomainAliases: []string{}, Networks: []string{"a"}, SkipValidateTrustDomain: new(false)},
		},
		{name: "null", facts: "null"},
		{
			name: "nulls", facts: "{trustDomainAliases: null, enableAutoMtls: null, dnsCapture: true}",
			want: &discoveryv1.MeshFacts{DNSCapture: new(true)},
		},
		{
			name: "no object", facts: "[1]",
			problems: []string{`a fact is ignored: spec.meshctl: `},
		},
		{
			name: "wrong types", facts: "{trustDomainAliases: a, enableAutoMtls: [], dnsCapture: true, defaultHttpRetryPolicy: {attempts: many}}",
			want: &discoveryv1.MeshFacts{DNSCapture: new(true)},
			problems: []string{
				"a fact is ignored: spec.meshctl.defaultHttpRetryPolicy.attempts: ",
				"a fact is ignored: spec.meshctl.enableAutoMtls: ",
				"a fact is ignored: spec.meshctl.trustDomainAliases: ",
			},
		},
		{
			name: "no trust domain, which a rule finds", facts: `{caCertificateTrustDomains: ["*"], outboundTrafficPolicy: SOME, trustDomainAliases: [a]}`,
			want: &discoveryv1.MeshFacts{TrustDomainAliases: []string{"a"}},
			problems: []string{
				"a fact is ignored: spec.meshctl.outboundTrafficPolicy: ",
				"a fact is ignored: spec.meshctl.caCertificateTrustDomains: a trust domain may have lower-case letters",
			},
		},
		{
			name: "too many", facts: "{networks: [" + strings.Repeat("a,", 1025) + "], remoteClusters: []}",
			want:     &discoveryv1.MeshFacts{RemoteClusters: []string{}},
			problems: []string{"a fact is ignored: spec.meshctl.networks: "},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := writeTree(t, map[string]string{"mesh.yaml": fmt.Sprintf(mesh, test.facts)})
			objects, err := Files(t.Context(), FileOptions{Paths: []string{dir}}, validation.New())
			if err != nil {
				t.Fatal(err)
			}
			if len(objects.Meshes) != 1 || len(objects.Meshes[0].Errors) > 0 {
				t.Fatalf("the mesh is not used: %+v", objects.Problems)
			}
			if diff := cmp.Diff(test.want, objects.Meshes[0].Resource.Spec.Meshctl); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if len(objects.Problems) != len(test.problems) {
				t.Fatalf("problems: %+v", objects.Problems)
			}
			for i, p := range objects.Problems {
				if p.Kind != world.IgnoredFact || p.HidesInput() || p.Object != "Mesh/istiod.gloo-mesh" || !strings.HasPrefix(p.Message, test.problems[i]) {
					t.Errorf("a problem %+v, want %q", p, test.problems[i])
				}
			}
		})
	}
}

// TestOtherErrorsRemain: what is wrong outside of the facts leaves the resource out
// as before.
func TestOtherErrorsRemain(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{"workload.yaml": `
apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Workload
metadata: {name: web, namespace: gloo-mesh}
spec: {kubernetes: 1, meshctl: {proxy: MANY, proxyType: SIDECAR, noSuchFact: 1}}
`})
	objects, err := Files(t.Context(), FileOptions{Paths: []string{dir}}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	var kinds []world.ProblemKind
	for _, p := range objects.Problems {
		kinds = append(kinds, p.Kind)
	}
	if diff := cmp.Diff([]world.ProblemKind{world.IgnoredFact, world.UnknownField, world.SchemaViolation}, kinds); diff != "" {
		t.Errorf("problems (-want +got):\n%s%+v", diff, objects.Problems)
	}
	if len(objects.Workloads) != 1 || len(objects.Workloads[0].Errors) != 1 {
		t.Errorf("workloads: %+v", objects.Workloads)
	}
}
