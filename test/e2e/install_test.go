//go:build e2e && unix

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

func TestInstallation(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "installation")
	path := kubeconfigOf(t, map[string]*clustertest.Credentials{"installation": c.Admin()})
	run := func(code int, args ...string) result {
		t.Helper()
		got := meshctlWith(t, path, "", append(args, "--context", "installation")...)
		if got.code != code {
			t.Errorf("meshctl %s: exit code %d, want %d; it said:\n%s%s", strings.Join(args, " "), got.code, code, got.stdout, got.stderr)
		}
		return got
	}
	definitions := func() map[registration.DefinitionState]int {
		t.Helper()
		found, err := registration.Definitions(t.Context(), connection(c.Admin()))
		if err != nil {
			t.Fatal(err)
		}
		count := map[registration.DefinitionState]int{}
		for _, d := range found {
			count[d.State]++
		}
		return count
	}
	const all = 8

	run(0, "uninstall", "--yes")
	if got := run(0, "install", "--dry-run=server"); !strings.Contains(got.stdout, "(server dry run)") {
		t.Errorf("a dry run does not say so:\n%s", got.stdout)
	}
	if got := definitions(); got[registration.DefinitionMissing] != all {
		t.Errorf("a dry run wrote: %v", got)
	}
	viewer, err := c.AddReadOnlyUser(t.Context(), "viewer")
	if err != nil {
		t.Fatal(err)
	}
	if got := meshctlWith(t, kubeconfigOf(t, map[string]*clustertest.Credentials{"installation": viewer}), "", "install", "--context", "installation"); got.code != 1 ||
		!strings.Contains(got.stderr, "not allowed to create customresourcedefinitions.apiextensions.k8s.io") {
		t.Errorf("installing without permission: %d\n%s", got.code, got.stderr)
	}

	run(0, "install")
	if got := definitions(); got[registration.DefinitionCurrent] != all {
		t.Errorf("after install: %v", got)
	}
	if got := run(0, "install"); strings.Contains(got.stdout, "created") || strings.Contains(got.stdout, "configured") {
		t.Errorf("installing again changes something:\n%s", got.stdout)
	}
	t.Run("policy namespaces", func(t *testing.T) { policyNamespaces(t, c, run) })
	t.Run("standard roles have ours", func(t *testing.T) {
		if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
			missing, err := kube.Missing(ctx, connection(viewer), []kube.Permission{
				{Verb: "list", Group: "networking.mesh.gloo.solo.io", Resource: "virtualmeshes"},
				{Verb: "list", Group: "multicluster.solo.io", Resource: "kubernetesclusters"},
			})
			if err == nil && len(missing) > 0 {
				err = fmt.Errorf("missing: %v", missing)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		denied := []kube.Permission{{Verb: "create", Group: "networking.mesh.gloo.solo.io", Resource: "virtualmeshes"}, {Verb: "list", Resource: "secrets"}}
		if missing, err := kube.Missing(t.Context(), connection(viewer), denied); err != nil || len(missing) != len(denied) {
			t.Errorf("who may view may write: %v, %v", missing, err)
		}
	})

	mesh := parse(t, "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: VirtualMesh\nmetadata: {name: prod, namespace: gloo-mesh}\nspec: {meshes: [{name: a, namespace: gloo-mesh}]}")
	if got := kube.Apply(t.Context(), connection(c.Admin()), []*unstructured.Unstructured{mesh}, kube.ApplyOptions{})[0]; got.Err != nil {
		t.Fatal(got.Err)
	}
	got := run(1, "uninstall", "--yes")
	if !strings.Contains(got.stderr, "cluster installation still has resources of meshctl: 1 VirtualMesh") {
		t.Errorf("uninstalling with resources says:\n%s", got.stderr)
	}
	if got := definitions(); got[registration.DefinitionCurrent] != all {
		t.Errorf("after a refused uninstall: %v", got)
	}
	// What someone else put into the namespace keeps it.
	key := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "root-ca", Namespace: "gloo-mesh"}}
	if _, err := admin(t, c).CoreV1().Secrets("gloo-mesh").Create(t.Context(), key, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got = run(0, "uninstall", "--yes", "--delete-resources")
	if !strings.Contains(got.stderr, "kept: Namespace gloo-mesh: not empty") {
		t.Errorf("uninstall says:\n%s", got.stderr)
	}
	if got := definitions(); got[registration.DefinitionMissing] != all {
		t.Errorf("after uninstall: %v", got)
	}

	t.Run("a Lease of meshctl", func(t *testing.T) {
		if err := admin(t, c).CoreV1().Secrets("gloo-mesh").Delete(t.Context(), "root-ca", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		run(0, "install")
		lease := kube.LeaseOptions{Namespace: "gloo-mesh", Name: prodLease, Identity: "anna", Action: "hold a Lease"}
		if err := kube.Hold(t.Context(), connection(c.Admin()), lease, time.Now, func(context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := admin(t, c).CoordinationV1().Leases("gloo-mesh").Get(t.Context(), prodLease, metav1.GetOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := run(0, "uninstall", "--yes"); strings.Contains(got.stderr, "kept") {
			t.Errorf("uninstall says:\n%s", got.stderr)
		}
	})

	t.Run("a namespace of others", func(t *testing.T) {
		put(t, c, parse(t, "{apiVersion: v1, kind: Namespace, metadata: {name: theirs, labels: {team: a}, annotations: {owner: b}}}"))
		metadata := func() any {
			t.Helper()
			namespace, err := admin(t, c).CoreV1().Namespaces().Get(t.Context(), "theirs", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return []map[string]string{namespace.Labels, namespace.Annotations}
		}
		before := metadata()
		run(0, "install", "-n", "theirs", "--policy-namespaces", "team-a")
		if cmp.Equal(before, metadata()) {
			t.Error("install lists nothing")
		}
		got := run(0, "uninstall", "-n", "theirs", "--yes")
		if !strings.Contains(got.stdout, "namespace/theirs configured") || !strings.Contains(got.stderr, "kept: Namespace theirs: not created by meshctl") {
			t.Errorf("uninstall says:\n%s%s", got.stdout, got.stderr)
		}
		if diff := cmp.Diff(before, metadata()); diff != "" {
			t.Errorf("what is left of meshctl (-before +after):\n%s", diff)
		}
	})

	t.Run("definitions of others", func(t *testing.T) {
		installCRDs(t, c)
		got := run(0, "install")
		if strings.Count(got.stderr, "was installed by another tool and is kept") != all {
			t.Errorf("install says:\n%s", got.stderr)
		}
		if got := definitions(); got[registration.DefinitionForeign] != all {
			t.Errorf("install changed the definitions of others: %v", got)
		}
		run(0, "uninstall", "--yes", "--delete-resources")
		if got := definitions(); got[registration.DefinitionForeign] != all {
			t.Errorf("uninstall changed the definitions of others: %v", got)
		}
		run(0, "install", "--force-conflicts")
		if got := definitions(); got[registration.DefinitionCurrent] != all {
			t.Errorf("after taking over: %v", got)
		}
	})
}

// policyNamespaces lists namespaces from which policies take effect, and takes them
// back (D72).
func policyNamespaces(t *testing.T, c *clustertest.Cluster, run func(code int, args ...string) result) {
	t.Helper()
	listed := func() []string {
		t.Helper()
		namespace, err := kube.Get(t.Context(), connection(c.Admin()), kube.ObjectKey{GVK: kube.NamespaceKind(), Name: "gloo-mesh"})
		if err != nil || !kube.IsOwned(namespace, kube.OwnLabels()) {
			t.Fatalf("namespace: %v, %v", namespace, err)
		}
		names, err := kube.ReadPolicyNamespaces(t.Context(), connection(c.Admin()), "gloo-mesh")
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	written := []*unstructured.Unstructured{
		parse(t, "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: far, namespace: team-a}, spec: {policy: {requestTimeout: 3s}}}"),
		parse(t, "{apiVersion: discovery.mesh.gloo.solo.io/v1, kind: Mesh, metadata: {name: fake, namespace: team-a}, "+
			"spec: {istio: {trustDomain: fake, installation: {cluster: fake, namespace: istio-system, version: 1.31.0}}}}"),
	}
	put(t, c, append(written, parse(t, "{apiVersion: v1, kind: Namespace, metadata: {name: team-a}}"))...)
	shown := func() string { return run(0, "describe", "trafficpolicy", "-o", "yaml").stdout }
	const no = "namespace team-a is neither gloo-mesh nor one of its"
	if got := shown(); !strings.Contains(got, "state: INVALID") || !strings.Contains(got, no) {
		t.Errorf("a policy of another namespace:\n%s", got)
	}
	if got := run(0, "describe", "mesh", "-o", "name"); strings.Contains(got.stdout, "fake") || !strings.Contains(got.stderr, "Mesh/fake.team-a: ignored") {
		t.Errorf("a mesh of another namespace:\n%s%s", got.stdout, got.stderr)
	}
	run(2, "install", "--policy-namespaces", "Team A")
	run(0, "install", "--policy-namespaces", "team-b,team-a", "--dry-run=server")
	if got := listed(); len(got) > 0 {
		t.Errorf("a dry run lists %v", got)
	}
	for _, step := range []struct {
		args []string
		want []string
	}{
		{[]string{"--policy-namespaces", "team-b,team-a"}, []string{"team-a", "team-b"}},
		{nil, []string{"team-a", "team-b"}},
		{[]string{"--policy-namespaces", "team-a"}, []string{"team-a"}},
	} {
		run(0, append([]string{"install"}, step.args...)...)
		if diff := cmp.Diff(step.want, listed()); diff != "" {
			t.Errorf("install %q lists (-want +got):\n%s", step.args, diff)
		}
	}
	if got := shown(); strings.Contains(got, "state: INVALID") || strings.Contains(got, no) {
		t.Errorf("a policy of a listed namespace:\n%s", got)
	}
	run(0, "install", "--policy-namespaces", "")
	if got := listed(); len(got) > 0 {
		t.Errorf("nothing is asked for, and %v listed", got)
	}
	for _, object := range written {
		if result := kube.Delete(t.Context(), connection(c.Admin()), kube.KeyOf(object), kube.DeleteOptions{}); result.Err != nil {
			t.Error(result.Err)
		}
	}
}
