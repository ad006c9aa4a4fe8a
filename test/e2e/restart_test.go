//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// restartManifests is a mesh with everything that can, and cannot, be restarted.
// The node "control" is for the control plane, and "fragile" for the workload
// stuck, so that they can be kept from getting ready.
const restartManifests = `
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: gateways}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: bank}
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
    spec:
      nodeSelector: {kubernetes.io/hostname: control}
      containers: [{name: discovery, image: "docker.io/istio/pilot:1.31.1"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: gateways}
spec:
  selector: {matchLabels: {app: ingress}}
  template:
    metadata: {labels: {app: ingress}}
    spec:
      nodeSelector: {kubernetes.io/hostname: worker}
      containers: [{name: istio-proxy, image: "docker.io/istio/proxyv2:1.31.1", args: [proxy, router]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: &sidecar
      nodeSelector: {kubernetes.io/hostname: worker}
      containers:
      - {name: app, image: "app:1"}
      - {name: istio-proxy, image: "docker.io/istio/proxyv2:1.31.1"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: bank}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: SIDECAR
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stuck, namespace: shop}
spec:
  selector: {matchLabels: {app: stuck}}
  template:
    metadata: {labels: {app: stuck}}
    spec:
      nodeSelector: {kubernetes.io/hostname: fragile}
      containers:
      - {name: app, image: "app:1"}
      - {name: istio-proxy, image: "docker.io/istio/proxyv2:1.31.1"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: alone, namespace: shop}
spec:
  replicas: 1
  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}
  selector: {matchLabels: {app: alone}}
  template:
    metadata: {labels: {app: alone}}
    spec: SIDECAR
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: paused, namespace: shop}
spec:
  selector: {matchLabels: {app: paused}}
  template:
    metadata: {labels: {app: paused}}
    spec: SIDECAR
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: plain, namespace: shop}
spec:
  selector: {matchLabels: {app: web, tier: plain}}
  template:
    metadata: {labels: {app: web, tier: plain}}
    spec: {nodeSelector: {kubernetes.io/hostname: worker}, containers: [{name: app, image: "app:1"}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: SIDECAR
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ondelete, namespace: shop}
spec:
  serviceName: ondelete
  updateStrategy: {type: OnDelete}
  selector: {matchLabels: {app: ondelete}}
  template:
    metadata: {labels: {app: ondelete}}
    spec: SIDECAR
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: SIDECAR
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: lone, namespace: shop}
spec:
  selector: {matchLabels: {app: lone}}
  template:
    metadata: {labels: {app: lone}}
    spec: SIDECAR
---
apiVersion: batch/v1
kind: Job
metadata: {name: report, namespace: shop}
spec:
  template:
    metadata: {labels: {app: report}}
    spec:
      restartPolicy: Never
      nodeSelector: {kubernetes.io/hostname: nowhere}
      containers:
      - {name: app, image: "app:1"}
      - {name: istio-proxy, image: "docker.io/istio/proxyv2:1.31.1"}
---
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: shop}
spec: SIDECAR
`

// sidecarPod is what SIDECAR in restartManifests stands for.
const sidecarPod = `{nodeSelector: {kubernetes.io/hostname: worker}, containers: [{name: app, image: "app:1"}, {name: istio-proxy, image: "docker.io/istio/proxyv2:1.31.1"}]}`

// restartable are the controllers of restartManifests that have a template.
func restartable() []string {
	return []string{
		"deployments gateways/ingress", "deployments istio-system/istiod", "deployments bank/web", "deployments shop/alone", "deployments shop/paused",
		"deployments shop/plain", "deployments shop/stuck", "deployments shop/web", "daemonsets shop/agent", "statefulsets shop/db", "statefulsets shop/ondelete",
	}
}

// restartFleet is two clusters with the same objects.
type restartFleet struct {
	*registry
}

func newRestartFleet(t *testing.T) *restartFleet {
	t.Helper()
	f := &restartFleet{&registry{east: newCluster(t, "restart-east"), west: newCluster(t, "restart-west")}}
	f.management = f.east
	f.kubeconfig = kubeconfigOf(t, map[string]*clustertest.Credentials{"east": f.east.Admin(), "west": f.west.Admin()})
	text := strings.ReplaceAll(strings.ReplaceAll(restartManifests, "&sidecar", ""), "SIDECAR", sidecarPod)
	for _, c := range []*clustertest.Cluster{f.east, f.west} {
		if err := c.AddNodes(t.Context(), "control", "worker", "fragile"); err != nil {
			t.Fatal(err)
		}
		var objects []*unstructured.Unstructured
		for _, document := range strings.Split(text, "---\n") {
			objects = append(objects, parse(t, document))
		}
		// The pod without a controller needs a service account, which takes a moment.
		if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
			var errs []error
			for _, r := range kube.Apply(ctx, connection(c.Admin()), objects, kube.ApplyOptions{FieldManager: "somebody"}) {
				if r.Err != nil {
					errs = append(errs, r.Err)
				}
			}
			return errors.Join(errs...)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []*clustertest.Cluster{f.east, f.west} {
		waitForPods(t, c)
		patch(t, c, "deployments shop/paused", `{"spec": {"paused": true}}`)
	}
	return f
}

// waitForPods waits until all pods run that can, and a second is over: what
// happens next is later than their creation.
func waitForPods(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	client := admin(t, c)
	var newest time.Time
	if err := clustertest.Eventually(t.Context(), 4*patience, func(ctx context.Context) error {
		pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		running := 0
		for _, pod := range pods.Items {
			newest = later(newest, pod.CreationTimestamp.Time)
			if pod.Status.Phase == corev1.PodRunning {
				running++
			}
		}
		if running < 15 {
			return fmt.Errorf("only %d of %d pods run", running, len(pods.Items))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	nextSecond(t, newest)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// nextSecond waits until the second of the time is over.
func nextSecond(t *testing.T, after time.Time) {
	t.Helper()
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		if time.Now().Unix() <= after.Unix() {
			return errors.New("time stands still")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// renewCA makes or changes the Secret cacerts, as an administrator would.
func renewCA(t *testing.T, c *clustertest.Cluster, content string) {
	t.Helper()
	secret := parse(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: cacerts, namespace: istio-system}\nstringData: {ca-cert.pem: "+content+"}")
	for _, r := range kube.Apply(t.Context(), connection(c.Admin()), []*unstructured.Unstructured{secret}, kube.ApplyOptions{FieldManager: "somebody", Force: true}) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	nextSecond(t, time.Now())
}

// target splits "RESOURCE NAMESPACE/NAME".
func target(text string) (resource, namespace, name string) {
	resource, rest, _ := strings.Cut(text, " ")
	namespace, name, _ = strings.Cut(rest, "/")
	return resource, namespace, name
}

func patch(t *testing.T, c *clustertest.Cluster, object, body string) {
	t.Helper()
	resource, namespace, name := target(object)
	prefix := "/apis/apps/v1/namespaces/" + namespace
	if resource == "nodes" {
		prefix = "/api/v1"
	}
	client := admin(t, c)
	err := client.CoreV1().RESTClient().Patch(types.StrategicMergePatchType).AbsPath(prefix + "/" + resource + "/" + name).Body([]byte(body)).Do(t.Context()).Error()
	if err != nil {
		t.Fatal(err)
	}
}

// cordon keeps new pods from a node, or lets them there again.
func cordon(t *testing.T, c *clustertest.Cluster, node string, unschedulable bool) {
	t.Helper()
	patch(t, c, "nodes /"+node, fmt.Sprintf(`{"spec": {"unschedulable": %t}}`, unschedulable))
}

// restartedAt returns the annotations that restart, by controller.
func restartedAt(t *testing.T, c *clustertest.Cluster) map[string]string {
	t.Helper()
	client := admin(t, c)
	found := map[string]string{}
	for _, object := range restartable() {
		resource, namespace, name := target(object)
		text, err := client.CoreV1().RESTClient().Get().AbsPath("/apis/apps/v1/namespaces/" + namespace + "/" + resource + "/" + name).Do(t.Context()).Raw()
		if err != nil {
			t.Fatal(err)
		}
		var content struct {
			Spec struct {
				Template struct{ Metadata metav1.ObjectMeta }
			}
		}
		if err := json.Unmarshal(text, &content); err != nil {
			t.Fatal(err)
		}
		if at := content.Spec.Template.Metadata.Annotations["kubectl.kubernetes.io/restartedAt"]; at != "" {
			found[object] = at
		}
	}
	return found
}

// expectRestarted expects that exactly these controllers have the annotation.
func expectRestarted(t *testing.T, c *clustertest.Cluster, want ...string) map[string]string {
	t.Helper()
	found := restartedAt(t, c)
	var got []string
	for object := range found {
		got = append(got, object)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("restarted on %s (-want +got):\n%s", c.Name, diff)
	}
	return found
}

const eastMesh, westMesh = "istiod-istio-system-east", "istiod-istio-system-west"

// restart runs mesh restart on the contexts of both clusters.
func (f *restartFleet) restart(t *testing.T, code int, args ...string) result {
	t.Helper()
	return f.run(t, code, append([]string{"mesh", "restart", "--clusters", "east,west"}, args...)...)
}

// outcomesOf reads the outcomes of a table, by namespace and name.
func outcomesOf(stdout string) map[string]string {
	outcomes := map[string]string{}
	for line := range strings.Lines(stdout) {
		fields := strings.Fields(line)
		if len(fields) >= 6 && fields[0] != "CLUSTER" {
			outcomes[fields[2]+" "+fields[3]] = strings.Join(fields[4:len(fields)-1], " ")
		}
	}
	return outcomes
}

func TestMeshRestart(t *testing.T) {
	t.Parallel()
	f := newRestartFleet(t)
	t.Run("without a Secret nobody needs it", func(t *testing.T) {
		got := f.restart(t, 0, eastMesh, "--yes")
		f.expect(t, got.stderr, "no Secret cacerts in namespace istio-system", "No workload is known to need a restart; see the notes above.", "--all-workloads")
		expectRestarted(t, f.east)
	})
	renewCA(t, f.east, "one")
	t.Run("plans", f.testPlan)
	t.Run("errors", f.testErrors)
	t.Run("filters", f.testFilters)
	t.Run("a control plane that does not get ready", f.testControlPlane)
	t.Run("is interrupted, and goes on", f.testInterrupted)
	t.Run("everything, resumed", f.testResume)
	expectRestarted(t, f.west)
	t.Run("registered", f.testRegistered)
	t.Run("with a dead cluster", f.testDead)
}

func (f *restartFleet) testPlan(t *testing.T) {
	got := f.restart(t, 0, eastMesh, "--dry-run")
	f.expect(t, got.stdout, "CLUSTER   STAGE           NAMESPACE      NAME")
	type row struct{ action, note string }
	for object, want := range map[string]row{
		"control-plane istio-system deployment/istiod": {"restart", ""},
		"gateways gateways deployment/ingress":         {"restart", ""},
		"workloads bank deployment/web":                {"restart", ""},
		"workloads shop deployment/web":                {"restart", ""},
		"workloads shop deployment/alone":              {"restart", "note: deployment/alone.shop.east: short outage"},
		"workloads shop statefulset/db":                {"restart", ""},
		"workloads shop daemonset/agent":               {"restart", "note: daemonset/agent.shop.east: each node briefly has no pod"},
		"workloads shop deployment/paused":             {"manual", "note: deployment/paused.shop.east: paused: resume it"},
		"workloads shop statefulset/ondelete":          {"manual", "note: statefulset/ondelete.shop.east: its strategy is OnDelete"},
		"workloads shop replicaset/lone":               {"manual", "note: replicaset/lone.shop.east: it has no Deployment"},
		"workloads shop pod/bare":                      {"manual", "note: pod/bare.shop.east: no controller recreates this pod"},
		"workloads shop job.batch/report":              {"expire", "note: job.batch/report.shop.east: its pods run to completion"},
	} {
		found := false
		for line := range strings.Lines(got.stdout) {
			fields := strings.Fields(line)
			if strings.Join(fields[1:4], " ") == object {
				found = true
				if fields[5] != want.action {
					t.Errorf("%s: %s, want %s", object, fields[5], want.action)
				}
			}
		}
		if !found {
			t.Errorf("%s is missing in:\n%s", object, got.stdout)
		}
		f.expect(t, got.stderr, want.note)
	}
	if strings.Contains(got.stdout, "plain") || strings.Contains(got.stdout, "west") {
		t.Errorf("the plan has what is not in the mesh:\n%s", got.stdout)
	}
	var report struct {
		Meshes []struct {
			Items []struct{ Stage, Name, Action, Outcome string }
		}
	}
	got = f.restart(t, 0, eastMesh, "--dry-run=server", "-o", "json")
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v in:\n%s", err, got.stdout)
	}
	accepted := 0
	for _, item := range report.Meshes[0].Items {
		if item.Outcome == "accepted" {
			accepted++
		}
	}
	if accepted != 8 {
		t.Errorf("%d accepted, want 8:\n%s", accepted, got.stdout)
	}
	expectRestarted(t, f.east)
}

func (f *restartFleet) testErrors(t *testing.T) {
	got := f.restart(t, 1, "istiod-istio-system-eats", "--yes")
	f.expect(t, got.stderr, `mesh "istiod-istio-system-eats" not found`, "istiod-istio-system-east")
	got = f.restart(t, 1, eastMesh, "--yes", "-n", "shpo")
	f.expect(t, got.stderr, `no workload of these meshes in namespace "shpo"; did you mean shop?`)
	got = f.restart(t, 1, eastMesh, "--yes", "--exclude", "deployment/wbe")
	f.expect(t, got.stderr, `no workload of these meshes is named "deployment/wbe"`)
	f.restart(t, 2, eastMesh)
	reader, err := f.east.AddReadOnlyUser(t.Context(), "restarter")
	if err != nil {
		t.Fatal(err)
	}
	readOnly := kubeconfigOf(t, map[string]*clustertest.Credentials{"east": reader})
	denied := meshctlWith(t, readOnly, "", "mesh", "restart", "--all", "--clusters", "east", "--yes")
	f.expect(t, denied.stderr, "cannot determine which workloads of mesh istiod-istio-system-east.gloo-mesh need a restart: forbidden on cluster east to get secrets cacerts in istio-system")
	denied = meshctlWith(t, readOnly, "", "mesh", "restart", "--all", "--clusters", "east", "--yes", "--all-workloads")
	f.expect(t, denied.stderr, "cannot restart mesh istiod-istio-system-east.gloo-mesh: forbidden on cluster east to patch deployments.apps in ")
	if denied.code != 1 {
		t.Errorf("exit code %d", denied.code)
	}
	expectRestarted(t, f.east)
}

func (f *restartFleet) testFilters(t *testing.T) {
	got := f.restart(t, 0, eastMesh, "--yes", "-n", "shop", "-l", "app in (web, alone)", "--exclude", "deployment/alone.shop")
	f.expect(t, got.stderr, "the control plane deployment/istiod.istio-system is older than its CA and not part of this restart")
	if diff := cmp.Diff(map[string]string{"shop deployment/web": "restarted"}, outcomesOf(got.stdout)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	expectRestarted(t, f.east, "deployments shop/web")
	f.restart(t, 0, eastMesh, "--yes", "-n", "shop", "-l", "app=web", "--exclude", "db")
}

func (f *restartFleet) testControlPlane(t *testing.T) {
	cordon(t, f.east, "control", true)
	got := f.restart(t, 4, eastMesh, "--yes", "--timeout", "4s")
	before := expectRestarted(t, f.east, "deployments istio-system/istiod", "deployments shop/web")
	again := f.restart(t, 4, eastMesh, "--yes", "--timeout", "2s")
	f.expect(t, again.stderr, "deployment/istiod.istio-system.east: waiting for a running rollout")
	if diff := cmp.Diff(before, restartedAt(t, f.east)); diff != "" {
		t.Errorf("something was restarted twice (-before +after):\n%s", diff)
	}
	cordon(t, f.east, "control", false)
	f.expect(t, got.stderr, "error: deployment/istiod.istio-system on cluster east was not ready within 4s: waiting for its rollout", "1 workload was not ready within 4s")
	outcomes := outcomesOf(got.stdout)
	if outcomes["istio-system deployment/istiod"] != "timed out" || outcomes["gateways deployment/ingress"] != "not started" || outcomes["shop deployment/web"] != "not started" {
		t.Errorf("outcomes: %v", outcomes)
	}
}

// expectOrder expects the parts in a text, in this order.
func expectOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	last := -1
	for _, part := range parts {
		i := strings.Index(text, part)
		if i <= last {
			t.Errorf("%q is missing or too early in:\n%s", part, text)
		}
		last = i
	}
}

func (f *restartFleet) testInterrupted(t *testing.T) {
	cordon(t, f.east, "fragile", true)
	before := restartedAt(t, f.east)
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), shared.binary, "mesh", "restart", eastMesh, "--clusters", "east,west", "--yes", "--max-parallel", "20")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + f.kubeconfig}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	all := []string{
		"deployments gateways/ingress", "deployments istio-system/istiod", "deployments bank/web", "deployments shop/alone",
		"deployments shop/stuck", "deployments shop/web", "daemonsets shop/agent", "statefulsets shop/db",
	}
	err := clustertest.Eventually(t.Context(), 4*patience, func(context.Context) error {
		if at := restartedAt(t, f.east); len(at) < len(all) {
			return fmt.Errorf("restarted are only %v", at)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	f.expect(t, stderr.String(), "Run the command again to continue.", "cancelled")
	if got := outcomesOf(stdout.String())["shop deployment/stuck"]; got != "interrupted" {
		t.Errorf("stuck: %q in:\n%s%s", got, stdout.String(), stderr.String())
	}
	order := []string{"deployment/ingress.gateways.east: restarting", "deployment/ingress.gateways.east: restarted", "deployment/stuck.shop.east: restarting"}
	expectOrder(t, stderr.String(), order...)
	after := expectRestarted(t, f.east, all...)
	if before["deployments istio-system/istiod"] != after["deployments istio-system/istiod"] {
		t.Error("the control plane, which was being restarted, was restarted again")
	}

	got := f.restart(t, 4, eastMesh, "--yes", "--timeout", "20s")
	if outcome := outcomesOf(got.stdout)["shop deployment/stuck"]; outcome != "timed out" {
		t.Errorf("stuck: %q in:\n%s", outcome, got.stdout)
	}
	if outcome := outcomesOf(got.stdout)["shop statefulset/db"]; outcome == "timed out" {
		t.Errorf("db: %q in:\n%s", outcome, got.stdout)
	}
	cordon(t, f.east, "fragile", false)
	got = f.restart(t, 3, eastMesh, "--yes")
	f.expect(t, got.stderr, "note: deployment/paused.shop.east: paused: resume it")
	if outcome := outcomesOf(got.stdout)["shop deployment/stuck"]; outcome != "" && outcome != "restarted" {
		t.Errorf("stuck: %q in:\n%s", outcome, got.stdout)
	}
	if diff := cmp.Diff(after, restartedAt(t, f.east)); diff != "" {
		t.Errorf("something was restarted twice (-before +after):\n%s", diff)
	}
	got = f.restart(t, 3, eastMesh, "--yes")
	f.expect(t, got.stderr, "No workload needs a restart by meshctl")
	// The pods that cannot be restarted are replaced by their owner.
	client := admin(t, f.east)
	if err := client.CoreV1().Pods("shop").DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app in (ondelete, lone, paused)"}); err != nil {
		t.Fatal(err)
	}
	if err := client.CoreV1().Pods("shop").Delete(t.Context(), "bare", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		if got := f.run(t, 0, "mesh", "list", "--clusters", "east,west", "--needs-restart", "-o", "json"); !strings.Contains(got.stdout, `"needRestartCount": 1,`) && !strings.Contains(got.stdout, "\"needRestartCount\": 1\n") {
			return errors.New(got.stdout)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	got = f.restart(t, 0, eastMesh, "--yes")
	// A pod of a Job is older, and listed.
	f.expect(t, got.stderr, "No workload needs a restart by meshctl: pods that are older than the CA of their mesh end on their own.")
	if strings.Contains(got.stderr, "no pod is older") {
		t.Errorf("it says that no pod is older below one that is:\n%s", got.stderr)
	}
}

func (f *restartFleet) testResume(t *testing.T) {
	got := f.restart(t, 0, eastMesh, "--yes", "--all-workloads", "-n", "bank", "-o", "json")
	var report struct{ RestartedAt string }
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatal(err)
	}
	if at := restartedAt(t, f.east)["deployments bank/web"]; at != report.RestartedAt {
		t.Errorf("bank/web has %q, the report %q", at, report.RestartedAt)
	}
	got = f.restart(t, 0, eastMesh, "--yes", "--all-workloads", "-n", "bank", "--resume", report.RestartedAt)
	f.expect(t, got.stderr, "Nothing to restart.")
	nextSecond(t, time.Now())
	got = f.restart(t, 0, eastMesh, "--yes", "--all-workloads", "-n", "bank", "--wait=false")
	if outcome := outcomesOf(got.stdout)["bank deployment/web"]; outcome != "begun" {
		t.Errorf("bank/web: %q in:\n%s", outcome, got.stdout)
	}
}

// testRegistered restarts with the credentials of a registration.
func (f *restartFleet) testRegistered(t *testing.T) {
	at := []string{"--context", "east"}
	run := func(code int, args ...string) result { t.Helper(); return f.run(t, code, append(args, at...)...) }
	run(0, "install")
	run(0, "cluster", "register", "west", "--remote-context", "west", "--access", "configure")
	run(0, "discover")
	renewCA(t, f.west, "one")
	got := run(1, "mesh", "restart", westMesh, "--yes")
	f.expect(t, got.stderr, "forbidden on cluster west to get secrets cacerts in istio-system; raise its access with 'meshctl cluster register west --access full --remote-context CONTEXT --context east'")
	got = run(1, "mesh", "restart", westMesh, "--yes", "--all-workloads")
	f.expect(t, got.stderr, "cannot restart mesh istiod-istio-system-west.gloo-mesh: forbidden on cluster west to patch", "--access full")
	expectRestarted(t, f.west)
	run(0, "cluster", "register", "west", "--remote-context", "west", "--access", "full")
	got = run(3, "mesh", "restart", westMesh, "--yes", "--exclude", "agent")
	if outcome := outcomesOf(got.stdout)["shop statefulset/db"]; outcome != "restarted" {
		t.Errorf("db: %q in:\n%s%s", outcome, got.stdout, got.stderr)
	}
	expectOrder(t, got.stderr, "deployment/istiod.istio-system.west: restarting", "deployment/istiod.istio-system.west: restarted",
		"deployment/ingress.gateways.west: restarting", "deployment/ingress.gateways.west: restarted", "deployment/web.shop.west: restarting")
	f.expect(t, got.stderr, "4 more need a restart that meshctl cannot perform")
	if restartedAt(t, f.west)["daemonsets shop/agent"] != "" {
		t.Error("agent was restarted, which is left out")
	}
}

func (f *restartFleet) testDead(t *testing.T) {
	f.west.StopAPIServer()
	got := f.restart(t, 1, "--all", "--yes", "--all-workloads", "-n", "bank")
	f.expect(t, got.stderr, "cluster west")
	if outcome := outcomesOf(got.stdout)["bank deployment/web"]; outcome != "restarted" {
		t.Errorf("bank/web: %q in:\n%s", outcome, got.stdout)
	}
}
