package inventory

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// TestDiscoveredObjectsAreLikeThoseOfClusters compares manifests with their copies read back
// from a cluster, where all integers are int64.
func TestDiscoveredObjectsAreLikeThoseOfClusters(t *testing.T) {
	t.Parallel()
	dump, err := DiscoverDump(t.Context(), load.DumpOptions{Cluster: "east", Paths: []string{"../../testdata/dumps/east"}})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := Manifests(dump.Output)
	if err != nil {
		t.Fatal(err)
	}
	const all = 1 + 6 + 5
	if len(objects) != all {
		t.Errorf("%d objects, want %d", len(objects), all)
	}
	for _, object := range objects {
		text, err := object.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		printed := &unstructured.Unstructured{}
		if err := printed.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		// Compare types too: DeepCopy panics on other integer types.
		if diff := cmp.Diff(printed.Object, object.DeepCopy().Object); diff != "" {
			t.Errorf("%s (-printed +manifest):\n%s", object.GetName(), diff)
		}
	}
}

// TestStale checks which stored objects are stale if a, b and c were read completely, d
// partially, e not at all, and f from files.
func TestStale(t *testing.T) {
	t.Parallel()
	d := &discovered{clusters: []Cluster{
		{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d", Unlisted: []Unlisted{{}}}, {Name: "e", Err: &kube.Error{}}, {Name: "f", Dumped: true},
	}}
	tests := []struct {
		name, cluster string
		appMesh       []any
		want          bool
	}{
		{name: "of a cluster that was discovered completely", cluster: "a", want: true},
		{name: "of a cluster that was discovered partially", cluster: "d"},
		{name: "of an unreachable cluster", cluster: "e"},
		{name: "of a cluster in files", cluster: "f"},
		{name: "of a cluster that was not discovered", cluster: "z"},
		{name: "an App Mesh of discovered clusters", appMesh: []any{"a", "b"}, want: true},
		{name: "an App Mesh that may still be in another cluster", appMesh: []any{"a", "d"}},
		{name: "of no cluster"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			object := &unstructured.Unstructured{Object: map[string]any{}}
			if tt.cluster != "" {
				object.SetLabels(map[string]string{discovery.ClusterLabel: tt.cluster})
			}
			if tt.appMesh != nil {
				object.Object["spec"] = map[string]any{"awsAppMesh": map[string]any{"clusters": tt.appMesh}}
			}
			if got := d.isStale(object); got != tt.want {
				t.Errorf("stale: %t, want %t", got, tt.want)
			}
		})
	}
}

func TestAppMeshesKeepTheClustersThatWereNotSeen(t *testing.T) {
	t.Parallel()
	d := &discovered{clusters: []Cluster{{Name: "a"}, {Name: "b"}, {Name: "d", Unlisted: []Unlisted{{}}}}}
	stored := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"awsAppMesh": map[string]any{"clusters": []any{"b", "d", "z"}}}}}
	found := &discoveryv1.AWSAppMesh{ARN: "arn", Clusters: []string{"a"}}
	kept := d.withUnseenClusters(found, stored)
	if diff := cmp.Diff([]string{"a", "d", "z"}, kept.Clusters); diff != "" {
		t.Errorf("clusters (-want +got):\n%s", diff)
	}
	if !slices.Equal(found.Clusters, []string{"a"}) {
		t.Errorf("the discovered objects were modified: %v", found.Clusters)
	}
}
