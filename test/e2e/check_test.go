//go:build e2e && unix

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/check"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// checked runs the checks, which must end with the code, and returns what is
// neither ok nor skipped as "RESULT ID CLUSTER".
func checked(t *testing.T, r *registry, code int, args ...string) []string {
	t.Helper()
	got := r.run(t, code, append([]string{"check", "-o", "json"}, args...)...)
	return problemsIn(t, got)
}

func problemsIn(t *testing.T, got result) []string {
	t.Helper()
	var report check.Report
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v in:\n%s%s", err, got.stdout, got.stderr)
	}
	var problems []string
	for _, c := range report.Categories {
		for _, l := range c.Checks {
			if l.Problem() {
				problems = append(problems, strings.TrimSpace(string(l.Result)+" "+l.ID+" "+l.Cluster))
			}
		}
	}
	return slices.Compact(problems)
}

func expectProblemsIn(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "check")

	expectProblemsIn(t, checked(t, r, 3), "failed management-definitions")
	r.run(t, 0, "install")
	expectProblemsIn(t, checked(t, r, 0))
	for _, name := range []string{"east", "west"} {
		r.run(t, 0, "cluster", "register", name, "--remote-context", name)
	}
	expectProblemsIn(t, checked(t, r, 0))
	expectProblemsIn(t, checked(t, r, 0, "--wait"))

	t.Run("nothing installed", func(t *testing.T) {
		expectProblemsIn(t, checked(t, r, 0, "--clusters", "east,west"))
		expectProblemsIn(t, checked(t, r, 3, "--clusters", "east,again=east"), "failed cluster-unique again")
	})
	t.Run("read-only user", func(t *testing.T) {
		reader, err := r.management.AddReadOnlyUser(t.Context(), "reader", ourGroups()...)
		if err != nil {
			t.Fatal(err)
		}
		path := kubeconfigOf(t, map[string]*clustertest.Credentials{"management": reader})
		got := meshctlWith(t, path, "", "check", "-o", "json", "--context", "management")
		if got.code != 3 {
			t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
		expectProblemsIn(t, problemsIn(t, got),
			"warning management-write", "failed cluster-registration east", "failed cluster-registration west")
	})
	t.Run("nobody", func(t *testing.T) {
		path := kubeconfigOf(t, map[string]*clustertest.Credentials{"management": addUser(t, r.management, "nobody")})
		got := meshctlWith(t, path, "", "check", "clusters", "-o", "json", "--context", "management")
		if got.code != 3 {
			t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
		expectProblemsIn(t, problemsIn(t, got), "failed management-read")
	})
	t.Run("two names and broken Secrets", func(t *testing.T) {
		admin := connection(r.management.Admin())
		const meta = "metadata: {namespace: gloo-mesh, name: "
		add := func(name, kubeconfig string) []*unstructured.Unstructured {
			return []*unstructured.Unstructured{
				parse(t, "apiVersion: multicluster.solo.io/v1alpha1\nkind: KubernetesCluster\n"+meta+name+"}\nspec: {secretName: "+name+"}"),
				parse(t, "apiVersion: v1\nkind: Secret\n"+meta+name+"}\ntype: "+kube.KubeconfigSecretType+"\ndata: {kubeconfig: "+
					base64.StdEncoding.EncodeToString([]byte(kubeconfig))+"}"),
			}
		}
		east := r.kubeconfigIn(t, "east")
		objects := slices.Concat(add("again", east), add("broken", "token: [secret"), add("refused", withToken(east)))
		for _, applied := range kube.Apply(t.Context(), admin, objects, kube.ApplyOptions{}) {
			if applied.Err != nil {
				t.Fatal(applied.Err)
			}
		}
		expectProblemsIn(t, checked(t, r, 3), "failed cluster-registration broken", "failed cluster-token refused", "failed cluster-unique again")
		for _, object := range objects {
			key := kube.ObjectKey{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName()}
			if deleted := kube.Delete(t.Context(), admin, key, kube.DeleteOptions{}); deleted.Err != nil {
				t.Fatal(deleted.Err)
			}
		}
	})
	t.Run("an older version of a definition", func(t *testing.T) {
		admin := connection(r.management.Admin())
		all, err := registration.InstallObjects("gloo-mesh", nil)
		if err != nil {
			t.Fatal(err)
		}
		const name = "settings.settings.mesh.gloo.solo.io"
		i := slices.IndexFunc(all, func(u *unstructured.Unstructured) bool { return u.GetName() == name })
		older := all[i].DeepCopy()
		versions, _, _ := unstructured.NestedSlice(older.Object, "spec", "versions")
		versions[0].(map[string]any)["name"] = "v1alpha2"
		if err := unstructured.SetNestedSlice(older.Object, versions, "spec", "versions"); err != nil {
			t.Fatal(err)
		}
		key := kube.ObjectKey{GVK: older.GroupVersionKind(), Name: name}
		replace := func(definition *unstructured.Unstructured) {
			if deleted := kube.Delete(t.Context(), admin, key, kube.DeleteOptions{}); deleted.Err != nil {
				t.Fatal(deleted.Err)
			}
			err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
				if applied := kube.Apply(ctx, admin, []*unstructured.Unstructured{definition}, kube.ApplyOptions{})[0]; applied.Err != nil {
					return applied.Err
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		replace(older)
		got := checked(t, r, 3, "management")
		expectProblemsIn(t, got, "failed management-definitions")
		replace(all[i])
		// The API server takes a moment to serve it again.
		expectProblemsIn(t, checked(t, r, 0, "management", "--wait"))
	})
	t.Run("a dead cluster", func(t *testing.T) {
		r.west.StopAPIServer()
		expectProblemsIn(t, checked(t, r, 3), "failed cluster-reachable west")
		got := r.run(t, 4, "check", "clusters", "--wait", "--timeout", "3s", "-o", "short")
		r.expect(t, got.stderr, "checks still failing after 3s: cluster-reachable (west)")
		r.expect(t, got.stdout, "FAIL west: the API server is reachable")
	})
	t.Run("a dead management cluster", func(t *testing.T) {
		r.management.StopAPIServer()
		expectProblemsIn(t, checked(t, r, 3, "configuration"), "failed management-reachable management")
	})
}

// withToken returns a kubeconfig with a token that nobody issued.
func withToken(kubeconfig string) string {
	lines := strings.Split(kubeconfig, "\n")
	for i, line := range lines {
		if before, _, found := strings.Cut(line, "token: "); found {
			lines[i] = before + "token: nobody-issued-this"
		}
	}
	return strings.Join(lines, "\n")
}
