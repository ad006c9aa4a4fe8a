package load

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCombine(t *testing.T) {
	t.Parallel()
	files := load(t, networking+"kind: TrafficPolicy\nmetadata: {name: a}\nspec: {retrys: 1}\n---\n"+discovery+"kind: Mesh\nmetadata: {name: m}\n---\nkind: Pod\napiVersion: v1\n", "-")
	live := load(t, networking+"kind: TrafficPolicy\nmetadata: {name: b}\n", "-")
	both, err := Combine(files, live)
	if err != nil {
		t.Fatal(err)
	}
	want := summary{
		Objects:  []string{"TrafficPolicy/a.gloo-mesh stdin:1 (document 1)", "TrafficPolicy/b.gloo-mesh stdin:1 (document 1)", "Mesh/m.gloo-mesh stdin:6 (document 2)"},
		Problems: summarise(files).Problems,
		Ignored:  1,
	}
	if diff := cmp.Diff(want, summarise(both)); diff != "" {
		t.Errorf("combined (-want +got):\n%s", diff)
	}
	for i := range live.TrafficPolicies {
		live.TrafficPolicies[i].Resource.Name = "a"
		live.TrafficPolicies[i].Origin = ClusterOrigin("mgmt")
	}
	_, err = Combine(files, live)
	const twice = "an object is defined twice; remove one of TrafficPolicy/a.gloo-mesh: stdin:1 (document 1) and cluster mgmt"
	if err == nil || err.Error() != twice {
		t.Errorf("got %v, want %s", err, twice)
	}
}

func TestReplaceDiscovered(t *testing.T) {
	t.Parallel()
	const labelled = "labels: {cluster.discovery.mesh.gloo.solo.io: "
	stored := load(t, networking+"kind: TrafficPolicy\nmetadata: {name: a}\n---\n"+
		discovery+"kind: Workload\nmetadata: {name: stale, "+labelled+"east}}\n---\n"+
		discovery+"kind: Workload\nmetadata: {name: kept, "+labelled+"west}}\n---\n"+
		discovery+"kind: Workload\nmetadata: {name: unlabelled}\nspec: {kubernetes: {controller: {name: x, namespace: z, clusterName: east}}}\n---\n"+
		discovery+"kind: Destination\nmetadata: {name: stale}\nspec: {kubeService: {ref: {name: x, namespace: z, clusterName: east}}}\n---\n"+
		discovery+"kind: Destination\nmetadata: {name: external}\n---\n"+
		discovery+"kind: Mesh\nmetadata: {name: istiod}\nspec: {istio: {installation: {cluster: east}}}\n---\n"+
		discovery+"kind: Mesh\nmetadata: {name: shared}\nspec: {awsAppMesh: {clusters: [south, west]}}\n", "-")
	fresh := load(t, discovery+"kind: Workload\nmetadata: {name: new, "+labelled+"east}}\n---\n"+
		discovery+"kind: Mesh\nmetadata: {name: shared}\nspec: {awsAppMesh: {clusters: [east, south]}}\n", "-")
	both, err := ReplaceDiscovered(stored, fresh, []string{"east"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entriesFrom(both) {
		got = append(got, e.id.String())
	}
	want := []string{
		"TrafficPolicy/a.gloo-mesh", "Mesh/shared.gloo-mesh", "Workload/kept.gloo-mesh", "Workload/new.gloo-mesh", "Destination/external.gloo-mesh",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replaced (-want +got):\n%s", diff)
	}
	if clusters := both.Meshes[0].Resource.Spec.AWSAppMesh.Clusters; clusters[0] != "east" {
		t.Errorf("the stored mesh was kept: %v", clusters)
	}
	if len(stored.Workloads) != 3 {
		t.Error("the stored objects were changed")
	}
}
