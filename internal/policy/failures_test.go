package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// What the last apply could not write is a finding until the resource changes or
// another apply writes it.
func TestFindingsOfFailures(t *testing.T) {
	t.Parallel()
	objects := genworld.Objects(genworld.Size{Clusters: 2, Services: 4, Traffic: 3, Access: 1, Seed: 1})
	vm, access := objects.VirtualMeshes[0].Resource, objects.AccessPolicies[0].Resource
	vm.Generation, vm.Status.ObservedGeneration, vm.Status.State = 3, 3, core.ApprovalStateFailed
	vm.Status.Errors = []string{"no", "never", "not on a Friday", "nor now"}
	access.Status.State = core.ApprovalStateFailed
	traffic := objects.TrafficPolicies
	traffic[0].Resource.Generation, traffic[0].Resource.Status.State = 2, core.ApprovalStateFailed // an earlier one failed
	traffic[1].Resource.Status.State, traffic[1].Resource.Status.Errors = core.ApprovalStateFailed, []string{"no"}
	traffic[2].Resource.Status.State, traffic[2].Resource.Status.Errors = core.ApprovalStateInvalid, []string{"no"}
	var got []string
	for _, f := range policy.Evaluate(world.New(objects)).Findings {
		if f.Code == finding.CodeNotWritten {
			got = append(got, f.Object+": "+f.Message)
		}
	}
	const start = "the last apply could not write all of its configuration"
	want := []string{
		"AccessPolicy/" + access.Name + "." + access.Namespace + ": " + start,
		"TrafficPolicy/" + traffic[1].Resource.Name + "." + traffic[1].Resource.Namespace + ": " + start + ": no",
		"VirtualMesh/" + vm.Name + "." + vm.Namespace + ": " + start + ": no; never; not on a Friday; and 1 more",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
