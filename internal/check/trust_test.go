package check

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// emptyStore is a cluster without any Secret, or one that does not let meshctl
// look.
type emptyStore struct{ err error }

func (s emptyStore) Read(context.Context, string, string, string) (*kube.Secret, error) {
	return nil, s.err
}

func (emptyStore) Write(context.Context, string, *kube.Secret, sharedtrust.Write) (kube.Outcome, error) {
	return kube.Failed, errors.New("checks write nothing")
}

func (emptyStore) Delete(context.Context, string, string, string, map[string]string) error {
	return errors.New("checks delete nothing")
}

// trustFacts are those of a VirtualMesh with one mesh, whose clusters answer
// every question about Secrets with an error, or with none.
func trustFacts(t *testing.T, err error) *Facts {
	t.Helper()
	mesh := istioMesh("1.27.0")
	mesh.Name, mesh.Namespace = "istiod", "gloo-mesh"
	vm := &networkingv1.VirtualMesh{}
	vm.Name, vm.Namespace = "prod", "gloo-mesh"
	vm.Spec.Meshes = []core.ObjectRef{{Name: "istiod", Namespace: "gloo-mesh"}}
	vm.Spec.MTLSConfig = &networkingv1.MTLSConfig{Shared: &networkingv1.SharedTrust{}}
	f := wellFacts()
	var objects world.Objects
	objects.Meshes = append(objects.Meshes, world.Object[discoveryv1.Mesh]{Resource: mesh})
	objects.VirtualMeshes = append(objects.VirtualMeshes, world.Object[networkingv1.VirtualMesh]{Resource: vm})
	f.World = policy.Evaluate(world.New(objects))
	subject, subjectErr := sharedtrust.Of(f.World, 0)
	if subjectErr != nil {
		t.Fatal(subjectErr)
	}
	env := &sharedtrust.Env{Store: emptyStore{err}, Namespace: "gloo-mesh", Now: noon}
	nobody := func(string) (*kube.Connection, error) {
		return nil, &kube.Error{Reason: kube.ReasonForbidden, Why: "no"}
	}
	report, reportErr := sharedtrust.Inspect(t.Context(), env, subject, f.World.World, nobody, time.Second)
	if reportErr != nil {
		t.Fatal(reportErr)
	}
	f.Trust = []TrustFacts{{VirtualMesh: "prod.gloo-mesh", Report: report}}
	return f
}

func TestTrust(t *testing.T) {
	t.Parallel()
	results := func(f *Facts) map[string]Result {
		found := map[string]Result{}
		for _, c := range Judge(f, []string{CategoryTrust}).Categories {
			for _, line := range c.Checks {
				found[line.ID] = line.Result
			}
		}
		return found
	}
	missing := trustFacts(t, nil)
	missing.Trust[0].Report.Reports[0].ReachErr, missing.Trust[0].Report.Reports[0].OlderErr = nil, nil
	missing.Trust[0].Report.Reports[0].Older = []restart.Item{{Ref: restart.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}}}
	if diff := cmp.Diff(map[string]Result{
		"trust-root": OK, "trust-certificates": Failed, "trust-rotation": OK, "trust-distribution": OK, "trust-restarts": Warning, "trust-left": OK,
	}, results(missing)); diff != "" {
		t.Errorf("without certificates (-want +got):\n%s", diff)
	}
	forbidden := trustFacts(t, &kube.Error{Cluster: "east", Reason: kube.ReasonForbidden, Why: "no"})
	if diff := cmp.Diff(map[string]Result{
		"trust-root": Failed, "trust-certificates": Failed, "trust-rotation": Skipped, "trust-distribution": Skipped, "trust-restarts": Skipped, "trust-left": OK,
	}, results(forbidden)); diff != "" {
		t.Errorf("without permission (-want +got):\n%s", diff)
	}
	dead := trustFacts(t, &kube.Error{Cluster: "east", Reason: kube.ReasonTimeout, Why: "timed out"})
	dead.Members = []MemberFacts{wellMember("east")}
	dead.Members[0].Err = &kube.Error{Cluster: "east", Reason: kube.ReasonTimeout, Why: "timed out"}
	if diff := cmp.Diff(map[string]Result{
		"cluster-reachable": Failed,
		"trust-root":        Failed, "trust-certificates": Skipped, "trust-rotation": Skipped, "trust-distribution": Skipped, "trust-restarts": Skipped, "trust-left": OK,
	}, results(dead)); diff != "" {
		t.Errorf("an unreachable cluster (-want +got):\n%s", diff)
	}
	invalid := wellFacts()
	invalid.World = missing.World
	invalid.Trust = []TrustFacts{{VirtualMesh: "prod.gloo-mesh", Err: errors.New("it is INVALID")}}
	if diff := cmp.Diff(map[string]Result{
		"trust-root": Failed, "trust-certificates": Skipped, "trust-rotation": Skipped, "trust-distribution": Skipped, "trust-restarts": Skipped, "trust-left": Skipped,
	}, results(invalid)); diff != "" {
		t.Errorf("an INVALID VirtualMesh (-want +got):\n%s", diff)
	}
	invalid.Trust[0].Err = &sharedtrust.StatusError{VirtualMesh: "prod.gloo-mesh", Cause: errors.New("condition 2 of 2")}
	if diff := cmp.Diff(map[string]Result{
		"trust-root": Skipped, "trust-certificates": Skipped, "trust-rotation": Failed, "trust-distribution": Skipped, "trust-restarts": Skipped, "trust-left": Skipped,
	}, results(invalid)); diff != "" {
		t.Errorf("a VirtualMesh with an impossible status (-want +got):\n%s", diff)
	}
	if report := Judge(wellFacts(), []string{CategoryTrust}); report.Categories[0].Skipped == "" {
		t.Error("a world without shared trust is judged")
	}
}
