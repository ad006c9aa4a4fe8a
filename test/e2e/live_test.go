//go:build e2e && unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

const bundledWorld = "../../testdata/worlds/bookinfo-two-clusters"

// ourGroups are the API groups of the mesh API.
func ourGroups() []string {
	return []string{"networking.mesh.gloo.solo.io", "discovery.mesh.gloo.solo.io", "settings.mesh.gloo.solo.io", "multicluster.solo.io"}
}

func loadLive(t *testing.T, user *clustertest.Credentials, opts load.ManagementOptions) world.Objects {
	t.Helper()
	opts.Connection = connection(user)
	objects, err := load.Management(t.Context(), opts, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// names lists what is in a world.
func names(o world.Objects) []string {
	everything := world.New(o)
	var all []string
	for _, vm := range everything.VirtualMeshes {
		all = append(all, "VirtualMesh "+vm.Resource.Name)
	}
	for _, p := range everything.TrafficPolicies {
		all = append(all, "TrafficPolicy "+p.Resource.Name)
	}
	for _, p := range everything.AccessPolicies {
		all = append(all, "AccessPolicy "+p.Resource.Name)
	}
	for _, m := range everything.Meshes {
		all = append(all, "Mesh "+m.Ref.Name+" "+m.TrustDomain)
	}
	for _, w := range everything.Workloads {
		all = append(all, fmt.Sprintf("Workload %s %s %v", w.Name, w.Cluster, w.Backs))
	}
	for _, d := range everything.Destinations {
		all = append(all, "Destination "+d.Key())
	}
	return append(all, everything.Clusters()...)
}

func problems(o world.Objects) []string {
	var all []string
	for _, p := range o.Problems {
		all = append(all, string(p.Kind)+" "+p.Message)
	}
	slices.Sort(all)
	return all
}

func expectProblems(t *testing.T, o world.Objects, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, problems(o)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func addUser(t *testing.T, c *clustertest.Cluster, name string, rules ...rbacv1.PolicyRule) *clustertest.Credentials {
	t.Helper()
	user, err := c.AddUser(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) > 0 {
		if err := c.Grant(t.Context(), name, rules...); err != nil {
			t.Fatal(err)
		}
	}
	return user
}

func TestLiveWorld(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, "live")
	nobody := addUser(t, cluster, "nobody")

	const notInstalled = "UnlistedKind not a management cluster: the CRDs of meshctl are not installed"
	expectProblems(t, loadLive(t, cluster.Admin(), load.ManagementOptions{}), notInstalled)
	expectProblems(t, loadLive(t, nobody, load.ManagementOptions{}), notInstalled)

	installCRDs(t, cluster)
	admin := connection(cluster.Admin())
	if _, err := kube.EnsureNamespace(t.Context(), admin, "gloo-mesh", nil, kube.DryRunNone); err != nil {
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	for _, m := range manifests(t, bundledWorld) {
		objects = append(objects, m.object)
	}
	for _, r := range kube.Apply(t.Context(), admin, objects, kube.ApplyOptions{}) {
		if r.Outcome != kube.Created {
			t.Errorf("%s %s: %s %v", r.GVK.Kind, r.Name, r.Outcome, r.Err)
		}
	}
	files, err := load.Files(t.Context(), load.FileOptions{Paths: []string{bundledWorld}, Recursive: true}, validation.New())
	if err != nil {
		t.Fatal(err)
	}

	t.Run("reads like the files, for a user who may only read", func(t *testing.T) {
		reader, err := cluster.AddReadOnlyUser(t.Context(), "reader", ourGroups()...)
		if err != nil {
			t.Fatal(err)
		}
		live := loadLive(t, reader, load.ManagementOptions{})
		expectProblems(t, live)
		if diff := cmp.Diff(names(files), names(live)); diff != "" {
			t.Errorf("the live world differs (-files +live):\n%s", diff)
		}
		if origin := live.Meshes[0].Origin.String(); origin != "cluster live" {
			t.Errorf("the origin is %q", origin)
		}
	})
	t.Run("without a kind that may not be listed", func(t *testing.T) {
		user := addUser(t, cluster, "half", rbacv1.PolicyRule{APIGroups: ourGroups()[:1], Resources: []string{"trafficpolicies", "virtualmeshes"}, Verbs: []string{"list"}})
		live := loadLive(t, user, load.ManagementOptions{Kinds: []string{"VirtualMesh", "TrafficPolicy", "AccessPolicy"}})
		expectProblems(t, live, `UnlistedKind cannot list accesspolicies.networking.mesh.gloo.solo.io: forbidden: `+
			`User "half" cannot list resource "accesspolicies" in API group "networking.mesh.gloo.solo.io" at the cluster scope`)
		if len(live.TrafficPolicies) != len(files.TrafficPolicies) || live.Problems[0].HidesInput() {
			t.Errorf("%d policies, hides input: %t", len(live.TrafficPolicies), live.Problems[0].HidesInput())
		}
	})
	t.Run("of someone who may see nothing", func(t *testing.T) {
		live := loadLive(t, nobody, load.ManagementOptions{})
		for _, p := range live.Problems {
			if !p.HidesInput() || !strings.Contains(p.Message, "and 5 more: forbidden to user nobody") {
				t.Error(p)
			}
		}
		if len(live.Problems) != 1 {
			t.Errorf("%d problems", len(live.Problems))
		}
	})
	t.Run("of someone whom the cluster does not know", func(t *testing.T) {
		config := cluster.Admin().Config()
		config.CertData, config.KeyData, config.BearerToken = nil, nil, "not-a-token"
		objects, err := load.Management(t.Context(), load.ManagementOptions{Connection: kube.New("live", kube.SourceContext, config, kube.Options{})}, validation.New())
		if err != nil {
			t.Fatal(err)
		}
		expectProblems(t, objects, "UnusableCluster "+cluster.Server+" rejected the credentials")
	})
	t.Run("of a cluster with a certificate of someone else", func(t *testing.T) {
		config := cluster.Admin().Config()
		config.CAData = shared.fleet.Cluster(clustertest.East).Admin().Config().CAData
		_, err := kube.New("live", kube.SourceContext, config, kube.Options{}).ServerVersion(t.Context())
		want := "cannot read the version on cluster live: the certificate of " + cluster.Server + " is signed by an unknown authority: " +
			"check certificate-authority-data in the kubeconfig; a proxy may present its own certificate"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("of registered clusters", func(t *testing.T) { testRegistered(t, cluster, admin) })
	t.Run("of many pages", func(t *testing.T) { testPages(t, cluster, admin) })
	t.Run("of a cluster that hangs, and then is gone", func(t *testing.T) {
		const deadline = 2 * time.Second
		if err := cluster.PauseAPIServer(); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		hanging := loadLive(t, cluster.Admin(), load.ManagementOptions{Deadline: deadline})
		expectProblems(t, hanging, "UnusableCluster "+cluster.Server+" timed out after 2s")
		if took := time.Since(start); took > deadline+5*time.Second {
			t.Errorf("it took %s", took)
		}
		if err := cluster.ResumeAPIServer(); err != nil {
			t.Fatal(err)
		}
		cluster.StopAPIServer()
		expectProblems(t, loadLive(t, cluster.Admin(), load.ManagementOptions{}), "UnusableCluster connection refused ("+cluster.Server+")")
	})
}

// testPages reads more objects than fit on two pages.
func testPages(t *testing.T, cluster *clustertest.Cluster, admin *kube.Connection) {
	t.Helper()
	const count = 1203
	if _, err := kube.EnsureNamespace(t.Context(), admin, "many", nil, kube.DryRunNone); err != nil {
		t.Fatal(err)
	}
	var many []*unstructured.Unstructured
	var want []string
	for i := range count {
		object := policy(t, fmt.Sprintf("policy-%04d", i), "{policy: {requestTimeout: 5s}}")
		object.SetNamespace("many")
		many = append(many, object)
		want = append(want, object.GetName())
	}
	for _, r := range kube.Apply(t.Context(), admin, many, kube.ApplyOptions{}) {
		if r.Outcome != kube.Created {
			t.Fatalf("%s: %s %v", r.Name, r.Outcome, r.Err)
		}
	}
	live := loadLive(t, cluster.Admin(), load.ManagementOptions{Kinds: []string{"TrafficPolicy"}, Namespace: "many"})
	var got []string
	for _, p := range live.TrafficPolicies {
		got = append(got, p.Resource.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	resource := schema.GroupVersionResource{Group: "networking.mesh.gloo.solo.io", Version: "v1", Resource: "trafficpolicies"}
	metas, err := kube.ListMetadata(t.Context(), admin, resource, kube.ListOptions{Namespace: "many"})
	if err != nil || len(metas) != count || metas[count-1].Name != want[count-1] {
		t.Errorf("%d objects, %v", len(metas), err)
	}
}

// meshManifests is a cluster with an istiod and a workload behind a Service. The
// controllers make the ReplicaSets and Pods of it.
const meshManifests = `
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "trustDomain: shop.example.com"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system}
spec:
  selector: {matchLabels: {app: istiod}}
  template:
    metadata: {labels: {app: istiod}}
    spec: {containers: [{name: discovery, image: "docker.io/istio/pilot:1.31.1"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  template:
    metadata: {labels: {app: reviews}}
    spec:
      containers:
      - {name: app, image: "reviews:1"}
      - {name: istio-proxy, image: "docker.io/istio/proxyv2:1.31.1"}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  selector: {app: reviews}
  ports: [{name: http, port: 9080}]
`

func TestDiscoverLive(t *testing.T) {
	t.Parallel()
	member := newCluster(t, "member")
	admin := connection(member.Admin())
	var objects []*unstructured.Unstructured
	for _, text := range strings.Split(meshManifests, "---\n") {
		objects = append(objects, parse(t, text))
	}
	for _, r := range kube.Apply(t.Context(), admin, objects, kube.ApplyOptions{}) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	reader, err := member.AddReadOnlyUser(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	gone := newCluster(t, "gone")
	gone.StopAPIServer()
	want := []string{"Mesh istiod-istio-system-member shop.example.com", "Workload reviews member [0]", "Destination reviews.shop.member", "member"}
	connections := []*kube.Connection{connection(gone.Admin()), connection(reader)}
	var found world.Objects
	if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
		var err error
		if found, err = inventory.Objects(ctx, inventory.DiscoverOptions{Connections: connections}, validation.New()); err != nil {
			return err
		}
		// The controllers may still be making the pods.
		if diff := cmp.Diff(want, names(found)); diff != "" {
			return errors.New("discovered (-want +got):\n" + diff)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	expectProblems(t, found, "UnusableCluster connection refused ("+gone.Server+")")

	blind := addUser(t, member, "blind", rbacv1.PolicyRule{APIGroups: []string{"", "apps"}, Resources: []string{"deployments", "configmaps", "pods", "replicasets"}, Verbs: []string{"list"}})
	parts, err := inventory.Discover(t.Context(), inventory.DiscoverOptions{Connections: []*kube.Connection{connection(blind)}})
	if err != nil {
		t.Fatal(err)
	}
	var unlisted []string
	for _, u := range parts[0].Unlisted {
		unlisted = append(unlisted, u.Kind.Kind+" "+string(u.Err.Reason))
	}
	if diff := cmp.Diff([]string{
		"DaemonSet Forbidden", "StatefulSet Forbidden", "Service Forbidden", "EndpointSlice Forbidden", "Node Forbidden", "Namespace Forbidden",
	}, unlisted); diff != "" || parts[0].Complete() || len(parts[0].Output.Workloads) != 1 {
		t.Errorf("%d workloads; unlisted (-want +got):\n%s", len(parts[0].Output.Workloads), diff)
	}
}

func TestKubeconfigContexts(t *testing.T) {
	t.Parallel()
	kubeconfig, err := kube.LoadKubeconfig(shared.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	uids := map[string]string{}
	for _, name := range kubeconfig.Contexts() {
		if !slices.Contains([]string{clustertest.Management, clustertest.East, clustertest.West}, name) {
			continue
		}
		c, err := kubeconfig.Connect(name, "", kube.SourceContext, kube.Options{})
		if err != nil {
			t.Fatal(err)
		}
		version, err := c.ServerVersion(t.Context())
		if err != nil || version.GitVersion != "v1.36.3" {
			t.Errorf("%s: version %s, %v", name, version.GitVersion, err)
		}
		uid, err := c.UID(t.Context())
		if err != nil || uid == "" || uids[uid] != "" {
			t.Errorf("%s: uid %q is also that of %q, %v", name, uid, uids[uid], err)
		}
		uids[uid] = name
	}
	if len(uids) != 3 {
		t.Errorf("%d clusters", len(uids))
	}
	if _, err := kube.LoadKubeconfig(filepath.Join(t.TempDir(), "gone")); err == nil {
		t.Error("a kubeconfig that does not exist was read")
	}
}
