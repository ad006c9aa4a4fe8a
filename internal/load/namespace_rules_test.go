package load

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/world"
)

// TestNamespaceRules checks which kinds take effect from which namespaces (D72).
func TestNamespaceRules(t *testing.T) {
	t.Parallel()
	everywhere := emptyManagement()
	for path := range everywhere {
		for _, namespace := range []string{"gloo-mesh", "team", "other"} {
			o := object("x", map[string]any{})
			o["metadata"].(map[string]any)["namespace"] = namespace
			if namespace == "other" {
				o["spec"] = map[string]any{"bad": 1} // hides input wherever it takes effect
			}
			everywhere[path] = append(everywhere[path], o)
		}
	}
	const policyTeam = ` ["ignored: namespace team is neither gloo-mesh nor one of its policy namespaces"]`
	const policyOther = ` ["ignored: namespace other is neither gloo-mesh nor one of its policy namespaces"]`
	tests := []struct {
		name   string
		server *liveAPI
		team   bool
		// problems are the expected problems other than those about ignored objects.
		problems []string
	}{
		{name: "nothing is listed", server: &liveAPI{lists: everywhere}},
		{name: "a namespace is listed", server: &liveAPI{lists: everywhere, listed: "team, third"}, team: true},
		{
			name: "what is listed may not be read", server: &liveAPI{lists: everywhere, listed: "team", forbidden: []string{homePath}},
			problems: []string{"UnlistedKind cluster mgmt: cannot read Namespace gloo-mesh: forbidden: not for you (get this permission, or use other credentials)"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			objects, err := readManagement(t.Context(), ManagementOptions{Connection: tt.server.connect(t, "mgmt")}, pickyChecker{})
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, kind := range authoredKinds() {
				team := policyTeam
				if tt.team {
					team = ""
				}
				want = append(want, kind+"/x.gloo-mesh cluster mgmt", kind+"/x.other cluster mgmt"+policyOther, kind+"/x.team cluster mgmt"+team)
			}
			for _, kind := range []string{"Mesh", "Workload", "Destination"} {
				want = append(want, kind+"/x.gloo-mesh cluster mgmt")
				if tt.team {
					want = append(want, kind+"/x.team cluster mgmt")
				}
			}
			want = append(want, "Settings/x.gloo-mesh cluster mgmt", "KubernetesCluster/x.gloo-mesh cluster mgmt")
			got := summarise(objects)
			sorted := func(lines []string) []string { return slices.Sorted(slices.Values(lines)) }
			if diff := cmp.Diff(sorted(want), sorted(got.Objects)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			var others []string
			ignored := 0
			for i, p := range objects.Problems {
				if p.Kind == world.IgnoredNamespace {
					ignored++
				} else {
					others = append(others, got.Problems[i])
				}
			}
			if diff := cmp.Diff(tt.problems, others); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			// Settings and KubernetesClusters never take effect from other namespaces.
			if wantIgnored := map[bool]int{false: 16, true: 10}[tt.team]; ignored != wantIgnored {
				t.Errorf("%d objects are reported as ignored, want %d", ignored, wantIgnored)
			}
			if slices.ContainsFunc(objects.Problems, world.Problem.HidesInput) {
				t.Error("an object in another namespace blocks the use of the others")
			}
		})
	}
}

// TestPolicyNamespacesAreReadOnlyIfNeeded checks that the policy namespaces are only read when they
// matter, so that users do not need a permission without a reason.
func TestPolicyNamespacesAreReadOnlyIfNeeded(t *testing.T) {
	t.Parallel()
	lists := emptyManagement()
	lists[networkingPath+"trafficpolicies"] = []map[string]any{object("a", map[string]any{})}
	server := &liveAPI{lists: lists, broken: []string{"/api/v1/namespaces/team"}}
	objects, err := readManagement(t.Context(), ManagementOptions{Connection: server.connect(t, "mgmt"), Home: "team"}, pickyChecker{})
	if err != nil || len(objects.Problems) > 0 || objects.TrafficPolicies[0].Outside {
		t.Errorf("%+v, %v", objects.Problems, err)
	}
}
