package registration

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
)

// TestAppliedLeftover checks the instructions for configuration that remains: a command that
// selects it by its labels on the right cluster, or a description.
func TestAppliedLeftover(t *testing.T) {
	t.Parallel()
	const labels = "cluster.multicluster.solo.io=east,owner.networking.mesh.gloo.solo.io=mesh"
	var applied []AppliedKind
	for i, resource := range istioKinds()[3:5] {
		applied = append(applied, AppliedKind{resource, i + 2})
	}
	named := &kube.Connection{Name: "east", Context: "kind-east"}
	for name, tt := range map[string]struct {
		remote  *kube.Connection
		applied []AppliedKind
		err     error
		want    *Leftover
	}{
		"nothing": {remote: named},
		"a context leads there": {
			remote: named, applied: applied,
			want: &Leftover{
				Cluster: "east", Object: "5 objects of applied configuration",
				Command: "kubectl --kubeconfig /k --context kind-east delete authorizationpolicies.security.istio.io,virtualservices.networking.istio.io --all-namespaces --selector " + labels,
			},
		},
		"none does": {
			applied: applied,
			want: &Leftover{
				Cluster: "east", Object: "5 objects of applied configuration",
				Advice: "delete the objects with labels " + labels + " in all namespaces of the cluster (authorizationpolicies.security.istio.io, virtualservices.networking.istio.io)",
			},
		},
		"not known": {
			err: errors.New("no answer"),
			want: &Leftover{
				Cluster: "east", Object: "configuration that meshctl applied, if there is any",
				Advice: "delete the objects with labels " + labels + " in all namespaces of the cluster (authorizationpolicies.security.istio.io, " +
					"destinationrules.networking.istio.io, gateways.networking.istio.io, peerauthentications.security.istio.io, " +
					"serviceentries.networking.istio.io, virtualservices.networking.istio.io)",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := &DeregistrationPlan{Cluster: "east", Applied: tt.applied, AppliedErr: tt.err, deregistrar: &deregistrar{
				remote: tt.remote, opts: DeregisterOptions{Cluster: "east", Namespace: "mesh", RemoteKubeconfig: "/k"},
			}}
			if diff := cmp.Diff(tt.want, plan.AppliedLeftover()); diff != "" {
				t.Errorf("leftover (-want +got):\n%s", diff)
			}
		})
	}
}
