//go:build e2e && unix

package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// putManifests applies manifests to a cluster.
func putManifests(t *testing.T, c *clustertest.Cluster, manifests ...string) {
	t.Helper()
	for _, manifest := range manifests {
		object := parse(t, manifest)
		if got := kube.Apply(t.Context(), connection(c.Admin()), []*unstructured.Unstructured{object}, kube.ApplyOptions{})[0]; got.Err != nil {
			t.Fatalf("%s: %v", object.GetName(), got.Err)
		}
	}
}

// TestDeregistrationSaysWhatFollows deregisters a cluster with configuration and
// a mesh that is grouped with another one.
func TestDeregistrationSaysWhatFollows(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "departure")
	r.run(t, 0, "install")
	installIstioCRDs(t, r.east)
	r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
	applied := func(kind, name, cluster string) string {
		return "apiVersion: " + kind + "\nmetadata: {name: " + name + ", namespace: default, labels: {owner.networking.mesh.gloo.solo.io: gloo-mesh, cluster.multicluster.solo.io: " + cluster + "}}\n"
	}
	putManifests(t, r.east,
		applied("security.istio.io/v1\nkind: AuthorizationPolicy", "deny", "east")+"spec: {}",
		applied("networking.istio.io/v1\nkind: DestinationRule", "reviews", "east")+"spec: {host: reviews}",
		applied("networking.istio.io/v1\nkind: DestinationRule", "others", "orient")+"spec: {host: others}",
		"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: own, namespace: default}\nspec: {host: own}")
	for _, cluster := range []string{"east", "west"} {
		putManifests(t, r.management, "apiVersion: discovery.mesh.gloo.solo.io/v1\nkind: Mesh\nmetadata: {name: istiod-"+cluster+", namespace: gloo-mesh, labels: {owner.discovery.mesh.gloo.solo.io: gloo-mesh, cluster.discovery.mesh.gloo.solo.io: "+cluster+
			"}}\nspec: {istio: {trustDomain: "+cluster+".example, installation: {cluster: "+cluster+", namespace: istio-system, version: 1.29.0}}}")
	}
	putManifests(t, r.management, "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: VirtualMesh\nmetadata: {name: prod, namespace: gloo-mesh}\nspec: {meshes: [{name: istiod-east, namespace: gloo-mesh}, {name: istiod-west, namespace: gloo-mesh}]}")

	got := r.run(t, 2, "cluster", "deregister", "east")
	r.expect(t, got.stderr, "not a terminal: pass --yes to confirm")
	got = r.run(t, 0, "cluster", "deregister", "east", "--yes", "--remote-context", "east")
	const selector = "cluster.multicluster.solo.io=east,owner.networking.mesh.gloo.solo.io=gloo-mesh"
	const command = "kubectl --context east delete authorizationpolicies.security.istio.io,destinationrules.networking.istio.io --all-namespaces --selector " + selector
	before, after, _ := strings.Cut(got.stderr, "east: remove the registration")
	r.expect(t, before,
		"  Deleted on management: the registration and 1 discovered object\n",
		"  Kept on east: 2 objects of applied configuration; 1 of them keeps denying calls or enforcing TLS\n",
		"    "+command+"\n",
		"  VirtualMesh prod.gloo-mesh loses mesh istiod-east.gloo-mesh and is INVALID until you remove it from spec.meshes; mesh istiod-west.gloo-mesh keeps its TLS enforcement, access default and federation\n")
	r.expect(t, after, "Left behind; remove with:\n  # 2 objects of applied configuration on cluster east\n  "+command+"\n")

	// The command removes what meshctl applied to this cluster, and nothing else.
	var left []string
	for _, kind := range []string{"authorizationpolicies.security.istio.io", "destinationrules.networking.istio.io"} {
		resource, group, _ := strings.Cut(kind, ".")
		left = append(left, objectsIn(t, r.east, group, resource, "")...)
	}
	if diff := cmp.Diff([]string{"deny", "others", "own", "reviews"}, left); diff != "" {
		t.Errorf("on the cluster after deregistering (-want +got):\n%s", diff)
	}
	selected := append(objectsIn(t, r.east, "security.istio.io", "authorizationpolicies", selector), objectsIn(t, r.east, "networking.istio.io", "destinationrules", selector)...)
	if diff := cmp.Diff([]string{"deny", "reviews"}, selected); diff != "" {
		t.Errorf("what the command deletes (-want +got):\n%s", diff)
	}
}

// objectsIn returns the names of the objects that a selector selects.
func objectsIn(t *testing.T, c *clustertest.Cluster, group, resource, selector string) []string {
	t.Helper()
	found, err := kube.ListMetadata(t.Context(), connection(c.Admin()), schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource}, kube.ListOptions{Labels: selector})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, object := range found {
		names = append(names, object.Name)
	}
	return names
}
