//go:build e2e && unix

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// connection returns what meshctl knows a cluster as.
func connection(c *clustertest.Credentials) *kube.Connection {
	return kube.New(c.Cluster, kube.SourceManagement, c.Config(), kube.Options{Version: "e2e"})
}

// parse returns the object of a manifest.
func parse(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict([]byte(manifest), &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

// policy returns a TrafficPolicy in the namespace apply with the spec.
func policy(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	return parse(t, "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy\nmetadata: {name: "+name+", namespace: apply}\nspec: "+spec)
}

func policyKey(name string) kube.ObjectKey {
	return kube.ObjectKey{
		GVK:       schema.GroupVersionKind{Group: "networking.mesh.gloo.solo.io", Version: "v1", Kind: "TrafficPolicy"},
		Namespace: "apply", Name: name,
	}
}

// outcomes returns results as lines.
func outcomes(results ...kube.Result) []string {
	var lines []string
	for _, r := range results {
		line := r.Name + " " + string(r.Outcome)
		if r.Err != nil {
			line += ": " + r.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

func expectOutcomes(t *testing.T, results []kube.Result, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, outcomes(results...)); diff != "" {
		t.Fatalf("outcomes (-want +got):\n%s", diff)
	}
}

// spec reads the spec of a policy back.
func spec(t *testing.T, c *kube.Connection, name string) string {
	t.Helper()
	object, err := kube.Get(t.Context(), c, policyKey(name))
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(object.Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestApply(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, "apply")
	installCRDs(t, cluster)
	c := connection(cluster.Admin())
	if created, err := kube.EnsureNamespace(t.Context(), c, "apply", nil, kube.DryRunNone); err != nil || !created {
		t.Fatal(created, err)
	}
	apply := func(t *testing.T, opts kube.ApplyOptions, objects ...*unstructured.Unstructured) []kube.Result {
		t.Helper()
		return kube.Apply(t.Context(), c, objects, opts)
	}
	plain := kube.ApplyOptions{}
	dry := kube.ApplyOptions{DryRun: kube.DryRunServer}
	other := kube.ApplyOptions{FieldManager: "someone"}

	t.Run("created, unchanged, configured", func(t *testing.T) {
		t.Parallel()
		one := policy(t, "one", "{policy: {requestTimeout: 5s}}")
		first := apply(t, plain, one)
		expectOutcomes(t, first, "one created")
		again := apply(t, plain, one)
		expectOutcomes(t, again, "one unchanged")
		if first[0].Object.GetResourceVersion() != again[0].Object.GetResourceVersion() {
			t.Error("what did not change was written")
		}
		expectOutcomes(t, apply(t, plain, again[0].Object), "one unchanged")
		expectOutcomes(t, apply(t, plain, policy(t, "one", "{policy: {requestTimeout: 6s}}")), "one configured")
		expectOutcomes(t, apply(t, plain, policy(t, "one", "{policy: {retries: {attempts: 2}}}")), "one configured")
		if got, want := spec(t, c, "one"), "policy:\n  retries:\n    attempts: 2\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("creating what exists", func(t *testing.T) {
		t.Parallel()
		create := kube.ApplyOptions{Create: true}
		expectOutcomes(t, apply(t, create, policy(t, "two", "{policy: {requestTimeout: 5s}}")), "two created")
		expectOutcomes(t, apply(t, create, policy(t, "two", "{policy: {requestTimeout: 6s}}")),
			"two failed: cannot create TrafficPolicy two in apply on cluster apply: already exists: choose another name, or change the existing one with apply")
		if got, want := spec(t, c, "two"), "policy:\n  requestTimeout: 5s\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("applying what was created", func(t *testing.T) {
		t.Parallel()
		expectOutcomes(t, apply(t, kube.ApplyOptions{Create: true}, policy(t, "three", "{policy: {requestTimeout: 5s, retries: {attempts: 2}}}")), "three created")
		changed := policy(t, "three", "{policy: {requestTimeout: 7s}}")
		expectOutcomes(t, apply(t, dry, changed), "three configured")
		expectOutcomes(t, apply(t, plain, changed), "three configured")
		if got, want := spec(t, c, "three"), "policy:\n  requestTimeout: 7s\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("fields of others", func(t *testing.T) {
		t.Parallel()
		expectOutcomes(t, apply(t, other, policy(t, "four", "{policy: {requestTimeout: 5s, retries: {attempts: 2}}}")), "four created")
		mine := policy(t, "four", "{policy: {requestTimeout: 6s}}")
		want := "four conflict: cannot apply TrafficPolicy four in apply on cluster apply: spec.policy.requestTimeout is owned by someone: " +
			"remove the fields, or take them over with --force-conflicts"
		expectOutcomes(t, apply(t, dry, mine), want)
		results := apply(t, plain, mine)
		expectOutcomes(t, results, want)
		if diff := cmp.Diff([]kube.FieldConflict{{Field: "spec.policy.requestTimeout", Owner: "someone"}}, results[0].Err.Conflicts); diff != "" {
			t.Errorf("conflicts (-want +got):\n%s", diff)
		}
		expectOutcomes(t, apply(t, kube.ApplyOptions{Force: true}, mine), "four configured")
		if got, want := spec(t, c, "four"), "policy:\n  requestTimeout: 6s\n  retries:\n    attempts: 2\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("a dry run writes nothing", func(t *testing.T) {
		t.Parallel()
		five := policy(t, "five", "{policy: {requestTimeout: 5s}}")
		for _, opts := range []kube.ApplyOptions{dry, {DryRun: kube.DryRunServer, Create: true}} {
			expectOutcomes(t, apply(t, opts, five), "five created")
			if _, err := kube.Get(t.Context(), c, policyKey("five")); err == nil {
				t.Fatal("a dry run wrote")
			}
		}
		apply(t, plain, five)
		expectOutcomes(t, apply(t, dry, five), "five unchanged")
		changed := apply(t, dry, policy(t, "five", "{policy: {requestTimeout: 9s}}"))
		expectOutcomes(t, changed, "five configured")
		if value, _, _ := unstructured.NestedString(changed[0].Object.Object, "spec", "policy", "requestTimeout"); value != "9s" {
			t.Errorf("the dry run shows %q", value)
		}
		expectOutcomes(t, []kube.Result{kube.Delete(t.Context(), c, policyKey("five"), kube.DeleteOptions{DryRun: kube.DryRunServer})}, "five deleted")
		if got, want := spec(t, c, "five"), "policy:\n  requestTimeout: 5s\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if created, err := kube.EnsureNamespace(t.Context(), c, "dry", nil, kube.DryRunServer); err != nil || !created {
			t.Error(created, err)
		}
		if created, err := kube.EnsureNamespace(t.Context(), c, "dry", nil, kube.DryRunServer); err != nil || !created {
			t.Error("a dry run made a namespace", created, err)
		}
	})
	t.Run("objects of others", func(t *testing.T) {
		t.Parallel()
		owner := map[string]string{"owner": "meshctl"}
		expectOutcomes(t, apply(t, other, policy(t, "six", "{policy: {requestTimeout: 5s}}")), "six created")
		mine := policy(t, "six", "{policy: {requestTimeout: 5s}}")
		mine.SetLabels(owner)
		const why = "exists with another owner: it has no label owner=meshctl: rename or remove it"
		expectOutcomes(t, apply(t, kube.ApplyOptions{Owner: owner, Force: true}, mine), "six conflict: cannot apply TrafficPolicy six in apply on cluster apply: "+why)
		expectOutcomes(t, []kube.Result{kube.Delete(t.Context(), c, policyKey("six"), kube.DeleteOptions{Owner: owner})},
			"six conflict: cannot delete TrafficPolicy six in apply on cluster apply: "+why)
		expectOutcomes(t, apply(t, plain, mine), "six configured")
		expectOutcomes(t, apply(t, kube.ApplyOptions{Owner: owner}, mine), "six unchanged")
		remove := func() []kube.Result {
			return []kube.Result{kube.Delete(t.Context(), c, policyKey("six"), kube.DeleteOptions{Owner: owner})}
		}
		expectOutcomes(t, remove(), "six deleted")
		expectOutcomes(t, remove(), "six absent")
	})
	t.Run("what cannot be", func(t *testing.T) {
		t.Parallel()
		elsewhere := policy(t, "elsewhere", "{policy: {requestTimeout: 5s}}")
		elsewhere.SetNamespace("nowhere")
		nowhere := policy(t, "nowhere", "{policy: {requestTimeout: 5s}}")
		nowhere.SetNamespace("")
		results := apply(t, plain,
			policy(t, "typo", "{policy: {requestTimeuot: 5s}}"), policy(t, "wrong", "{policy: {requestTimeout: soon}}"), elsewhere, nowhere,
			parse(t, "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: widget, namespace: apply}"), policy(t, "fine", "{policy: {requestTimeout: 5s}}"),
		)
		want := []struct {
			outcome kube.Outcome
			reason  kube.Reason
			text    string
		}{
			{kube.Failed, kube.ReasonInvalid, "spec.policy.requestTimeuot: field not declared in schema"},
			{kube.Failed, kube.ReasonInvalid, "spec.policy.requestTimeout"},
			{kube.Failed, kube.ReasonNotFound, `namespaces "nowhere" not found`},
			{kube.Failed, kube.ReasonInvalid, "it has no namespace"},
			{kube.Failed, kube.ReasonNoSuchKind, "kind not found in example.com/v1"},
			{kube.Created, "", ""},
		}
		for i, w := range want {
			r := results[i]
			reason, text := kube.Reason(""), ""
			if r.Err != nil {
				reason, text = r.Err.Reason, r.Err.Error()
			}
			if r.Outcome != w.outcome || reason != w.reason || !strings.Contains(text, w.text) {
				t.Errorf("%s: %s %s %q, want %s %s %q", r.Name, r.Outcome, reason, text, w.outcome, w.reason, w.text)
			}
		}
	})
	t.Run("namespaces come first, and keep their labels", func(t *testing.T) {
		t.Parallel()
		object := policy(t, "inside", "{policy: {requestTimeout: 5s}}")
		object.SetNamespace("made")
		expectOutcomes(t, apply(t, plain, object, parse(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: made, labels: {team: a}}")), "inside created", "made created")
		if created, err := kube.EnsureNamespace(t.Context(), c, "made", map[string]string{"team": "b", "new": "x"}, kube.DryRunNone); err != nil || created {
			t.Error(created, err)
		}
		made, err := clientset(t, cluster.Admin().Config()).CoreV1().Namespaces().Get(t.Context(), "made", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"team": "a", "kubernetes.io/metadata.name": "made"}, made.Labels); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
	})
	t.Run("several writers of one object", func(t *testing.T) {
		t.Parallel()
		const writers = 12
		results := make(chan kube.Result, writers)
		for i := range writers {
			go func() {
				object := policy(t, "shared", "{policy: {requestTimeout: 5s}}")
				object.SetAnnotations(map[string]string{fmt.Sprintf("example.com/writer-%d", i): "here"})
				results <- kube.Apply(t.Context(), c, []*unstructured.Unstructured{object}, kube.ApplyOptions{FieldManager: fmt.Sprintf("writer-%d", i)})[0]
			}()
		}
		for range writers {
			if r := <-results; r.Err != nil {
				t.Error(r.Err)
			}
		}
		object, err := kube.Get(t.Context(), c, policyKey("shared"))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(object.GetAnnotations()); got != writers {
			t.Errorf("%d of %d writers left their annotation", got, writers)
		}
	})
	t.Run("what is stale", func(t *testing.T) {
		t.Parallel()
		owner := map[string]string{"owner": "stale-test"}
		var keep []*unstructured.Unstructured
		for _, name := range []string{"keep", "stale-b", "stale-a", "foreign"} {
			object := policy(t, name, "{policy: {requestTimeout: 5s}}")
			if name != "foreign" {
				object.SetLabels(owner)
			}
			if name == "keep" {
				keep = append(keep, object)
			}
			expectOutcomes(t, apply(t, plain, object), name+" created")
		}
		kinds := []schema.GroupVersionKind{{Group: "example.com", Version: "v1", Kind: "Widget"}, policyKey("").GVK}
		stale, err := kube.Stale(t.Context(), c, kinds, owner, keep)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]kube.ObjectKey{policyKey("stale-a"), policyKey("stale-b")}, stale); diff != "" {
			t.Errorf("stale (-want +got):\n%s", diff)
		}
		expectOutcomes(t, kube.DeleteAll(t.Context(), c, stale, kube.DeleteOptions{Owner: owner}), "stale-a deleted", "stale-b deleted")
		if stale, err := kube.Stale(t.Context(), c, kinds, owner, keep); err != nil || len(stale) != 0 {
			t.Error(stale, err)
		}
		if _, err := kube.Stale(t.Context(), c, kinds, nil, keep); err == nil {
			t.Error("without an owner, everything would be stale")
		}
	})
	t.Run("a status", func(t *testing.T) {
		t.Parallel()
		status := kube.ApplyOptions{Status: true}
		object := parse(t, "apiVersion: multicluster.solo.io/v1alpha1\nkind: KubernetesCluster\nmetadata: {name: east, namespace: apply}\nspec: {secretName: east}\nstatus: {namespace: gloo-mesh}")
		expectOutcomes(t, apply(t, plain, object), "east created")
		expectOutcomes(t, apply(t, status, object), "east configured")
		expectOutcomes(t, apply(t, plain, object), "east unchanged")
		expectOutcomes(t, apply(t, status, object), "east unchanged")
	})
}

// TestApplyToAClusterThatGoesAway shows that nothing is tried forever.
func TestApplyToAClusterThatGoesAway(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, "going")
	cluster.StopAPIServer()
	var objects []*unstructured.Unstructured
	for i := range 500 {
		objects = append(objects, policy(t, fmt.Sprintf("p%d", i), "{}"))
	}
	for i, r := range kube.Apply(t.Context(), connection(cluster.Admin()), objects, kube.ApplyOptions{}) {
		want := fmt.Sprintf("p%d failed: cannot apply TrafficPolicy p%d in apply on cluster going: connection refused (%s): check that the cluster runs and that the address is right", i, i, cluster.Server)
		if got := outcomes(r)[0]; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}
