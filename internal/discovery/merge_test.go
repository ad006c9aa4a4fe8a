package discovery_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/discovery"
)

// mergedCluster holds an istiod and a workload whose names, together with the
// name of the cluster, come out as a-b-c-d, and an App Mesh that both clusters
// know.
const mergedCluster = `
kind: Deployment
metadata: {name: istiod%[1]s, namespace: %[2]s}
spec:
  selector: {matchLabels: {istio: pilot}}
  template: {spec: {containers: [{name: discovery, image: "istio/pilot:1"}]}}
---
kind: ConfigMap
metadata: {name: istio, namespace: %[2]s}
data: {mesh: "trustDomain: %[3]s"}
---
kind: Mesh
metadata: {name: shared}
status: {meshARN: "arn:aws:appmesh:eu-west-1:123:mesh/shared"}
---
kind: StatefulSet
metadata: {name: db, namespace: %[2]s}
spec: {template: {metadata: {labels: {app: db}}}}
---
kind: Pod
metadata: {name: db-0, namespace: %[2]s, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: u, controller: true}]}
spec: {containers: [{name: istio-proxy, image: "istio/proxyv2:1"}]}
---
kind: Service
metadata: {name: db, namespace: %[2]s}
spec: {selector: {app: db}}
`

func TestMerge(t *testing.T) {
	t.Parallel()
	discover := func(suffix, namespace, cluster string) discovery.Output {
		in, err := readInput(cluster, fmt.Appendf(nil, mergedCluster, suffix, namespace, cluster))
		if err != nil {
			t.Fatal(err)
		}
		return discovery.Discover(in)
	}
	one, two := discover("", "a-b", "c"), discover("", "a", "b-c")
	before := text(t, one) + text(t, two)
	merged := discovery.Merge(one, two)
	if diff := cmp.Diff(before, text(t, one)+text(t, two)); diff != "" {
		t.Errorf("merging changes its arguments (-before +after)\n%s", diff)
	}
	if diff := cmp.Diff(text(t, merged), text(t, discovery.Merge(two, one))); diff != "" {
		t.Errorf("the order of the clusters matters (-want +got)\n%s", diff)
	}

	var meshes []string
	trustDomains := map[string]string{}
	for _, mesh := range merged.Meshes {
		meshes = append(meshes, mesh.Name)
		if istio := mesh.Spec.Istio; istio != nil {
			trustDomains[mesh.Name] = istio.TrustDomain
		} else if diff := cmp.Diff([]string{"b-c", "c"}, mesh.Spec.AWSAppMesh.Clusters); diff != "" {
			t.Errorf("the clusters of the App Mesh (-want +got)\n%s", diff)
		}
	}
	want := []string{"istiod-a-b-c", "istiod-a-b-c-d4aa8e0c", "shared-eu-west-1-123"}
	if diff := cmp.Diff(want, meshes); diff != "" {
		t.Errorf("the meshes (-want +got)\n%s", diff)
	}
	names := map[string]bool{}
	for _, w := range merged.Workloads {
		names[w.Name] = true
		if cluster := w.Spec.Kubernetes.Controller.ClusterName; trustDomains[w.Spec.Mesh.Name] != cluster {
			t.Errorf("the workload of %s is in the mesh of %s", cluster, trustDomains[w.Spec.Mesh.Name])
		}
	}
	for _, d := range merged.Destinations {
		names[d.Name] = true
		if cluster := d.Spec.KubeService.Ref.ClusterName; trustDomains[d.Spec.Mesh.Name] != cluster {
			t.Errorf("the destination of %s is in the mesh of %s", cluster, trustDomains[d.Spec.Mesh.Name])
		}
	}
	if len(merged.Workloads) != 2 || len(merged.Destinations) != 2 || len(names) != 4 {
		t.Errorf("two workloads and two destinations became %v", names)
	}
	if len(merged.Notes) != len(one.Notes)+len(two.Notes) {
		t.Errorf("%d and %d notes became %d", len(one.Notes), len(two.Notes), len(merged.Notes))
	}
}
