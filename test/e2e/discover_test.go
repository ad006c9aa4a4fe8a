//go:build e2e && unix

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

const (
	shopMesh        = "istiod-istio-system-%s"
	shopWorkload    = "reviews-shop-%s-deployment"
	shopDestination = "reviews-shop-%s"
)

func discoveredKind(kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "discovery.mesh.gloo.solo.io", Version: "v1", Kind: kind}
}

func discoveredKey(kind, name, cluster string) kube.ObjectKey {
	return kube.ObjectKey{GVK: discoveredKind(kind), Namespace: "gloo-mesh", Name: fmt.Sprintf(name, cluster)}
}

// shopOf are the names of all that is discovered in the cluster of
// meshManifests.
func shopOf(cluster string) []string {
	var names []string
	for _, name := range []string{"Mesh " + shopMesh, "Workload " + shopWorkload, "Destination " + shopDestination} {
		names = append(names, fmt.Sprintf(name, cluster))
	}
	return names
}

// storedNames lists what is discovered according to the management cluster, with
// versions if asked for.
func storedNames(t *testing.T, c *kube.Connection, versions bool) []string {
	t.Helper()
	var all []string
	for _, kind := range []string{"Mesh", "Workload", "Destination"} {
		resource, err := c.Resource(t.Context(), discoveredKind(kind))
		if err != nil {
			t.Fatal(err)
		}
		names, err := kube.List(t.Context(), c, resource.GroupVersionResource, kube.ListOptions{Namespace: "gloo-mesh"}, func(u *unstructured.Unstructured) string {
			name := kind + " " + u.GetName()
			if versions {
				name += " " + u.GetResourceVersion()
			}
			return name
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	return all
}

func expectStored(t *testing.T, c *kube.Connection, want ...[]string) {
	t.Helper()
	all := slices.Sorted(slices.Values(slices.Concat(want...)))
	if diff := cmp.Diff(all, storedNames(t, c, false)); diff != "" {
		t.Errorf("stored on the management cluster (-want +got):\n%s", diff)
	}
}

// putShop makes the objects of meshManifests, or those whose kind is given.
func putShop(t *testing.T, c *clustertest.Cluster, kinds ...string) {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, text := range strings.Split(meshManifests, "---\n") {
		if object := parse(t, text); len(kinds) == 0 || slices.Contains(kinds, object.GetKind()) {
			objects = append(objects, object)
		}
	}
	for _, r := range kube.Apply(t.Context(), connection(c.Admin()), objects, kube.ApplyOptions{}) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func removeService(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	if err := admin(t, c).CoreV1().Services("shop").Delete(t.Context(), "reviews", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// write changes an object as somebody else.
func write(t *testing.T, c *kube.Connection, key kube.ObjectKey, patch string, subresources ...string) {
	t.Helper()
	client, err := c.Dynamic()
	if err != nil {
		t.Fatal(err)
	}
	resource, err := c.Resource(t.Context(), key.GVK)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Resource(resource.GroupVersionResource).Namespace(key.Namespace).Patch(t.Context(), key.Name, types.MergePatchType, []byte(patch),
		metav1.PatchOptions{FieldManager: "somebody"}, subresources...); err != nil {
		t.Fatal(err)
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "discovery")
	management := connection(r.management.Admin())
	got := r.run(t, 1, "discover")
	r.expect(t, got.stderr, "run 'meshctl install --context management', or print the result with -o")
	r.run(t, 0, "install")
	got = r.run(t, 1, "discover")
	r.expect(t, got.stderr, "no clusters registered in namespace gloo-mesh of cluster management")
	for _, c := range []*clustertest.Cluster{r.east, r.west} {
		putShop(t, c)
		name := strings.TrimPrefix(c.Name, "discovery-")
		r.run(t, 0, "cluster", "register", name, "--remote-context", name)
	}
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		// The controllers may still be making the pods.
		got := r.run(t, 0, "discover", "-o", "name")
		if strings.Count(got.stdout, "destination.") != 2 {
			return fmt.Errorf("discovered only:\n%s", got.stdout)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	t.Run("a dry run writes nothing", func(t *testing.T) {
		for _, dryRun := range []string{"--dry-run", "--dry-run=server"} {
			got := r.run(t, 0, "discover", dryRun)
			r.expect(t, got.stdout, "east: 3 to add, 0 to change, 0 to remove, 0 unchanged\n  + Mesh/istiod-istio-system-east\n", "west: 3 to add")
			expectStored(t, management)
		}
	})
	t.Run("writes what it found", func(t *testing.T) {
		got := r.run(t, 0, "discover")
		r.expect(t, got.stdout, "destination.discovery.mesh.gloo.solo.io/reviews-shop-east created on management\n")
		r.expect(t, got.stderr, "east: found 1 mesh, 1 workload, 1 destination\n", "east: 3 created\n", "west: 3 created\n")
		expectStored(t, management, shopOf("east"), shopOf("west"))
		mesh, err := kube.Get(t.Context(), management, discoveredKey("Mesh", shopMesh, "east"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"owner.discovery.mesh.gloo.solo.io": "gloo-mesh", "cluster.discovery.mesh.gloo.solo.io": "east"}
		if diff := cmp.Diff(want, mesh.GetLabels()); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		// Read-only users see the same without writing.
		described := r.run(t, 0, "describe", "workload", "-o", "name")
		r.expect(t, described.stdout, "reviews")
	})
	t.Run("writes nothing again, and keeps what others wrote", func(t *testing.T) {
		key := discoveredKey("Mesh", shopMesh, "east")
		write(t, management, key, `{"metadata": {"labels": {"team": "blue"}, "annotations": {"a": "b"}}}`)
		write(t, management, key, `{"status": {"observedGeneration": 1}}`, "status")
		before := storedNames(t, management, true)
		got := r.run(t, 0, "discover")
		if got.stdout != "" || !strings.Contains(got.stderr, "east: 3 unchanged\n") {
			t.Errorf("it wrote:\n%s%s", got.stdout, got.stderr)
		}
		if diff := cmp.Diff(before, storedNames(t, management, true)); diff != "" {
			t.Errorf("it wrote (-before +after):\n%s", diff)
		}
	})
	t.Run("changes what changed", func(t *testing.T) {
		write(t, management, discoveredKey("Destination", shopDestination, "west"), `{"spec": {"kubeService": {"labels": {"old": "1"}}}}`)
		write(t, connection(r.west.Admin()), kube.ObjectKey{GVK: schema.GroupVersionKind{Version: "v1", Kind: "Service"}, Namespace: "shop", Name: "reviews"},
			`{"metadata": {"labels": {"tier": "backend"}}}`)
		got := r.run(t, 0, "discover", "west", "--dry-run")
		r.expect(t, got.stdout, "west: 0 to add, 1 to change, 0 to remove, 2 unchanged\n  ~ Destination/reviews-shop-west\n      + spec.kubeService.labels.tier\n")
		if strings.Contains(got.stdout, "east") || strings.Contains(got.stdout, "labels.old") {
			t.Errorf("it changes more:\n%s", got.stdout)
		}
		got = r.run(t, 0, "discover", "west")
		r.expect(t, got.stderr, "west: 1 configured, 2 unchanged\n")
		mesh, err := kube.Get(t.Context(), management, discoveredKey("Mesh", shopMesh, "east"))
		if err != nil || mesh.GetLabels()["team"] != "blue" || mesh.Object["status"] == nil {
			t.Errorf("labels, annotations or status of others are gone: %v %v", mesh, err)
		}
	})
	t.Run("fields of others", r.testFieldsOfOthers)
	t.Run("removes what is gone", r.testPrune)
	t.Run("leaves objects of others alone", r.testForeign)
	t.Run("a dead cluster", r.testDeadCluster)
	t.Run("what may not be listed", r.testForbidden)
	t.Run("files", r.testDumps)
	t.Run("several runs at once", r.testConcurrentRuns)
	t.Run("objects that change while a run works", r.testChangesMeanwhile)
}

func (r *registry) testFieldsOfOthers(t *testing.T) {
	management := connection(r.management.Admin())
	key := discoveredKey("Mesh", shopMesh, "west")
	write(t, management, key, `{"spec": {"istio": {"trustDomain": "theirs"}}}`)
	got := r.run(t, 1, "discover", "west")
	r.expect(t, got.stderr, "spec.istio.trustDomain", "somebody", "west: 1 conflict, 2 unchanged")
	got = r.run(t, 0, "discover", "west", "--force-conflicts")
	r.expect(t, got.stdout, "mesh.discovery.mesh.gloo.solo.io/istiod-istio-system-west configured on management\n")
}

func (r *registry) testPrune(t *testing.T) {
	management := connection(r.management.Admin())
	removeService(t, r.west)
	r.run(t, 0, "discover", "--prune=false")
	expectStored(t, management, shopOf("east"), shopOf("west"))
	got := r.run(t, 0, "discover", "--dry-run=server")
	r.expect(t, got.stdout, "west: 0 to add, 0 to change, 1 to remove, 2 unchanged\n  - Destination/reviews-shop-west\n")
	expectStored(t, management, shopOf("east"), shopOf("west"))
	got = r.run(t, 0, "discover")
	r.expect(t, got.stdout, "destination.discovery.mesh.gloo.solo.io/reviews-shop-west deleted on management\n")
	expectStored(t, management, shopOf("east"), shopOf("west")[:2])
}

func (r *registry) testForeign(t *testing.T) {
	management := connection(r.management.Admin())
	foreign := parse(t, "apiVersion: discovery.mesh.gloo.solo.io/v1\nkind: Destination\nmetadata: {name: reviews-shop-west, namespace: gloo-mesh}\nspec: {}")
	for _, result := range kube.Apply(t.Context(), management, []*unstructured.Unstructured{foreign}, kube.ApplyOptions{Create: true, FieldManager: "somebody"}) {
		if result.Err != nil {
			t.Fatal(result.Err)
		}
	}
	key := discoveredKey("Destination", shopDestination, "west")
	before, err := kube.Get(t.Context(), management, key)
	if err != nil {
		t.Fatal(err)
	}
	// It stays when nothing of that name exists, and when something does.
	r.run(t, 0, "discover")
	putShop(t, r.west, "Service")
	for _, args := range [][]string{{"discover"}, {"discover", "--force-conflicts"}, {"discover", "--dry-run"}} {
		got := r.run(t, 1, args...)
		r.expect(t, got.stderr, "error: cannot apply Destination reviews-shop-west in gloo-mesh on cluster management: exists with another owner: it has no label owner.discovery.mesh.gloo.solo.io=gloo-mesh")
	}
	after, err := kube.Get(t.Context(), management, key)
	if err != nil || after.GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("the object of somebody else changed: %v %v", after, err)
	}
	if result := kube.Delete(t.Context(), management, key, kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	r.run(t, 0, "discover")
	expectStored(t, management, shopOf("east"), shopOf("west"))
}

func (r *registry) testDeadCluster(t *testing.T) {
	management := connection(r.management.Admin())
	removeService(t, r.west)
	r.east.StopAPIServer()
	got := r.run(t, 1, "discover", "--timeout", "10s")
	r.expect(t, got.stderr, "error: east: ", "east: kept 3 stored objects (not found): the cluster is unreachable", "west: 1 deleted, 2 unchanged")
	expectStored(t, management, shopOf("east"), shopOf("west")[:2])
	if err := r.east.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	putShop(t, r.west, "Service")
	r.run(t, 0, "discover")
	expectStored(t, management, shopOf("east"), shopOf("west"))
}

func (r *registry) testForbidden(t *testing.T) {
	management := connection(r.management.Admin())
	blind := addUser(t, r.east, "blind", rbacv1.PolicyRule{
		APIGroups: []string{"", "apps", "discovery.k8s.io"}, Verbs: []string{"list"},
		Resources: []string{"deployments", "daemonsets", "statefulsets", "replicasets", "configmaps", "pods", "nodes", "namespaces", "endpointslices"},
	})
	contexts := r.contexts()
	contexts["blind"] = blind
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clustertest.WriteKubeconfig(path, "management", contexts); err != nil {
		t.Fatal(err)
	}
	got := meshctlWith(t, path, "", "discover", "--contexts", "east=blind")
	if got.code != 0 {
		t.Errorf("exit code %d\n%s", got.code, got.stderr)
	}
	r.expect(t, got.stderr, "warning: east: cannot list services", "not known: destinations",
		"east: kept 1 stored object (not found): discovery was incomplete", "east: 2 unchanged")
	expectStored(t, management, shopOf("east"), shopOf("west"))
	// Whoever may see nothing sees no reason to remove anything.
	contexts["blind"] = addUser(t, r.east, "nobody")
	if err := clustertest.WriteKubeconfig(path, "management", contexts); err != nil {
		t.Fatal(err)
	}
	got = meshctlWith(t, path, "", "discover", "--contexts", "east=blind")
	if got.code != 1 {
		t.Errorf("exit code %d\n%s", got.code, got.stderr)
	}
	expectStored(t, management, shopOf("east"), shopOf("west"))
	// A user who may only read can look, and not write.
	reader, err := r.management.AddReadOnlyUser(t.Context(), "reader", ourGroups()...)
	if err != nil {
		t.Fatal(err)
	}
	contexts["management"] = reader
	if err := clustertest.WriteKubeconfig(path, "management", contexts); err != nil {
		t.Fatal(err)
	}
	got = meshctlWith(t, path, "", "discover", "--contexts", "new=east", "--dry-run")
	if got.code != 0 || !strings.Contains(got.stdout, "new: 3 to add") {
		t.Errorf("dry run of a reader: %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	got = meshctlWith(t, path, "", "discover", "--contexts", "new=east")
	if got.code != 1 || !strings.Contains(got.stderr, "forbidden") {
		t.Errorf("a reader writes: %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// manyServices writes a dump of a mesh with so many Services, each of them with
// a workload.
func manyServices(t *testing.T, count int) string {
	t.Helper()
	var text strings.Builder
	text.WriteString(meshManifests)
	for i := range count {
		fmt.Fprintf(&text, `---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s%[1]d, namespace: shop}, spec: {selector: {matchLabels: {app: s%[1]d}}, template: {metadata: {labels: {app: s%[1]d}}, spec: {containers: [{name: app, image: app}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: s%[1]d-0, namespace: shop, labels: {app: s%[1]d}, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: s%[1]d, uid: u, controller: true}]}, spec: {containers: [{name: istio-proxy, image: "istio/proxyv2:1.31.1"}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: s%[1]d, namespace: shop}, spec: {selector: {app: s%[1]d}, ports: [{name: http, port: 80}]}}
`, i)
	}
	path := filepath.Join(t.TempDir(), "dump.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r *registry) testDumps(t *testing.T) {
	management := connection(r.management.Admin())
	// More than one page of each kind.
	const count = 520
	many := manyServices(t, count)
	got := r.run(t, 0, "discover", "--from", "files="+many, "--context", "management")
	r.expect(t, got.stderr, fmt.Sprintf("files: %d created", 2*count+1))
	got = r.run(t, 0, "discover", "--from", "files="+many, "--context", "management")
	r.expect(t, got.stderr, fmt.Sprintf("files: %d unchanged", 2*count+1))
	// Files are no reason to remove anything; deregistering is not either.
	got = r.run(t, 0, "discover", "--from", "files="+manyServices(t, 1), "--context", "management")
	r.expect(t, got.stderr, "files: kept 1038 stored objects (not found): files may be incomplete", "files: 3 unchanged")
	// Seen alive and without them, the cluster is pruned.
	got = r.run(t, 0, "discover", "--contexts", "files=management")
	r.expect(t, got.stderr, "files: 1041 deleted")
	expectStored(t, management, shopOf("east"), shopOf("west"))
}

func (r *registry) testConcurrentRuns(t *testing.T) {
	management := connection(r.management.Admin())
	for round := range 3 {
		removeService(t, r.west)
		var pending sync.WaitGroup
		for range 4 {
			pending.Go(func() { r.run(t, 0, "discover") })
		}
		pending.Wait()
		expectStored(t, management, shopOf("east"), shopOf("west")[:2])
		putShop(t, r.west, "Service")
		for range 4 {
			pending.Go(func() { r.run(t, 0, "discover") })
		}
		pending.Wait()
		expectStored(t, management, shopOf("east"), shopOf("west"))
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// testChangesMeanwhile carries out a plan that is out of date.
func (r *registry) testChangesMeanwhile(t *testing.T) {
	management := connection(r.management.Admin())
	kinds := []schema.GroupVersionKind{discoveredKind("Mesh"), discoveredKind("Workload"), discoveredKind("Destination")}
	stored, err := inventory.ReadStored(t.Context(), management, "gloo-mesh", kinds)
	if err != nil {
		t.Fatal(err)
	}
	plan := stored.Plan(nil, inventory.Options{
		Owner: map[string]string{"owner.discovery.mesh.gloo.solo.io": "gloo-mesh"}, GroupLabel: "cluster.discovery.mesh.gloo.solo.io",
		Stale: func(*unstructured.Unstructured) bool { return true },
	})
	write(t, management, discoveredKey("Mesh", shopMesh, "west"), `{"spec": {"istio": {"trustDomain": "newer"}}}`)
	write(t, management, discoveredKey("Workload", shopWorkload, "west"), `{"status": {"observedGeneration": 1}}`, "status")
	if result := kube.Delete(t.Context(), management, discoveredKey("Destination", shopDestination, "west"), kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	var outcomes []string
	for _, result := range plan.Run(t.Context(), "west", inventory.RunOptions{}) {
		outcomes = append(outcomes, fmt.Sprintf("%s %s %v", result.GVK.Kind, result.Outcome, result.Err))
	}
	if diff := cmp.Diff([]string{"Mesh kept <nil>", "Workload deleted <nil>", "Destination absent <nil>"}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	expectStored(t, management, shopOf("east"), shopOf("west")[:1])
	r.run(t, 0, "discover", "--force-conflicts")
	expectStored(t, management, shopOf("east"), shopOf("west"))
}
