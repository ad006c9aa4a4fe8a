//go:build e2e && unix

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	meshpolicy "github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// installIstioCRDs makes a cluster serve Istio's kinds, as an installation of
// Istio does.
func installIstioCRDs(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "kubernetes", "customresourcedefinitions.gen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crds []*unstructured.Unstructured
	for _, document := range strings.Split(string(text), "\n---\n") {
		if crd := parse(t, document); crd.Object != nil {
			crds = append(crds, crd)
		}
	}
	put(t, c, crds...)
	admin := connection(c.Admin())
	if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
		for _, gvk := range istioGVKs() {
			if _, err := admin.Resource(ctx, gvk); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// put writes objects as somebody else.
func put(t *testing.T, c *clustertest.Cluster, objects ...*unstructured.Unstructured) {
	t.Helper()
	for _, r := range kube.Apply(t.Context(), connection(c.Admin()), objects, kube.ApplyOptions{FieldManager: "somebody", Force: true}) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func istioGVKs() []schema.GroupVersionKind {
	var gvks []schema.GroupVersionKind
	for _, kind := range istio.Kinds() {
		gvks = append(gvks, istioGVK(kind))
	}
	return gvks
}

func istioGVK(kind istio.Kind) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(kind.APIVersion(), string(kind))
}

func istioKey(kind istio.Kind, namespace, name string) kube.ObjectKey {
	return kube.ObjectKey{GVK: istioGVK(kind), Namespace: namespace, Name: name}
}

// configured returns the Istio objects of a cluster by KIND/NAMESPACE/NAME, with
// their specification; with versions, also which write they come from.
func configured(t *testing.T, c *clustertest.Cluster, versions bool) map[string]string {
	t.Helper()
	admin := connection(c.Admin())
	found := map[string]string{}
	for _, gvk := range istioGVKs() {
		resource, err := admin.Resource(t.Context(), gvk)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kube.List(t.Context(), admin, resource.GroupVersionResource, kube.ListOptions{}, func(u *unstructured.Unstructured) bool {
			text, err := json.Marshal(u.Object["spec"])
			if err != nil {
				t.Error(err)
			}
			if versions {
				text = append(text, u.GetResourceVersion()...)
			}
			found[gvk.Kind+"/"+u.GetNamespace()+"/"+u.GetName()] = string(text)
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// governed is a registry whose management cluster has the bundled world.
type governed struct {
	*registry
	management *kube.Connection
}

func newGoverned(t *testing.T, name string) *governed {
	t.Helper()
	r := newRegistry(t, name)
	g := &governed{registry: r, management: connection(r.management.Admin())}
	r.run(t, 0, "install")
	for _, c := range []*clustertest.Cluster{r.east, r.west} {
		for _, namespace := range []string{"bookinfo", "istio-system"} {
			put(t, c, parse(t, "{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}"))
		}
		name := c.Name[strings.LastIndex(c.Name, "-")+1:]
		r.run(t, 0, "cluster", "register", name, "--remote-context", name)
	}
	g.putWorld(t)
	return g
}

// status reads the status of a policy or a VirtualMesh.
func (g *governed) status(t *testing.T, kind, name string) (state string, observed int64, errs []string) {
	t.Helper()
	object, err := kube.Get(t.Context(), g.management, kube.ObjectKey{
		GVK: schema.GroupVersionKind{Group: "networking.mesh.gloo.solo.io", Version: "v1", Kind: kind}, Namespace: "gloo-mesh", Name: name,
	})
	if err != nil {
		t.Fatal(err)
	}
	state, _, _ = unstructured.NestedString(object.Object, "status", "state")
	observed, _, _ = unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	errs, _, _ = unstructured.NestedStringSlice(object.Object, "status", "errors")
	if observed != object.GetGeneration() {
		t.Errorf("%s %s: the status is about generation %d, not %d", kind, name, observed, object.GetGeneration())
	}
	return state, observed, errs
}

func TestApplyConfiguration(t *testing.T) {
	t.Parallel()
	g := newGoverned(t, "configuration")
	installIstioCRDs(t, g.east)

	t.Run("without Istio's definitions", func(t *testing.T) {
		got := g.run(t, 1, "apply", "--yes")
		g.expect(t, got.stderr, "on cluster west: kind not found in networking.istio.io/v1",
			"skipped because it routes to reviews.bookinfo.svc.west.global, which could not be configured on cluster west",
			"Some objects could not be applied to east, west. Fix the errors and run 'meshctl apply --context management' again.")
		if state, _, errs := g.status(t, "VirtualMesh", "bookinfo"); state != "FAILED" || !strings.Contains(strings.Join(errs, " "), "on cluster west") {
			t.Errorf("the VirtualMesh is %s: %q", state, errs)
		}
		if len(configured(t, g.east, false)) == 0 {
			t.Error("nothing was written to the other cluster")
		}
	})
	installIstioCRDs(t, g.west)
	t.Run("dry runs write nothing", func(t *testing.T) {
		before, west := configured(t, g.east, true), configured(t, g.west, true)
		for _, dryRun := range []string{"client", "server"} {
			got := g.run(t, 0, "apply", "--dry-run="+dryRun)
			g.expect(t, got.stdout, "CLUSTER   CREATE", "+ DestinationRule bookinfo/reviews")
		}
		got := g.run(t, 0, "apply", "--dry-run=client", "--diff")
		g.expect(t, got.stdout, "+++ west/DestinationRule/bookinfo/reviews (applied)", "+  host: reviews.bookinfo.svc.cluster.local")
		if diff := cmp.Diff(before, configured(t, g.east, true)) + cmp.Diff(west, configured(t, g.west, true)); diff != "" {
			t.Errorf("it wrote (-before +after):\n%s", diff)
		}
	})
	t.Run("what is rendered is written", func(t *testing.T) {
		g.run(t, 0, "apply", "--yes")
		if diff := cmp.Diff(rendered(t, g, "west"), configured(t, g.west, false)); diff != "" {
			t.Errorf("west (-rendered +written):\n%s", diff)
		}
		if state, _, errs := g.status(t, "VirtualMesh", "bookinfo"); state != "ACCEPTED" || len(errs) > 0 {
			t.Errorf("the VirtualMesh is %s: %q", state, errs)
		}
	})
	t.Run("nothing is written again", func(t *testing.T) {
		east, west := configured(t, g.east, true), configured(t, g.west, true)
		got := g.run(t, 0, "apply", "--yes")
		g.expect(t, got.stderr, "Nothing to do: all clusters are up to date.")
		if got.stdout != "" || strings.Contains(got.stderr, "wrote") {
			t.Errorf("it wrote:\n%s%s", got.stdout, got.stderr)
		}
		if diff := cmp.Diff(east, configured(t, g.east, true)) + cmp.Diff(west, configured(t, g.west, true)); diff != "" {
			t.Errorf("it wrote (-before +after):\n%s", diff)
		}
	})
	t.Run("what others changed is repaired", g.testDrift)
	t.Run("objects of others are left alone", g.testForeign)
	t.Run("what others pass on is left to them", g.testPassedOn)
	t.Run("what is not wanted is deleted", g.testPrune)
	t.Run("what an object needs comes first", g.testHeldBack)
	t.Run("a dead cluster", g.testDeadCluster)
	t.Run("several at once", g.testConcurrent)
	t.Run("a report", g.testReport)
	t.Run("manifests alone", g.testManifestsAlone)
	t.Run("contexts alone", g.testContexts)
	t.Run("what a controller may do", g.testControllerRights)
	t.Run("as long as it watches", g.testWatch)
}

// rendered returns what the renderer makes of what the management cluster has.
func rendered(t *testing.T, g *governed, cluster string) map[string]string {
	t.Helper()
	objects := loadLive(t, g.registry.management.Admin(), load.ManagementOptions{})
	want := map[string]string{}
	all, _ := istio.New(meshpolicy.Evaluate(world.New(objects)), istio.Options{}).Cluster(cluster)
	for i := range all {
		fields, err := all[i].Fields()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(fields["spec"])
		if err != nil {
			t.Fatal(err)
		}
		want[string(all[i].Kind)+"/"+all[i].Namespace+"/"+all[i].Name] = string(text)
	}
	return want
}

func (g *governed) testDrift(t *testing.T) {
	before := configured(t, g.east, false)
	east := connection(g.east.Admin())
	rule := istioKey(istio.KindDestinationRule, "bookinfo", "reviews")
	write(t, east, rule, `{"spec": {"trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}, "tls": {"mode": "DISABLE"}}}}`)
	write(t, east, rule, `{"metadata": {"labels": {"team": "blue"}}}`)
	if result := kube.Delete(t.Context(), east, istioKey(istio.KindDestinationRule, "bookinfo", "ratings"), kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	got := g.run(t, 0, "apply", "--yes")
	g.expect(t, got.stdout,
		"destinationrule.networking.istio.io/ratings in bookinfo created on east\n", "destinationrule.networking.istio.io/reviews in bookinfo configured on east\n")
	if diff := cmp.Diff(before, configured(t, g.east, false)); diff != "" {
		t.Errorf("east is not repaired (-want +got):\n%s", diff)
	}
	object, err := kube.Get(t.Context(), east, rule)
	if err != nil || object.GetLabels()["team"] != "blue" {
		t.Errorf("the label of somebody else is gone: %v %v", object, err)
	}
	g.expect(t, g.run(t, 0, "apply", "--yes").stderr, "Nothing to do")
}

// foreign is an object of a name that meshctl wants.
func foreign(t *testing.T, labels string) *unstructured.Unstructured {
	t.Helper()
	return parse(t, "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: details, namespace: bookinfo, labels: "+labels+"}, spec: {host: theirs}}")
}

func (g *governed) testForeign(t *testing.T) {
	east, key := connection(g.east.Admin()), istioKey(istio.KindDestinationRule, "bookinfo", "details")
	for name, labels := range map[string]string{
		"without labels":              "{}",
		"of another namespace":        "{owner.networking.mesh.gloo.solo.io: other, cluster.multicluster.solo.io: east}",
		"written for another cluster": "{owner.networking.mesh.gloo.solo.io: gloo-mesh, cluster.multicluster.solo.io: west}",
	} {
		if result := kube.Delete(t.Context(), east, key, kube.DeleteOptions{}); result.Err != nil {
			t.Fatal(result.Err)
		}
		put(t, g.east, foreign(t, labels))
		got := g.run(t, 1, "apply", "--yes")
		g.expect(t, got.stderr, "cannot apply DestinationRule details in bookinfo on cluster east: exists with another owner: it has no label ")
		got = g.run(t, 1, "apply", "--dry-run=client", "-o", "json")
		g.expect(t, got.stdout, `"change": "conflict"`)
		object, err := kube.Get(t.Context(), east, key)
		if err != nil {
			t.Fatal(err)
		}
		if host, _, _ := unstructured.NestedString(object.Object, "spec", "host"); host != "theirs" {
			t.Errorf("the object %s was changed: %v", name, object)
		}
	}
	if result := kube.Delete(t.Context(), east, key, kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	g.run(t, 0, "apply", "--yes")
}

// testPassedOn has a gateway pass everything on already, as Istio's own east-west
// Gateway does.
func (g *governed) testPassedOn(t *testing.T) {
	const own = "Gateway/istio-system/istio-ingressgateway-istio-system-west-gloo-mesh"
	before := configured(t, g.west, false)
	if before[own] == "" {
		t.Fatalf("there is no %s", own)
	}
	put(t, g.west, parse(t, `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: cross-network-gateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 15443, name: tls, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}, hosts: ["*.local"]}
`))
	got := g.run(t, 0, "apply", "--yes")
	g.expect(t, got.stderr, "Gateway cross-network-gateway.istio-system of another owner already passes requests to them through port 15443 of istio-ingressgateway.istio-system.west")
	g.expect(t, got.stdout, "gateway.networking.istio.io/istio-ingressgateway-istio-system-west-gloo-mesh in istio-system deleted on west")
	foreign := istioKey(istio.KindGateway, "istio-system", "cross-network-gateway")
	if result := kube.Delete(t.Context(), connection(g.west.Admin()), foreign, kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	g.run(t, 0, "apply", "--yes")
	if diff := cmp.Diff(before, configured(t, g.west, false)); diff != "" {
		t.Errorf("west (-before +after):\n%s", diff)
	}
}

// trafficPolicy is one that needs subsets of reviews in east.
func trafficPolicy(t *testing.T, version string) *unstructured.Unstructured {
	t.Helper()
	service := "name: ratings, namespace: bookinfo, clusterName: east"
	return parse(t, "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: e2e-shift, namespace: gloo-mesh}, spec: {"+
		"destinationSelector: [{kubeServiceRefs: {services: [{"+service+"}]}}], "+
		"policy: {trafficShift: {destinations: [{kubeService: {"+service+", subset: {version: "+version+"}}}]}}}}")
}

func (g *governed) testPrune(t *testing.T) {
	before := configured(t, g.east, false)
	put(t, g.registry.management, trafficPolicy(t, "v1"))
	g.run(t, 0, "apply", "--yes")
	if got := configured(t, g.east, false); got["VirtualService/bookinfo/ratings"] == before["VirtualService/bookinfo/ratings"] {
		t.Fatalf("the policy does nothing: %v", got)
	}
	if result := kube.Delete(t.Context(), g.management, e2eShift(), kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	got := g.run(t, 0, "apply", "--yes", "--prune=false")
	if strings.Contains(got.stdout, "deleted") {
		t.Errorf("it deleted in spite of --prune=false:\n%s", got.stdout)
	}
	g.run(t, 0, "apply", "--yes")
	if diff := cmp.Diff(before, configured(t, g.east, false)); diff != "" {
		t.Errorf("east (-want +got):\n%s", diff)
	}
}

func e2eShift() kube.ObjectKey {
	return kube.ObjectKey{
		GVK: schema.GroupVersionKind{Group: "networking.mesh.gloo.solo.io", Version: "v1", Kind: "TrafficPolicy"}, Namespace: "gloo-mesh", Name: "e2e-shift",
	}
}

// testHeldBack lets an admission policy reject what names the subset that a
// route needs.
func (g *governed) testHeldBack(t *testing.T) {
	put(t, g.east, parse(t, `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-ratings}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [networking.istio.io], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [destinationrules]}]
  validations: [{expression: "object.metadata.name != 'ratings'", message: "not on a Friday"}]
`), parse(t, "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: no-ratings}, spec: {policyName: no-ratings, validationActions: [Deny]}}"))
	east := connection(g.east.Admin())
	if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
		probe := parse(t, "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: ratings, namespace: istio-system}, spec: {host: probe}}")
		result := kube.Apply(ctx, east, []*unstructured.Unstructured{probe}, kube.ApplyOptions{DryRun: kube.DryRunServer})[0]
		if result.Err == nil {
			return fmt.Errorf("the policy is not in force yet")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	before := configured(t, g.east, false)["VirtualService/bookinfo/ratings"]
	put(t, g.registry.management, trafficPolicy(t, "v1"))
	got := g.run(t, 1, "apply", "--yes")
	g.expect(t, got.stderr, "not on a Friday",
		"cannot apply VirtualService ratings in bookinfo on cluster east: skipped because it needs DestinationRule ratings in bookinfo, which could not be written")
	if after := configured(t, g.east, false)["VirtualService/bookinfo/ratings"]; after != before {
		t.Errorf("routes lead to a subset that is not there: %s", after)
	}
	state, _, errs := g.status(t, "TrafficPolicy", "e2e-shift")
	if state != "FAILED" || !strings.Contains(strings.Join(errs, "\n"), "not on a Friday") {
		t.Errorf("the policy is %s: %q", state, errs)
	}
	for _, kind := range []string{"ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"} {
		key := kube.ObjectKey{GVK: schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: kind}, Name: "no-ratings"}
		if result := kube.Delete(t.Context(), east, key, kube.DeleteOptions{}); result.Err != nil {
			t.Fatal(result.Err)
		}
	}
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		if got := meshctlWith(t, g.kubeconfig, "", "apply", "--yes"); got.code != 0 {
			return fmt.Errorf("%s", got.stderr)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if state, _, errs := g.status(t, "TrafficPolicy", "e2e-shift"); state != "ACCEPTED" || len(errs) > 0 {
		t.Errorf("the policy is %s: %q", state, errs)
	}
}

func (g *governed) testDeadCluster(t *testing.T) {
	g.west.StopAPIServer()
	put(t, g.registry.management, trafficPolicy(t, "v2"))
	got := g.run(t, 1, "apply", "--yes", "--timeout", "10s")
	g.expect(t, got.stdout, "ratings in bookinfo configured on east\n")
	// Its proxies may still send requests to the subset that is not wanted any more.
	g.expect(t, got.stderr, "error: cluster west: ", "Some objects could not be applied to east, west. Fix the errors and run 'meshctl apply --context management' again.",
		"cannot apply DestinationRule ratings in bookinfo on cluster east: requests may still be sent there, because meshctl cannot change the routes of cluster west")
	if state, _, errs := g.status(t, "VirtualMesh", "bookinfo"); state != "FAILED" || !strings.Contains(strings.Join(errs, "\n"), "cluster west") {
		t.Errorf("the VirtualMesh is %s: %q", state, errs)
	}
	if err := g.west.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.run(t, 0, "apply", "--yes")
	if diff := cmp.Diff(rendered(t, g, "west"), configured(t, g.west, false)); diff != "" {
		t.Errorf("west (-rendered +written):\n%s", diff)
	}
	if state, _, errs := g.status(t, "VirtualMesh", "bookinfo"); state != "ACCEPTED" {
		t.Errorf("the VirtualMesh is %s: %q", state, errs)
	}
}

func (g *governed) testConcurrent(t *testing.T) {
	for _, version := range []string{"v1", "v2", "v3"} {
		put(t, g.registry.management, trafficPolicy(t, version))
		var pending sync.WaitGroup
		for range 3 {
			pending.Go(func() { g.run(t, 0, "apply", "--yes") })
		}
		pending.Wait()
		if diff := cmp.Diff(rendered(t, g, "east"), configured(t, g.east, false)); diff != "" {
			t.Fatalf("east (-rendered +written):\n%s", diff)
		}
	}
}

func (g *governed) testReport(t *testing.T) {
	put(t, g.registry.management, trafficPolicy(t, "v1"))
	got := g.run(t, 0, "apply", "--yes", "-o", "json")
	var report struct {
		Kind, DryRun string
		Clusters     []struct {
			Name      string
			Unchanged int
			Objects   []struct {
				Kind, Name, Change, Outcome string
				Fields, Parents             []string
			}
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v in:\n%s", err, got.stdout)
	}
	if report.Kind != "ApplyReport" || report.DryRun != "none" || len(report.Clusters) != 2 || report.Clusters[0].Name != "east" {
		t.Fatalf("the report is %+v", report)
	}
	var lines []string
	for _, o := range report.Clusters[0].Objects {
		lines = append(lines, o.Kind+" "+o.Name+" "+o.Change+" "+o.Outcome+" "+strings.Join(o.Fields, ","))
		if !slices.Contains(o.Parents, "TrafficPolicy/e2e-shift.gloo-mesh") {
			t.Errorf("%s does not come from the policy: %q", o.Name, o.Parents)
		}
	}
	want := []string{
		"DestinationRule ratings change configured spec.subsets",
		"VirtualService ratings change configured spec.http",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("east (-want +got):\n%s", diff)
	}
}

func (g *governed) testManifestsAlone(t *testing.T) {
	got := meshctlWith(t, g.kubeconfig, "", "apply", "-f", "../../testdata/worlds/bookinfo-two-clusters", "-R", "--yes")
	if got.code != 2 || !strings.Contains(got.stderr, "no target clusters: use --clusters or --context") {
		t.Errorf("manifests alone: %d\n%s", got.code, got.stderr)
	}
}

// testContexts applies manifests to clusters that are named by their contexts.
// What is known of them is discovered on the fly, which is not much.
func (g *governed) testContexts(t *testing.T) {
	got := meshctlWith(t, g.kubeconfig, "", "apply", "-f", "../../testdata/worlds/bookinfo-two-clusters/traffic", "--clusters", "east,west", "--yes")
	if got.code != 0 || !strings.Contains(got.stderr, "east: skipped because no Istio mesh was discovered there") {
		t.Errorf("clusters without mesh: %d\n%s", got.code, got.stderr)
	}
}

// TestAPIServerAcceptsRandomConfiguration lets an API server judge what is
// rendered for large random worlds.
func TestAPIServerAcceptsRandomConfiguration(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "accepting")
	installIstioCRDs(t, c)
	admin := connection(c.Admin())
	for seed := range uint64(3) {
		w := world.New(genworld.Objects(genworld.Size{Clusters: 3, Services: 30, Traffic: 120, Access: 60, Seed: seed + 1}))
		renderer := istio.New(meshpolicy.Evaluate(w), istio.Options{})
		for _, name := range renderer.Clusters() {
			objects, _ := renderer.Cluster(name)
			var all []*unstructured.Unstructured
			namespaces := map[string]bool{}
			for i := range objects {
				fields, err := objects[i].Fields()
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, &unstructured.Unstructured{Object: fields})
				namespaces[objects[i].Namespace] = true
			}
			for namespace := range namespaces {
				put(t, c, parse(t, "{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}"))
			}
			for _, r := range kube.Apply(t.Context(), admin, all, kube.ApplyOptions{DryRun: kube.DryRunServer}) {
				if r.Err != nil {
					t.Error(r.Err)
				}
			}
		}
	}
}

// TestAPIServerAcceptsUpdates applies renderings of each kind over each other, in
// random order: all must be accepted, and be what is there afterwards.
func TestAPIServerAcceptsUpdates(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "updating")
	installIstioCRDs(t, c)
	put(t, c, parse(t, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"))
	admin := connection(c.Admin())
	specs := map[istio.Kind][]map[string]any{}
	for _, objects := range renderedCases(t) {
		for i := range objects {
			fields, err := objects[i].Fields()
			if err != nil {
				t.Fatal(err)
			}
			if spec, _ := fields["spec"].(map[string]any); len(spec) > 0 { // global-access-control never is anything else
				specs[objects[i].Kind] = append(specs[objects[i].Kind], spec)
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range istio.Kinds() {
		all := specs[kind]
		if len(all) < 2 {
			t.Fatalf("%d objects of kind %s show nothing", len(all), kind)
		}
		random.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
		for _, spec := range all[:min(len(all), 80)] {
			object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
			object.SetGroupVersionKind(istioGVK(kind))
			object.SetNamespace("shop")
			object.SetName("updated")
			for _, r := range kube.Apply(t.Context(), admin, []*unstructured.Unstructured{object}, kube.ApplyOptions{Force: true}) {
				if r.Err != nil {
					t.Fatal(r.Err)
				}
			}
			stored, err := kube.Get(t.Context(), admin, istioKey(kind, "shop", "updated"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(spec, stored.Object["spec"]); diff != "" {
				t.Fatalf("%s (-applied +stored)\n%s", kind, diff)
			}
		}
	}
}

// renderedCases returns what is rendered of the worlds in testdata/istio, by
// cluster.
func renderedCases(t *testing.T) [][]istio.Object {
	t.Helper()
	dir := filepath.Join("..", "..", "testdata", "istio")
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (%v)", dir, err)
	}
	var all [][]istio.Object
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for line := range strings.Lines(string(archive.Comment)) {
			if base, found := strings.CutPrefix(strings.TrimSpace(line), "base: "); found {
				text, err := os.ReadFile(filepath.Join(dir, base))
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, string(text))
			}
		}
		for _, f := range archive.Files {
			if !strings.HasPrefix(f.Name, "want") {
				texts = append(texts, string(f.Data))
			}
		}
		objects, err := load.Files(t.Context(), load.FileOptions{
			Paths: []string{"-"}, Stdin: strings.NewReader(strings.Join(texts, "\n---\n")),
		}, validation.New())
		if err != nil {
			t.Fatal(err)
		}
		renderer := istio.New(meshpolicy.Evaluate(world.New(objects)), istio.Options{})
		for _, name := range renderer.Clusters() {
			rendered, _ := renderer.Cluster(name)
			all = append(all, rendered)
		}
	}
	return all
}
