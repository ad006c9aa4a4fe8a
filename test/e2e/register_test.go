//go:build e2e && unix

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// registry is three clusters that a test registers and deregisters.
type registry struct {
	management, east, west *clustertest.Cluster
	// kubeconfig has the contexts management (current), east and west.
	kubeconfig string
}

func newRegistry(t *testing.T, name string) *registry {
	t.Helper()
	r := &registry{management: newCluster(t, name+"-management"), east: newCluster(t, name+"-east"), west: newCluster(t, name+"-west")}
	r.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clustertest.WriteKubeconfig(r.kubeconfig, "management", r.contexts()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *registry) contexts() map[string]*clustertest.Credentials {
	return map[string]*clustertest.Credentials{"management": r.management.Admin(), "east": r.east.Admin(), "west": r.west.Admin()}
}

// run runs meshctl, which must end with the code and show no credentials.
func (r *registry) run(t *testing.T, code int, args ...string) result {
	t.Helper()
	got := meshctlWith(t, r.kubeconfig, "", args...)
	if got.code != code {
		t.Errorf("meshctl %s: exit code %d, want %d; it said:\n%s%s", strings.Join(args, " "), got.code, code, got.stdout, got.stderr)
	}
	for _, secret := range []string{"eyJ", "PRIVATE KEY", "BEGIN CERTIFICATE"} {
		if strings.Contains(got.stdout+got.stderr, secret) {
			t.Errorf("meshctl %s shows credentials (%s)", strings.Join(args, " "), secret)
		}
	}
	return got
}

func (r *registry) expect(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

func admin(t *testing.T, c *clustertest.Cluster) kubernetes.Interface {
	t.Helper()
	return clientset(t, c.Admin().Config())
}

// memberObjects lists what registration makes on a cluster, as it is there.
func memberObjects(t *testing.T, c *clustertest.Cluster) []string {
	t.Helper()
	client := admin(t, c)
	ctx := t.Context()
	found := []string{}
	namespace, err := client.CoreV1().Namespaces().Get(ctx, "gloo-mesh", metav1.GetOptions{})
	if err == nil && namespace.DeletionTimestamp == nil {
		found = append(found, "Namespace gloo-mesh")
	}
	accounts, err := client.CoreV1().ServiceAccounts("gloo-mesh").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts.Items {
		if a.Name != "default" {
			found = append(found, "ServiceAccount "+a.Name)
		}
	}
	secrets, err := client.CoreV1().Secrets("gloo-mesh").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets.Items {
		found = append(found, fmt.Sprintf("Secret %s %s", s.Name, s.Type))
	}
	roles, err := client.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles.Items {
		if strings.HasPrefix(r.Name, "meshctl-") {
			found = append(found, "ClusterRole "+r.Name)
		}
	}
	bindings, err := client.RbacV1().ClusterRoleBindings().List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bindings.Items {
		if strings.HasPrefix(b.Name, "meshctl-") {
			found = append(found, "ClusterRoleBinding "+b.Name)
		}
	}
	return found
}

func expectMember(t *testing.T, c *clustertest.Cluster, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), memberObjects(t, c)); diff != "" {
		t.Errorf("objects on %s (-want +got):\n%s", c.Name, diff)
	}
}

// eventuallyMember waits until these objects are on the cluster.
func eventuallyMember(t *testing.T, c *clustertest.Cluster, want ...string) {
	t.Helper()
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		if diff := cmp.Diff(append([]string{}, want...), memberObjects(t, c)); diff != "" {
			return fmt.Errorf("(-want +got):\n%s", diff)
		}
		return nil
	}); err != nil {
		t.Errorf("objects on %s: %v", c.Name, err)
	}
}

// registered returns what registration makes on a cluster, with its n-th token.
func registered(name, secret string) []string {
	return []string{
		"Namespace gloo-mesh", "ServiceAccount " + name, "Secret " + secret + " kubernetes.io/service-account-token",
		"ClusterRole meshctl-" + name, "ClusterRoleBinding meshctl-" + name,
	}
}

// kubeconfigIn returns the kubeconfig that the management cluster keeps.
func (r *registry) kubeconfigIn(t *testing.T, name string) string {
	t.Helper()
	secret, err := admin(t, r.management).CoreV1().Secrets("gloo-mesh").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if secret.Type != "solo.io/kubeconfig" {
		t.Errorf("the type of the Secret is %s", secret.Type)
	}
	return string(secret.Data["kubeconfig"])
}

// as returns a connection with the registered credentials.
func (r *registry) as(t *testing.T, name string) *kube.Connection {
	t.Helper()
	c, err := kube.FromKubeconfig(name, []byte(r.kubeconfigIn(t, name)), kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "registration")

	t.Run("needs the definitions", func(t *testing.T) {
		got := r.run(t, 1, "cluster", "register", "east", "--remote-context", "east")
		r.expect(t, got.stderr, "run 'meshctl install --context management'")
		expectMember(t, r.east)
	})
	r.run(t, 0, "install")

	t.Run("a dry run writes nothing", func(t *testing.T) {
		got := r.run(t, 0, "cluster", "register", "east", "--remote-context", "east", "--dry-run", "-o", "yaml")
		r.expect(t, got.stdout, "kind: ClusterRoleBinding", "kind: KubernetesCluster", "token of Secret east-token in gloo-mesh on the cluster")
		dir := filepath.Join(t.TempDir(), "east")
		got = r.run(t, 0, "cluster", "register", "east", "--remote-context", "east", "--dry-run=server", "--output-dir", dir, "-o", "name")
		if want := filepath.Join(dir, "management.yaml") + "\n" + filepath.Join(dir, "remote.yaml") + "\n"; got.stdout != want {
			t.Errorf("it prints %q, want %q", got.stdout, want)
		}
		for _, file := range []string{"remote.yaml", "management.yaml"} {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			for _, document := range strings.Split(string(text), "\n---\n") {
				var object map[string]any
				if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil || object["apiVersion"] == nil {
					t.Errorf("%s: %v in %s", file, err, document)
				}
			}
		}
		expectMember(t, r.east)
	})

	t.Run("registers", func(t *testing.T) {
		got := r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
		r.expect(t, got.stderr, "warning: 127.0.0.1 is a loopback address", "Registered cluster east (Kubernetes v1.36.3")
		expectMember(t, r.east, registered("east", "east-token")...)
		text := r.kubeconfigIn(t, "east")
		for _, part := range []string{"client-certificate", "client-key", "exec", "insecure"} {
			if strings.Contains(text, part) {
				t.Errorf("the stored kubeconfig has %s", part)
			}
		}
		r.expect(t, text, "certificate-authority-data", "current-context: east")
		namespace, err := admin(t, r.east).CoreV1().Namespaces().Get(t.Context(), "gloo-mesh", metav1.GetOptions{})
		if err != nil || namespace.Labels["istio-injection"] != "disabled" {
			t.Errorf("labels of the new namespace: %v, %v", namespace.Labels, err)
		}
	})
	t.Run("may be repeated", func(t *testing.T) {
		before := r.kubeconfigIn(t, "east")
		got := r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
		if strings.Contains(got.stdout, "created") || strings.Contains(got.stdout, "configured") {
			t.Errorf("repeating changes something:\n%s", got.stdout)
		}
		if r.kubeconfigIn(t, "east") != before {
			t.Error("the kubeconfig changed")
		}
	})
	t.Run("may do what meshctl does and no more", r.testPermissions)
	t.Run("one cluster has one name", func(t *testing.T) {
		got := r.run(t, 1, "cluster", "register", "orient", "--remote-context", "east")
		r.expect(t, got.stderr, "the same cluster is registered as east")
		got = r.run(t, 1, "cluster", "register", "east", "--remote-context", "west")
		r.expect(t, got.stderr, "the name is taken by another cluster")
		expectMember(t, r.west)
	})
	t.Run("keeps what is there", r.testExistingNamespace)
	t.Run("lists", func(t *testing.T) {
		got := r.run(t, 0, "cluster", "list")
		r.expect(t, got.stdout, "NAME   STATUS   VERSION   MESHES   TOKEN-EXPIRES   AGE\neast   Ready    v1.36.3   <none>   never ")
		got = r.run(t, 0, "cluster", "list", "-o", "name")
		if want := "kubernetescluster.multicluster.solo.io/east\nkubernetescluster.multicluster.solo.io/west\n"; got.stdout != want {
			t.Errorf("stdout %q, want %q", got.stdout, want)
		}
		got = r.run(t, 1, "cluster", "list", "esat")
		r.expect(t, got.stderr, "did you mean east?")
	})
	t.Run("rotates tokens", r.testRotation)
	t.Run("deregisters", r.testDeregistration)
	t.Run("with two management clusters", r.testTwoManagements)
}

func (r *registry) testPermissions(t *testing.T) {
	c := r.as(t, "east")
	ctx := t.Context()
	allowed := []kube.Permission{
		{Verb: "list", Resource: "pods"},
		{Verb: "list", Resource: "nodes"},
		{Verb: "list", Group: "discovery.k8s.io", Resource: "endpointslices"},
		{Verb: "patch", Group: "apps", Resource: "deployments", Namespace: "bookinfo"},
		{Verb: "delete", Group: "networking.istio.io", Resource: "virtualservices", Namespace: "bookinfo"},
		{Verb: "create", Group: "security.istio.io", Resource: "authorizationpolicies", Namespace: "bookinfo"},
		{Verb: "get", Resource: "secrets", Namespace: "istio-system", Name: "cacerts"},
		{Verb: "delete", Group: rbacv1.GroupName, Resource: "clusterroles", Name: "meshctl-east"},
	}
	missing, err := kube.Missing(ctx, c, allowed)
	if err != nil || len(missing) > 0 {
		t.Errorf("the token lacks %v: %v", missing, err)
	}
	denied := []kube.Permission{
		{Verb: "get", Resource: "secrets", Namespace: "gloo-mesh", Name: "east-token"},
		{Verb: "list", Resource: "secrets", Namespace: "istio-system"},
		{Verb: "delete", Resource: "secrets", Namespace: "istio-system", Name: "cacerts"},
		{Verb: "create", Resource: "serviceaccounts", Subresource: "token", Namespace: "gloo-mesh", Name: "east"},
		{Verb: "create", Resource: "pods", Namespace: "bookinfo"},
		{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: "bookinfo"},
		{Verb: "delete", Resource: "namespaces", Name: "gloo-mesh"},
		{Verb: "create", Group: "apps", Resource: "deployments", Namespace: "bookinfo"},
		{Verb: "delete", Group: "apps", Resource: "deployments", Namespace: "bookinfo"},
		{Verb: "patch", Group: rbacv1.GroupName, Resource: "clusterroles", Name: "meshctl-east"},
		{Verb: "delete", Group: rbacv1.GroupName, Resource: "clusterroles", Name: "view"},
		{Verb: "create", Group: rbacv1.GroupName, Resource: "clusterrolebindings"},
		{Verb: "escalate", Group: rbacv1.GroupName, Resource: "clusterroles"},
		{Verb: "impersonate", Resource: "users"},
		{Verb: "create", Group: "networking.istio.io", Resource: "envoyfilters", Namespace: "bookinfo"},
	}
	missing, err = kube.Missing(ctx, c, denied)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(denied, missing); diff != "" {
		t.Errorf("the token may do what it must not (-denied +really denied):\n%s", diff)
	}

	// Even creating is confined to the one name.
	namespace(t, admin(t, r.east), "istio-system")
	for name, want := range map[string]kube.Outcome{"cacerts": kube.Created, "cacert": kube.Failed} {
		secret := parse(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: "+name+", namespace: istio-system}\nstringData: {a: b}")
		target, err := c.Dynamic()
		if err != nil {
			t.Fatal(err)
		}
		outcome := kube.Created
		_, err = target.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace("istio-system").
			Apply(ctx, name, secret, metav1.ApplyOptions{FieldManager: "meshctl"})
		if apierrors.IsForbidden(err) {
			outcome = kube.Failed
		}
		if outcome != want {
			t.Errorf("applying Secret %s: %s (%v), want %s", name, outcome, err, want)
		}
	}
}

// testExistingNamespace registers west, on which there is a namespace with
// labels, and things of others.
func (r *registry) testExistingNamespace(t *testing.T) {
	client := admin(t, r.west)
	ctx := t.Context()
	labels := map[string]string{"team": "mesh", "pod-security.kubernetes.io/enforce": "baseline"}
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "gloo-mesh", Labels: labels}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	// A user without permissions is told which ones are needed.
	nobody := addUser(t, r.west, "nobody")
	contexts := r.contexts()
	contexts["nobody"] = nobody
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clustertest.WriteKubeconfig(path, "management", contexts); err != nil {
		t.Fatal(err)
	}
	got := meshctlWith(t, path, "", "cluster", "register", "west", "--remote-context", "nobody")
	r.expect(t, got.stderr, "forbidden")
	// One who may do all but hand out permissions is told so, too.
	half := addUser(t, r.west, "half",
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"namespaces", "serviceaccounts", "secrets"}, Verbs: []string{"*"}},
		rbacv1.PolicyRule{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles", "clusterrolebindings"}, Verbs: []string{"get", "create", "patch", "update", "list"}})
	contexts["half"] = half
	if err := clustertest.WriteKubeconfig(path, "management", contexts); err != nil {
		t.Fatal(err)
	}
	got = meshctlWith(t, path, "", "cluster", "register", "west", "--remote-context", "half")
	r.expect(t, got.stderr, "attempting to grant RBAC permissions")
	expectMember(t, r.west, "Namespace gloo-mesh")

	// What someone else made under one of the names stays as it is, and nothing
	// of a failed registration stays.
	foreign := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "west", Namespace: "gloo-mesh", Labels: map[string]string{"owner": "someone"}}}
	if _, err := client.CoreV1().ServiceAccounts("gloo-mesh").Create(ctx, foreign, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got = r.run(t, 1, "cluster", "register", "west", "--remote-context", "west")
	r.expect(t, got.stderr, "exists with another owner: it has no label app.kubernetes.io/managed-by=meshctl", "remove created objects ... done")
	expectMember(t, r.west, "Namespace gloo-mesh", "ServiceAccount west")
	if err := client.CoreV1().ServiceAccounts("gloo-mesh").Delete(ctx, "west", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}

	got = r.run(t, 0, "cluster", "register", "west", "--remote-context", "west", "--access", "read", "--token-ttl", "1h")
	if !strings.Contains(got.stdout, "namespace/gloo-mesh unchanged on west") {
		t.Errorf("the namespace was touched:\n%s", got.stdout)
	}
	namespace, err := client.CoreV1().Namespaces().Get(ctx, "gloo-mesh", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	delete(namespace.Labels, "kubernetes.io/metadata.name")
	if diff := cmp.Diff(labels, namespace.Labels); diff != "" {
		t.Errorf("labels of the namespace (-want +got):\n%s", diff)
	}
	want := []string{"Namespace gloo-mesh", "ServiceAccount west", "ClusterRole meshctl-west", "ClusterRoleBinding meshctl-west"}
	expectMember(t, r.west, want...)
	// Repeating it without flags neither widens the role nor the life of the token.
	got = r.run(t, 0, "cluster", "register", "west", "--remote-context", "west")
	r.expect(t, got.stdout, "clusterrole.rbac.authorization.k8s.io/meshctl-west unchanged")
	expectMember(t, r.west, want...)
	missing, err := kube.Missing(ctx, r.as(t, "west"), []kube.Permission{{Verb: "create", Group: "networking.istio.io", Resource: "virtualservices"}})
	if err != nil || len(missing) != 1 {
		t.Errorf("a token for reading may write: %v", err)
	}
}

func (r *registry) testRotation(t *testing.T) {
	old := r.as(t, "east")
	r.run(t, 0, "cluster", "rotate-token", "east", "--remote-context", "east")
	expectMember(t, r.east, registered("east", "east-token-2")...)
	if _, err := r.as(t, "east").UID(t.Context()); err != nil {
		t.Errorf("the new token: %v", err)
	}
	if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
		if _, err := old.UID(ctx); err == nil {
			return fmt.Errorf("the old token still works")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	got := r.run(t, 1, "cluster", "rotate-token", "east", "--remote-context", "west")
	r.expect(t, got.stderr, "cannot use context west: it is a different cluster than east")
	got = r.run(t, 0, "cluster", "rotate-token", "west", "--remote-context", "west")
	r.expect(t, got.stderr, "the token expires at", "the old token cannot be revoked")
	got = r.run(t, 1, "cluster", "rotate-token", "north", "--remote-context", "west")
	r.expect(t, got.stderr, "it is not registered in namespace gloo-mesh")
	// Repeating a registration keeps the newest token.
	r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
	expectMember(t, r.east, registered("east", "east-token-2")...)
}

func (r *registry) testDeregistration(t *testing.T) {
	// With its own token, everything but the namespace goes.
	got := r.run(t, 0, "cluster", "deregister", "east", "--yes")
	r.expect(t, got.stderr, "Deleted on management: the registration and 0 discovered objects",
		"Namespace gloo-mesh on cluster east: delete it if nothing else is in it", "Deregistered cluster east.")
	if strings.Contains(got.stderr, "kubectl") {
		t.Errorf("it suggests a command for a cluster whose context is not known:\n%s", got.stderr)
	}
	eventuallyMember(t, r.east, "Namespace gloo-mesh")
	got = r.run(t, 1, "cluster", "deregister", "east", "--yes")
	r.expect(t, got.stderr, "it is not registered", "registered clusters: west")
	// With other credentials, a namespace that was there before stays.
	r.run(t, 1, "cluster", "deregister", "west", "--yes", "--remote-context", "east")
	r.run(t, 0, "cluster", "deregister", "west", "--yes", "--remote-context", "west")
	eventuallyMember(t, r.west, "Namespace gloo-mesh")
	// A namespace of an earlier registration is used again, and goes with it.
	r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
	r.run(t, 0, "cluster", "deregister", "east", "--yes", "--remote-context", "east")
	eventuallyMember(t, r.east)
	secrets, err := admin(t, r.management).CoreV1().Secrets("gloo-mesh").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(secrets.Items) > 0 {
		t.Errorf("Secrets are left on the management cluster: %v, %v", secrets.Items, err)
	}
}

// testTwoManagements registers east with another management cluster, west, too.
func (r *registry) testTwoManagements(t *testing.T) {
	west := func(code int, args ...string) result {
		t.Helper()
		return r.run(t, code, append(args, "--context", "west")...)
	}
	west(0, "install")
	r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
	got := west(1, "cluster", "register", "east", "--remote-context", "east")
	r.expect(t, got.stderr, "it is registered under this name with another management cluster", "--adopt")
	if strings.Count(got.stderr, "error:") != 1 {
		t.Errorf("it says so more than once:\n%s", got.stderr)
	}
	west(0, "cluster", "register", "east", "--remote-context", "east", "--adopt")
	// The first one has nothing to remove any more.
	got = r.run(t, 0, "cluster", "deregister", "east", "--yes")
	r.expect(t, got.stderr, "the cluster is now registered with another management cluster, which keeps its objects")
	if strings.Contains(got.stderr, "Left behind") {
		t.Errorf("it offers to remove what belongs to another management cluster:\n%s", got.stderr)
	}
	got = west(0, "cluster", "list")
	r.expect(t, got.stdout, "east   Ready")
	west(0, "cluster", "deregister", "east", "--yes", "--remote-context", "east")
	eventuallyMember(t, r.east, "Namespace gloo-mesh")
}
