//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// TestApplyInTrouble applies to clusters that do not do what they should.
func TestApplyInTrouble(t *testing.T) {
	t.Parallel()
	g := newGoverned(t, "trouble")
	installIstioCRDs(t, g.east)
	installIstioCRDs(t, g.west)
	g.run(t, 0, "apply", "--yes")
	t.Run("a second apply writes no status", g.testStatusIsStable)
	t.Run("an earlier name evicts nobody", g.testAcceptance)
	t.Run("labels and annotations that others removed", g.testRemovedLabels)
	t.Run("an object that a controller keeps from going", g.testFinalizer)
	t.Run("a namespace that goes", g.testTerminatingNamespace)
	t.Run("a route that cannot be deleted", g.testRejectedRemoval)
	t.Run("an interruption", g.testInterruption)
	t.Run("an interruption in the middle of writing", g.testInterruptedWriting)
	t.Run("two at once, in the middle of writing", g.testOvertaken)
	t.Run("an object of somebody else that comes meanwhile", g.testForeignMeanwhile)
	t.Run("an object that somebody else makes anew meanwhile", g.testRemadeMeanwhile)
	t.Run("a cluster that hangs", g.testHanging)
	t.Run("readers that go", g.testClosedStreams)
	t.Run("kinds in older versions", g.testOlderVersions)
}

// versions returns the resource versions of everything on the management cluster
// that gets a status.
func (g *governed) versions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for group, kinds := range map[string][]string{
		"networking.mesh.gloo.solo.io": {"VirtualMesh", "TrafficPolicy", "AccessPolicy"}, "discovery.mesh.gloo.solo.io": {"Mesh", "Destination", "Workload"},
	} {
		for _, kind := range kinds {
			resource, err := g.management.Resource(t.Context(), schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kube.List(t.Context(), g.management, resource.GroupVersionResource, kube.ListOptions{}, func(u *unstructured.Unstructured) bool {
				found[kind+"/"+u.GetName()] = u.GetResourceVersion()
				observed, _, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
				if kind != "Workload" && observed != u.GetGeneration() {
					t.Errorf("%s %s: the status is about generation %d, not %d", kind, u.GetName(), observed, u.GetGeneration())
				}
				return true
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return found
}

func meshKey() kube.ObjectKey {
	return kube.ObjectKey{GVK: schema.GroupVersionKind{Group: "networking.mesh.gloo.solo.io", Version: "v1", Kind: "VirtualMesh"}, Namespace: "gloo-mesh", Name: "bookinfo"}
}

func (g *governed) testStatusIsStable(t *testing.T) {
	before := g.versions(t)
	got := g.run(t, 0, "apply", "--yes")
	if strings.Contains(got.stderr, "status") {
		t.Errorf("it wrote statuses:\n%s", got.stderr)
	}
	if diff := cmp.Diff(before, g.versions(t)); diff != "" {
		t.Errorf("it wrote (-before +after):\n%s", diff)
	}
	// What others write in a status stays.
	write(t, g.management, meshKey(), `{"status": {"conditions": [{"type": "RotationVerified", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "x", "message": "theirs"}]}}`, "status")
	conditions := func() string {
		object, err := kube.Get(t.Context(), g.management, meshKey())
		if err != nil {
			t.Fatal(err)
		}
		found, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
		text, err := json.Marshal(found)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	was := conditions()
	if !strings.Contains(was, "RotationVerified") {
		t.Fatalf("the conditions were not written: %s", was)
	}
	put(t, g.registry.management, trafficPolicy(t, "v1"))
	g.run(t, 0, "apply", "--yes")
	if diff := cmp.Diff(was, conditions()); diff != "" {
		t.Errorf("conditions (-before +after):\n%s", diff)
	}
}

// testAcceptance makes a policy that contradicts an accepted one and whose name
// comes before it (D11).
func (g *governed) testAcceptance(t *testing.T) {
	timeout := func(name, value string) *unstructured.Unstructured {
		return parse(t, "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: "+name+", namespace: gloo-mesh}, spec: {"+
			"destinationSelector: [{kubeServiceRefs: {services: [{name: ratings, namespace: bookinfo, clusterName: east}]}}], policy: {requestTimeout: "+value+"}}}")
	}
	accepted := func() map[string]any {
		key := e2eShift()
		key.Name = "z-first"
		object, err := kube.Get(t.Context(), g.management, key)
		if err != nil {
			t.Fatal(err)
		}
		status, _, _ := unstructured.NestedMap(object.Object, "status", "destinations")
		return status
	}
	put(t, g.registry.management, timeout("z-first", "5s"))
	g.run(t, 0, "apply", "--yes")
	before := accepted()
	put(t, g.registry.management, timeout("a-second", "9s"))
	g.run(t, 0, "apply", "--yes")
	if state, _, _ := g.status(t, "TrafficPolicy", "z-first"); state != "ACCEPTED" {
		t.Errorf("the first policy is %s", state)
	}
	if state, _, _ := g.status(t, "TrafficPolicy", "a-second"); state != "INVALID" {
		t.Errorf("the second policy is %s", state)
	}
	if diff := cmp.Diff(before, accepted()); diff != "" {
		t.Errorf("the status of the first policy (-before +after):\n%s", diff)
	}
	for _, name := range []string{"z-first", "a-second"} {
		key := e2eShift()
		key.Name = name
		if result := kube.Delete(t.Context(), g.management, key, kube.DeleteOptions{}); result.Err != nil {
			t.Fatal(result.Err)
		}
	}
	g.run(t, 0, "apply", "--yes")
}

func (g *governed) testRemovedLabels(t *testing.T) {
	east, rule := connection(g.east.Admin()), istioKey(istio.KindDestinationRule, "bookinfo", "reviews")
	write(t, east, rule, `{"metadata": {"annotations": {"parents.networking.mesh.gloo.solo.io": null}}}`)
	got := g.run(t, 0, "apply", "--yes")
	g.expect(t, got.stdout, "destinationrule.networking.istio.io/reviews in bookinfo configured on east\n")
	for label, value := range map[string]string{istio.OwnerLabel: "gloo-mesh", istio.ClusterLabel: "east"} {
		write(t, east, rule, `{"metadata": {"labels": {"`+label+`": null}}}`)
		got := g.run(t, 1, "apply", "--yes")
		g.expect(t, got.stderr, "meshctl created it, but it no longer has the label "+label+"="+value+": restore the label, or remove the object")
		if state, _, errs := g.status(t, "VirtualMesh", "bookinfo"); state != "FAILED" && state != "ACCEPTED" {
			t.Errorf("the VirtualMesh is %s: %q", state, errs)
		}
		write(t, east, rule, `{"metadata": {"labels": {"`+label+`": "`+value+`"}}}`)
		g.run(t, 0, "apply", "--yes")
	}
}

func (g *governed) testFinalizer(t *testing.T) {
	east, rule := connection(g.east.Admin()), istioKey(istio.KindDestinationRule, "bookinfo", "reviews")
	write(t, east, rule, `{"metadata": {"finalizers": ["example.com/wait"]}}`)
	if result := kube.Delete(t.Context(), east, rule, kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	got := g.run(t, 1, "apply", "--yes")
	g.expect(t, got.stderr, "cannot apply DestinationRule reviews in bookinfo on cluster east: it is being deleted and has finalizers")
	write(t, east, rule, `{"metadata": {"finalizers": null}}`)
	got = g.run(t, 0, "apply", "--yes")
	g.expect(t, got.stdout, "destinationrule.networking.istio.io/reviews in bookinfo created on east\n")
}

// testTerminatingNamespace deletes a namespace that a finalizer keeps, and then
// lets it go.
func (g *governed) testTerminatingNamespace(t *testing.T) {
	client := admin(t, g.west)
	keeper := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "keeper", Namespace: "bookinfo", Finalizers: []string{"example.com/wait"}}}
	if _, err := client.CoreV1().ConfigMaps("bookinfo").Create(t.Context(), keeper, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.CoreV1().Namespaces().Delete(t.Context(), "bookinfo", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := clustertest.Eventually(t.Context(), 2*patience, func(context.Context) error {
		for name := range configured(t, g.west, false) {
			if strings.Contains(name, "/bookinfo/") {
				return fmt.Errorf("%s is still there", name)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	got := g.run(t, 1, "apply", "--yes")
	g.expect(t, got.stderr, "in bookinfo on cluster west: its namespace is being deleted")
	if err := clustertest.Eventually(t.Context(), 2*patience, func(ctx context.Context) error {
		_, err := client.CoreV1().ConfigMaps("bookinfo").Patch(ctx, "keeper", "application/merge-patch+json", []byte(`{"metadata": {"finalizers": null}}`), metav1.PatchOptions{})
		if err == nil {
			return errors.New("it is still there")
		}
		if _, err := client.CoreV1().Namespaces().Get(ctx, "bookinfo", metav1.GetOptions{}); err == nil {
			return errors.New("the namespace is still there")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	got = g.run(t, 1, "apply", "--yes")
	g.expect(t, got.stderr, `in bookinfo on cluster west: namespaces "bookinfo" not found: create the namespace`)
	put(t, g.west, parse(t, "{apiVersion: v1, kind: Namespace, metadata: {name: bookinfo}}"))
	g.run(t, 0, "apply", "--yes")
	if diff := cmp.Diff(rendered(t, g, "west"), configured(t, g.west, false)); diff != "" {
		t.Errorf("west (-rendered +written):\n%s", diff)
	}
}

// forbidDeleting lets an admission policy reject that VirtualServices are
// deleted, until the returned function is called.
func forbidDeleting(t *testing.T, c *clustertest.Cluster) (allow func()) {
	t.Helper()
	put(t, c, parse(t, `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-deleting}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [networking.istio.io], apiVersions: ["*"], operations: [DELETE], resources: [virtualservices]}]
  validations: [{expression: "false", message: "nothing is deleted today"}]
`), parse(t, "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: no-deleting}, spec: {policyName: no-deleting, validationActions: [Deny]}}"))
	probe := parse(t, "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: probe, namespace: istio-system}, spec: {hosts: [probe], http: [{route: [{destination: {host: probe}}]}]}}")
	put(t, c, probe)
	key := istioKey(istio.KindVirtualService, "istio-system", "probe")
	forbidden := func(ctx context.Context) bool {
		return kube.Delete(ctx, connection(c.Admin()), key, kube.DeleteOptions{DryRun: kube.DryRunServer}).Err != nil
	}
	if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
		if !forbidden(ctx) {
			return errors.New("the policy is not in force yet")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return func() {
		for _, kind := range []string{"ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"} {
			key := kube.ObjectKey{GVK: schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: kind}, Name: "no-deleting"}
			if result := kube.Delete(t.Context(), connection(c.Admin()), key, kube.DeleteOptions{}); result.Err != nil {
				t.Fatal(result.Err)
			}
		}
		if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
			if forbidden(ctx) {
				return errors.New("the policy is still in force")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		kube.Delete(t.Context(), connection(c.Admin()), key, kube.DeleteOptions{})
	}
}

// testRejectedRemoval keeps a route from going: what it leads to stays, and the
// VirtualMesh says so.
func (g *governed) testRejectedRemoval(t *testing.T) {
	put(t, g.registry.management, trafficPolicy(t, "v1"))
	g.run(t, 0, "apply", "--yes")
	subsets := func() string { return configured(t, g.east, false)["DestinationRule/bookinfo/ratings"] }
	before := subsets()
	if !strings.Contains(before, "subsets") {
		t.Fatalf("the policy needs no subset: %s", before)
	}
	allow := forbidDeleting(t, g.east)
	if result := kube.Delete(t.Context(), g.management, e2eShift(), kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	got := meshctlWith(t, g.kubeconfig, "", "apply", "--yes")
	_, routed := configured(t, g.east, false)["VirtualService/bookinfo/ratings"]
	switch {
	case got.code == 1 && routed:
		g.expect(t, got.stderr, "nothing is deleted today", "requests may still be sent there, because meshctl cannot delete VirtualService ratings in bookinfo")
		if !strings.Contains(subsets(), "subsets") {
			t.Error("a route leads to a subset that is not there")
		}
	case got.code == 0: // other policies still need the route, which is changed and not deleted
	default:
		t.Errorf("exit code %d:\n%s", got.code, got.stderr)
	}
	allow()
	g.run(t, 0, "apply", "--yes")
	if diff := cmp.Diff(rendered(t, g, "east"), configured(t, g.east, false)); diff != "" {
		t.Errorf("east (-rendered +written):\n%s", diff)
	}
}

// testInterruption interrupts an apply as soon as it writes, and applies again.
func (g *governed) testInterruption(t *testing.T) {
	g.clear(t, g.east)
	g.clear(t, g.west)
	before := g.versions(t)
	if err := g.west.PauseAPIServer(); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), shared.binary, "apply", "--yes", "--timeout", "10m", "--request-timeout", "10m")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + g.kubeconfig}
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// It waits for west; let it get that far.
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error { return cmd.Process.Signal(syscall.Signal(0)) }); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := g.west.ResumeAPIServer(); err != nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != 130 && code != -1 { // -1: before it took signals
		t.Errorf("exit code %d:\n%s", code, stderr.String())
	}
	expectOwnWords(t, stderr.String())
	if diff := cmp.Diff(before, g.versions(t)); diff != "" {
		t.Errorf("an interrupted apply wrote statuses (-before +after):\n%s", diff)
	}
	g.run(t, 0, "apply", "--yes")
	for _, c := range []*clustertest.Cluster{g.east, g.west} {
		name := c.Name[strings.LastIndex(c.Name, "-")+1:]
		if diff := cmp.Diff(rendered(t, g, name), configured(t, c, false)); diff != "" {
			t.Errorf("%s (-rendered +written):\n%s", name, diff)
		}
	}
}

func (g *governed) testHanging(t *testing.T) {
	put(t, g.registry.management, trafficPolicy(t, "v1"))
	if err := g.west.PauseAPIServer(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	got := meshctlWith(t, g.kubeconfig, "", "apply", "--yes", "--request-timeout", "3s", "--timeout", "5s")
	if err := g.west.ResumeAPIServer(); err != nil {
		t.Fatal(err)
	}
	if got.code != 1 || !strings.Contains(got.stderr, "west") {
		t.Errorf("%d:\n%s", got.code, got.stderr)
	}
	g.expect(t, got.stdout, "ratings in bookinfo configured on east\n")
	if took := time.Since(began); took > patience {
		t.Errorf("it took %s", took)
	}
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		if got := meshctlWith(t, g.kubeconfig, "", "apply", "--yes"); got.code != 0 {
			return errors.New(got.stderr)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// testClosedStreams reads nothing, or one line, of what apply says.
func (g *governed) testClosedStreams(t *testing.T) {
	for i, version := range []string{"v2", "v3"} {
		put(t, g.registry.management, trafficPolicy(t, version))
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), shared.binary, "apply", "--yes", "--diff")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + g.kubeconfig}
		cmd.Stdout, cmd.Stderr = writer, writer
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		writer.Close()
		if i == 1 {
			if _, err := io.ReadFull(reader, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		reader.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ends with %v", err)
		}
		if diff := cmp.Diff(rendered(t, g, "east"), configured(t, g.east, false)); diff != "" {
			t.Errorf("east (-rendered +written):\n%s", diff)
		}
	}
}

// testOlderVersions lets a cluster serve what was before v1.
func (g *governed) testOlderVersions(t *testing.T) {
	client, err := connection(g.west.Admin()).Dynamic()
	if err != nil {
		t.Fatal(err)
	}
	crds := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	served := func(is bool) {
		t.Helper()
		crd, err := crds.Get(t.Context(), "destinationrules.networking.istio.io", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		for _, v := range versions {
			if fields, ok := v.(map[string]any); ok && fields["name"] == "v1" {
				fields["served"] = is
			}
		}
		if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
			t.Fatal(err)
		}
		if _, err := crds.Update(t.Context(), crd, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
			_, err := connection(g.west.Admin()).Resource(ctx, istioGVK(istio.KindDestinationRule))
			if (err == nil) != is {
				return fmt.Errorf("served: %w", err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	served(false)
	got := g.run(t, 1, "apply", "--yes")
	g.expect(t, got.stderr, "on cluster west: kind not found in networking.istio.io/v1")
	served(true)
	g.run(t, 0, "apply", "--yes")
}

// TestApplyWithoutManagement applies manifests to a cluster that nothing but
// Istio is installed in.
func TestApplyWithoutManagement(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "bare")
	installIstioCRDs(t, c)
	putShop(t, c)
	path := kubeconfigOf(t, map[string]*clustertest.Credentials{"bare": c.Admin()})
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte("{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: patience, namespace: gloo-mesh}, spec: {policy: {requestTimeout: 5s}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got result
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		got = meshctlWith(t, path, "", "apply", "--yes", "-f", policy, "--clusters", "bare")
		if got.code != 0 || len(configured(t, c, false)) < 2 { // the controllers may still be making the pods
			return fmt.Errorf("%d:\n%s%s", got.code, got.stdout, got.stderr)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if spec := configured(t, c, false)["VirtualService/shop/reviews"]; !strings.Contains(spec, `"timeout":"5s"`) {
		t.Errorf("the policy does nothing: %s", spec)
	}
	got = meshctlWith(t, path, "", "apply", "--yes", "-f", policy, "--clusters", "bare")
	if got.code != 0 || !strings.Contains(got.stderr, "Nothing to do") {
		t.Errorf("again: %d\n%s", got.code, got.stderr)
	}
}
