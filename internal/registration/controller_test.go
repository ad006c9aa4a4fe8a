package registration

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The controller has exactly these permissions.
func TestPermissionsOfTheController(t *testing.T) {
	t.Parallel()
	var got []string
	for _, object := range ControllerObjects(ControllerOptions{Namespace: "mesh", Image: "meshctl:1", Replicas: 1}) {
		rules, _, _ := unstructured.NestedSlice(object.Object, "rules")
		for _, rule := range rules {
			fields, ok := rule.(map[string]any)
			if !ok {
				t.Fatalf("a rule is %v", rule)
			}
			got = append(got, fmt.Sprintf("%s %s %v %v %v %v",
				object.GetKind(), object.GetNamespace(), fields["apiGroups"], fields["resources"], fields["resourceNames"], fields["verbs"]))
		}
	}
	want := []string{
		"ClusterRole  [networking.mesh.gloo.solo.io] [accesspolicies trafficpolicies virtualmeshes] <nil> [get list watch]",
		"ClusterRole  [networking.mesh.gloo.solo.io] [accesspolicies/status trafficpolicies/status virtualmeshes/status] <nil> [update]",
		"ClusterRole  [discovery.mesh.gloo.solo.io] [destinations meshes workloads] <nil> [get list watch]",
		"ClusterRole  [discovery.mesh.gloo.solo.io] [destinations/status meshes/status] <nil> [update]",
		"ClusterRole  [settings.mesh.gloo.solo.io] [settings] <nil> [get list watch]",
		"ClusterRole  [multicluster.solo.io] [kubernetesclusters] <nil> [get list watch]",
		"ClusterRole  [] [namespaces] [mesh] [get]",
		"Role mesh [] [secrets] <nil> [get]",
		"Role mesh [coordination.k8s.io] [leases] <nil> [create]",
		"Role mesh [coordination.k8s.io] [leases] [meshctl-controller] [get update]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}
