//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// watcher is a running `meshctl apply --watch`.
type watcher struct {
	cmd  *exec.Cmd
	said *transcript
}

// transcript is what a running process has said so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// watch starts a process that keeps applying, with the kubeconfig file.
func watch(t *testing.T, kubeconfig string) *watcher {
	t.Helper()
	w := &watcher{said: &transcript{}}
	w.cmd = exec.CommandContext(t.Context(), shared.binary, "apply", "--watch", "--resync=10s", "--health-address=127.0.0.1:0")
	w.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + kubeconfig}
	w.cmd.Stderr = w.said
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("process %d said:\n%s", w.cmd.Process.Pid, w.said)
		}
	})
	return w
}

// hears waits until the process has said the text as often as that.
func (w *watcher) hears(t *testing.T, text string, times int) {
	t.Helper()
	if err := clustertest.Eventually(t.Context(), 2*patience, func(context.Context) error {
		if count := strings.Count(w.said.String(), text); count < times {
			return fmt.Errorf("it said %q %d times, not %d", text, count, times)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// probe asks whether the process says that it is well.
func (w *watcher) probe(t *testing.T) {
	t.Helper()
	w.hears(t, "serving probes at http://", 1)
	address := regexp.MustCompile(`http://[0-9.:]+`).FindString(w.said.String())
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusOK, "/metrics": http.StatusOK, "/debug/pprof": http.StatusNotFound} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s answers %s", path, response.Status)
		}
	}
}

// ends sends a signal, after which the process must end with success.
func (w *watcher) ends(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := w.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("%s is no success: %v", signal, err)
	}
}

// controllerToken installs meshctl with a controller and returns a kubeconfig
// file with a token of its service account, and who that is.
func (g *governed) controllerToken(t *testing.T) (string, *clustertest.Credentials) {
	t.Helper()
	g.run(t, 0, "install", "--with-controller", "--controller-image", "example.com/meshctl:1", "--controller-replicas", "0")
	user, err := g.registry.management.ServiceAccount(t.Context(), "gloo-mesh", registration.ControllerName)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clustertest.WriteKubeconfig(path, "management", map[string]*clustertest.Credentials{"management": user}); err != nil {
		t.Fatal(err)
	}
	return path, user
}

// rulesOf returns what a user may do to objects in a namespace, as one line for
// each kind and name.
func rulesOf(t *testing.T, user *clustertest.Credentials, namespace string) map[string]bool {
	t.Helper()
	review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	review, err := clientset(t, user.Config()).AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil || review.Status.Incomplete {
		t.Fatal(err, review.Status)
	}
	may := map[string]bool{}
	for _, rule := range review.Status.ResourceRules {
		addRule(may, rbacv1.PolicyRule{Verbs: rule.Verbs, APIGroups: rule.APIGroups, Resources: rule.Resources, ResourceNames: rule.ResourceNames})
	}
	return may
}

func addRule(may map[string]bool, rule rbacv1.PolicyRule) {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{"*"}
	}
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, name := range names {
				for _, verb := range rule.Verbs {
					may[verb+" "+resource+"."+group+"/"+name] = true
				}
			}
		}
	}
}

// testControllerRights compares what the service account of the controller may do
// with what one may that nothing was granted, and with what its manifest says.
func (g *governed) testControllerRights(t *testing.T) {
	_, user := g.controllerToken(t)
	want := map[string]map[string]bool{"": {}, "gloo-mesh": {}}
	for _, object := range registration.ControllerObjects(registration.ControllerOptions{Namespace: "gloo-mesh"}) {
		if kind := object.GetKind(); kind != "Role" && kind != "ClusterRole" {
			continue
		}
		var role rbacv1.ClusterRole
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			addRule(want[object.GetNamespace()], rule)
		}
	}
	for may := range want[""] {
		want["gloo-mesh"][may] = true
	}
	for _, namespace := range []string{"gloo-mesh", "default", "kube-system"} {
		plain, err := g.registry.management.ServiceAccount(t.Context(), namespace, "default")
		if err != nil {
			t.Fatal(err)
		}
		granted := rulesOf(t, user, namespace)
		for may := range rulesOf(t, plain, namespace) {
			delete(granted, may)
		}
		expected := want[""]
		if namespace == "gloo-mesh" {
			expected = want[namespace]
		}
		if diff := cmp.Diff(expected, granted); diff != "" {
			t.Errorf("what the controller may in %s (-manifest +granted):\n%s", namespace, diff)
		}
	}
	denied := []kube.Permission{
		{Verb: "list", Resource: "secrets", Namespace: "gloo-mesh"},
		{Verb: "get", Resource: "secrets", Namespace: "kube-system"},
		{Verb: "update", Group: "networking.mesh.gloo.solo.io", Resource: "virtualmeshes"},
		{Verb: "delete", Group: "discovery.mesh.gloo.solo.io", Resource: "meshes"},
		{Verb: "create", Resource: "pods", Namespace: "gloo-mesh"},
		{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Namespace: "gloo-mesh", Name: "other"},
		{Verb: "create", Resource: "serviceaccounts", Subresource: "token", Namespace: "gloo-mesh"},
	}
	missing, err := kube.Missing(t.Context(), connection(user), denied)
	if err != nil || len(missing) != len(denied) {
		t.Errorf("of what it may not do, it lacks only %v: %v", missing, err)
	}
}

// holder returns who holds the controller's Lease.
func (g *governed) holder(t *testing.T) string {
	t.Helper()
	lease, err := kube.Get(t.Context(), g.management, kube.ObjectKey{
		GVK: schema.GroupVersionKind{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"}, Namespace: "gloo-mesh", Name: registration.ControllerName,
	})
	if err != nil {
		return ""
	}
	identity, _, _ := unstructured.NestedString(lease.Object, "spec", "holderIdentity")
	return identity
}

// eventuallyRendered waits until a cluster has what is rendered for it, the given
// objects aside.
func (g *governed) eventuallyRendered(t *testing.T, c *clustertest.Cluster, aside ...string) {
	t.Helper()
	name := c.Name[strings.LastIndex(c.Name, "-")+1:]
	want := rendered(t, g, name)
	if err := clustertest.Eventually(t.Context(), 2*patience, func(context.Context) error {
		got := configured(t, c, false)
		for _, key := range aside {
			delete(want, key)
			delete(got, key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("%s (-rendered +written):\n%s", name, diff)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// testWatch runs processes that keep applying, with what the controller may do,
// and lets bad things happen to them and to the clusters.
func (g *governed) testWatch(t *testing.T) {
	kubeconfig, _ := g.controllerToken(t)
	const applies = "applying to the clusters registered in namespace gloo-mesh"
	shift := func(version string) { put(t, g.registry.management, trafficPolicy(t, version)) }
	first := watch(t, kubeconfig)
	first.hears(t, applies, 1)
	leader := g.holder(t)
	second := watch(t, kubeconfig)
	second.hears(t, leader+" holds the Lease; standing by", 1)
	for _, w := range []*watcher{first, second} {
		w.probe(t)
	}

	// A policy changes.
	shift("v2")
	g.eventuallyRendered(t, g.east)
	// So does what is in a cluster, which shows when everything is compared again.
	key := istioKey(istio.KindDestinationRule, "bookinfo", "reviews")
	if result := kube.Delete(t.Context(), connection(g.east.Admin()), key, kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	write(t, connection(g.west.Admin()), key, `{"spec": {"trafficPolicy": {"tls": {"mode": "DISABLE"}}}}`)
	g.eventuallyRendered(t, g.east)
	g.eventuallyRendered(t, g.west)
	if holder := g.holder(t); holder != leader {
		t.Errorf("the Lease went from %s to %s", leader, holder)
	}

	// The one that applies is asked to end.
	first.ends(t, syscall.SIGTERM)
	second.hears(t, applies, 1)
	shift("v3")
	g.eventuallyRendered(t, g.east)

	// It is killed, while a cluster is down.
	third := watch(t, kubeconfig)
	third.hears(t, " holds the Lease; standing by", 1)
	if err := second.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = second.cmd.Wait()
	g.west.StopAPIServer()
	shift("v1")
	// The proxies of that cluster may still send requests to the subset before.
	const kept = "DestinationRule/bookinfo/ratings"
	g.eventuallyRendered(t, g.east, kept)
	for _, subset := range []string{`"name":"version-v1"`, `"name":"version-v3"`} {
		if rule := configured(t, g.east, false)[kept]; !strings.Contains(rule, subset) {
			t.Errorf("%s is missing in %s", subset, rule)
		}
	}
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		if state, _, errs := g.status(t, "VirtualMesh", "bookinfo"); state != "FAILED" || !strings.Contains(strings.Join(errs, "\n"), "cluster west") {
			return fmt.Errorf("the VirtualMesh is %s: %q", state, errs)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := g.west.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.eventuallyRendered(t, g.west)

	// The management cluster is down until the Lease is lost.
	g.registry.management.StopAPIServer()
	third.hears(t, "lost the Lease; standing by", 1)
	third.probe(t)
	if err := g.registry.management.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	shift("v2")
	third.hears(t, applies, 2)
	g.eventuallyRendered(t, g.east)

	third.ends(t, os.Interrupt)
	if holder := g.holder(t); holder != "" {
		t.Errorf("%s did not give the Lease back", holder)
	}
	for _, w := range []*watcher{first, second, third} {
		for _, secret := range []string{"eyJ", "PRIVATE KEY"} {
			if strings.Contains(w.said.String(), secret) {
				t.Errorf("a process shows credentials (%s)", secret)
			}
		}
	}
}
