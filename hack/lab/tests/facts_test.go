//go:build linux

package tests

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/node"
)

// fact is an experiment about Istio. docs/lab.md says what it has shown.
type fact struct {
	name string
	run  func(t *testing.T, b *bench)
}

// facts returns the experiments in the order in which they run: those that
// change certificates or restart istiod come last.
func facts() []fact {
	return slices.Concat(accessFacts(), trafficFacts(), objectFacts(), federationFacts(), trustFacts())
}

// factsVersion is the version of Istio that the facts are about.
const factsVersion = "1.31"

// TestFacts shows what Istio does, without meshctl.
func TestFacts(t *testing.T) {
	version, err := os.ReadFile(filepath.Join(os.Getenv("LAB_PROGRAMS"), "version"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(version), factsVersion+".") {
		t.Skipf("the facts are about Istio %s, and this is %s", factsVersion, version)
	}
	b := startBench(t)
	for _, f := range facts() {
		t.Run(f.name, func(t *testing.T) {
			b.settle(t)
			f.run(t, b)
		})
	}
}

// TestFactsAreListed holds the table of facts in docs/lab.md against the
// experiments.
func TestFactsAreListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "lab.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\|.*\\| "+regexp.QuoteMeta(factsVersion)+" \\| `TestFacts/([^`]+)` \\|$").FindAllSubmatch(text, -1) {
		listed[string(m[1])] = true
	}
	exists := map[string]bool{}
	for _, f := range facts() {
		if exists[f.name] {
			t.Errorf("two experiments have the name %s", f.name)
		}
		exists[f.name] = true
	}
	if diff := cmp.Diff(exists, listed); diff != "" {
		t.Errorf("facts in docs/lab.md (-experiments +listed):\n%s", diff)
	}
}

// bench is the world of the experiments: clusters east and west with trust
// domains of their own (cluster.local and west.example) below one root, and the
// Service stock of namespace shop in both. Its ports are 8080 (HTTP), 7000 (TCP)
// and 9090 (gRPC); those of the pods 8081, 7001 and 9091. The west exports it,
// and the east knows it as stock.shop.svc.west.global.
type bench struct {
	lab        *mesh.Lab
	east, west *mesh.Cluster
	// root signed the intermediates of both clusters.
	root *authority
	// The intermediates are the CAs of the clusters.
	eastIntermediate, westIntermediate *authority
	// gateways are the addresses of the gateways by cluster.
	gateways map[string]string
	requests atomic.Int64
}

const (
	federated = "stock.shop.svc.west.global"
	stock     = "stock.shop"
)

// acceptsEast is the configuration of the mesh in the west: its sidecars accept
// workloads of the east.
func acceptsEast() map[string]any {
	return map[string]any{
		"trustDomain":    "west.example",
		"caCertificates": []any{map[string]any{"trustDomains": []any{"cluster.local"}}},
	}
}

func startBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{root: newAuthority(t, "root", nil), gateways: map[string]string{}}
	b.eastIntermediate = newAuthority(t, "intermediate of east", b.root)
	b.westIntermediate = newAuthority(t, "intermediate of west", b.root)
	b.lab = startLab(t, mesh.Options{Clusters: []mesh.ClusterOptions{
		{
			Name: "east", Objects: parse(t, b.eastIntermediate.cacerts()), IstiodEnv: map[string]string{"ISTIO_MULTIROOT_MESH": "true"},
			MeshConfig: map[string]any{"caCertificates": []any{map[string]any{"pem": b.root.pem(), "trustDomains": []any{"west.example"}}}},
		},
		{Name: "west", Objects: parse(t, b.westIntermediate.cacerts()), MeshConfig: acceptsEast()},
	}})
	b.east, b.west = b.lab.Cluster("east"), b.lab.Cluster("west")
	for _, c := range b.lab.Clusters {
		if err := c.Objects.ApplyYAML(t.Context(), benchObjects(c.Name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range b.lab.Clusters {
		if err := c.AwaitAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		service, err := c.Client.CoreV1().Services("istio-system").Get(t.Context(), "gateway", metav1.GetOptions{})
		if err != nil || len(service.Status.LoadBalancer.Ingress) != 1 {
			t.Fatalf("the gateway of %s has no address: %v", c.Name, err)
		}
		b.gateways[c.Name] = service.Status.LoadBalancer.Ingress[0].IP
	}
	if err := b.east.Objects.ApplyYAML(t.Context(), b.importing("stock", "243.0.0.1")); err != nil {
		t.Fatal(err)
	}
	b.settle(t)
	return b
}

// importing returns what makes a Service of the west known in the east: one
// endpoint per gateway, and the SNI of the Service's port.
func (b *bench) importing(service, address string) string {
	return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: imported-%[1]s, namespace: istio-system}
spec:
  hosts: [%[1]s.shop.svc.west.global]
  addresses: [%[2]s]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
  - {number: 8080, name: http, protocol: HTTP}
  - {number: 7000, name: tcp, protocol: TCP}
  endpoints: [{address: %[3]s, ports: {http: 15443, tcp: 15443}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: imported-%[1]s, namespace: istio-system}
spec:
  host: %[1]s.shop.svc.west.global
  trafficPolicy:
    portLevelSettings:
    - {port: {number: 8080}, tls: {mode: ISTIO_MUTUAL, sni: outbound_.8080_._.%[1]s.shop.svc.cluster.local}}
    - {port: {number: 7000}, tls: {mode: ISTIO_MUTUAL, sni: outbound_.7000_._.%[1]s.shop.svc.cluster.local}}
`, service, address, b.gateways["west"])
}

// benchObjects returns what is deployed in a cluster. The pods of raw have no
// proxy; together with those of stock-v2 (in the west, stock-v1) they are the
// Service half. Proxies of stock-v2 get their configuration through their agent.
func benchObjects(cluster string) string {
	objects := `
apiVersion: v1
kind: Namespace
metadata: {name: front, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: other}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: stock, namespace: shop}
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: shop}
spec:
  selector: {app: stock}
  ports: [{name: http, port: 8080, targetPort: 8081}, {name: tcp, port: 7000, targetPort: 7001}, {name: grpc, port: 9090, targetPort: 9091}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: gateway, namespace: istio-system}
---
apiVersion: v1
kind: Service
metadata: {name: gateway, namespace: istio-system}
spec:
  type: LoadBalancer
  selector: {istio: ingressgateway}
  ports: [{name: tls, port: 15443}, {name: limited-out, port: 15444}, {name: limited-in, port: 15445}]
---
` + deployment("istio-system", "gateway", "gateway", "istio: ingressgateway", "inject.istio.io/templates: gateway", "docker.io/istio/proxyv2:1.31.0") +
		deployment("shop", "raw", "default", `app: raw, half: "yes", sidecar.istio.io/inject: "false"`, "", "lab/echo") + `
apiVersion: v1
kind: Service
metadata: {name: half, namespace: shop}
spec:
  selector: {half: "yes"}
  ports: [{name: http, port: 8080, targetPort: 8081}]
---
apiVersion: v1
kind: Service
metadata: {name: raw, namespace: shop}
spec:
  selector: {app: raw}
  ports: [{name: http, port: 8080, targetPort: 8081}]
---
`
	if cluster == "west" {
		return objects + deployment("shop", "stock-v1", "stock", `app: stock, version: v1, half: "yes"`, "", "lab/echo") + `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: exported, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 15443, name: tls, protocol: TLS}, hosts: [stock.shop.svc.cluster.local], tls: {mode: AUTO_PASSTHROUGH}}
`
	}
	return objects + `
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: front}
---
` + deployment("front", "web", "web", "app: web", "", "lab/echo") +
		deployment("shop", "stock-v1", "stock", "app: stock, version: v1", "", "lab/echo") +
		deployment("shop", "stock-v2", "stock", `app: stock, version: v2, half: "yes"`, `proxy.istio.io/config: '{"proxyMetadata":{"PROXY_CONFIG_XDS_AGENT":"true"}}'`, "lab/echo")
}

// deployment returns a Deployment with one pod; labels and annotations are
// inside of braces.
func deployment(namespace, name, account, labels, annotations, image string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  selector: {matchLabels: {%[4]s}}
  template:
    metadata: {labels: {%[4]s}, annotations: {%[5]s}}
    spec:
      serviceAccountName: %[3]s
      terminationGracePeriodSeconds: 1
      containers:
      - {name: main, image: %[6]s, ports: [{containerPort: 8081}, {containerPort: 7001}, {containerPort: 9091}]}
---
`, namespace, name, account, labels, annotations, image)
}

// pod returns the first pod of a workload of the bench.
func (b *bench) pod(t *testing.T, cluster, namespace, workload string) *node.Pod {
	t.Helper()
	pod, err := b.lab.Pod(cluster, namespace, workload)
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// web is the client in the east.
func (b *bench) web(t *testing.T) *node.Pod { t.Helper(); return b.pod(t, "east", "front", "web") }

// settle waits until proxies have the configuration of now.
func (b *bench) settle(t *testing.T) {
	t.Helper()
	if err := b.lab.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// apply applies objects and waits until they have arrived. They are deleted
// after the test.
func (b *bench) apply(t *testing.T, c *mesh.Cluster, text string) {
	t.Helper()
	b.write(t, c, text)
	b.settle(t)
}

// write applies objects, which are deleted after the test.
func (b *bench) write(t *testing.T, c *mesh.Cluster, text string) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Objects.DeleteYAML(context.WithoutCancel(t.Context()), text); err != nil {
			t.Error(err)
		}
	})
	if err := c.Objects.ApplyYAML(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// remove deletes objects and waits until proxies do not have them.
func (b *bench) remove(t *testing.T, c *mesh.Cluster, text string) {
	t.Helper()
	if err := c.Objects.DeleteYAML(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	b.settle(t)
}

// refused returns the answer of the API server to objects that it refuses, and
// fails the test if it takes them.
func (b *bench) refused(t *testing.T, c *mesh.Cluster, text string) string {
	t.Helper()
	err := c.Objects.ApplyYAML(t.Context(), text)
	if err == nil {
		b.remove(t, c, text)
		return ""
	}
	return err.Error()
}

// get is a GET request to port 8080.
func get(host string) client.Request {
	return client.Request{Protocol: client.HTTP1, Host: host, Port: 8080}
}

// line is a line to the TCP port 7000.
func line(host string) client.Request {
	return client.Request{Protocol: client.TCP, Host: host, Port: 7000}
}

// with returns the request with headers, given as names and values.
func with(request client.Request, headers ...string) client.Request {
	request.Headers = map[string]string{}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Headers[headers[i]] = headers[i+1]
	}
	return request
}

// send sends a request over a connection of its own, with an ID.
func (b *bench) send(t *testing.T, from *node.Pod, request client.Request) client.Outcome {
	t.Helper()
	if request.ID == "" {
		request.ID = b.id()
	}
	outcome := mesh.Client(from).Send(t.Context(), request)
	t.Logf("%s to %s:%d: %s (%s %s)", from.Workload, request.Host, request.Port, told(&outcome), outcome.Err, outcome.Body)
	return outcome
}

// id returns an ID that no other request has.
func (b *bench) id() string { return fmt.Sprintf("fact-%d", b.requests.Add(1)) }

// told says in short what became of a request: who answered, or with which
// status or failure it ended.
func told(o *client.Outcome) string {
	switch {
	case o.Failure != client.Answered:
		return string(o.Failure)
	case o.Seen == nil:
		return fmt.Sprint(o.Status)
	}
	text := o.Seen.Workload + "." + o.Seen.Cluster
	if o.Seen.Peer != "" {
		text += " for " + strings.TrimPrefix(o.Seen.Peer, "spiffe://")
	}
	if o.Status != http.StatusOK && o.Status != 0 {
		text = fmt.Sprintf("%d by %s", o.Status, text)
	}
	return text
}

// expect sends a request and compares what became of it.
func (b *bench) expect(t *testing.T, from *node.Pod, request client.Request, want string) client.Outcome {
	t.Helper()
	outcome := b.send(t, from, request)
	if got := told(&outcome); got != want {
		t.Errorf("%s from %s to %s:%d ended with %q, want %q", request.Protocol, from.Workload, request.Host, request.Port, got, want)
	}
	return outcome
}

// expectSoon is expect for changes whose arrival cannot be seen.
func (b *bench) expectSoon(t *testing.T, from *node.Pod, request client.Request, want string) {
	t.Helper()
	b.soon(t, func() error {
		if outcome := b.send(t, from, request); told(&outcome) != want {
			return fmt.Errorf("%s from %s to %s:%d ended with %q, want %q", request.Protocol, from.Workload, request.Host, request.Port, told(&outcome), want)
		}
		return nil
	})
}

// soon waits until a condition is met, and fails the test if it is not.
func (b *bench) soon(t *testing.T, condition func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-ticker.C:
		}
	}
}

// counted sends a request n times over fresh connections and counts what became
// of it.
func (b *bench) counted(t *testing.T, from *node.Pod, request client.Request, n int) map[string]int {
	t.Helper()
	counts := map[string]int{}
	outcomes := mesh.Client(from).SendMany(t.Context(), request, client.Load{Count: n, Concurrency: 4, Fresh: true})
	for i := range outcomes {
		counts[told(&outcomes[i])]++
	}
	t.Logf("%s to %s:%d: %v", from.Workload, request.Host, request.Port, counts)
	return counts
}

// arrivals says how many attempts of a request echo servers got.
func (b *bench) arrivals(id string) int { return len(b.lab.SeenBy(id)) }

// admin returns a page of the administration interface of a pod's Envoy.
func admin(t *testing.T, pod *node.Pod, path string) string {
	t.Helper()
	transport := &http.Transport{DialContext: pod.Host.DialContext, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:15000"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lines returns the lines of a container's log that have all texts.
func lines(t *testing.T, pod *node.Pod, container string, texts ...string) []string {
	t.Helper()
	log, err := os.ReadFile(pod.Log(container))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(log)) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			found = append(found, line)
		}
	}
	return found
}

// restart replaces the pods of a Deployment, and waits for the new ones.
func (b *bench) restart(t *testing.T, c *mesh.Cluster, namespace, name string) {
	t.Helper()
	old := b.lab.Pods(c.Name, namespace, name)
	deployments := c.Client.AppsV1().Deployments(namespace)
	deployment, err := deployments.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if deployment.Spec.Template.Annotations == nil {
		deployment.Spec.Template.Annotations = map[string]string{}
	}
	deployment.Spec.Template.Annotations["lab/restarted"] = b.id()
	if _, err := deployments.Update(t.Context(), deployment, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.AwaitDeployment(t.Context(), namespace, name); err != nil {
		t.Fatal(err)
	}
	b.soon(t, func() error {
		for _, pod := range b.lab.Pods(c.Name, namespace, name) {
			if slices.Contains(old, pod) {
				return fmt.Errorf("pod %s/%s of %s still runs", pod.Namespace, pod.Name, c.Name)
			}
		}
		return nil
	})
}

// nextSecond waits until new objects are younger than those that exist: their
// age is known in seconds.
func (b *bench) nextSecond(t *testing.T, c *mesh.Cluster) {
	t.Helper()
	var first metav1.Time
	b.soon(t, func() error {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "clock-"}}
		created, err := c.Client.CoreV1().ConfigMaps("other").Create(t.Context(), probe, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if first.IsZero() {
			first = created.CreationTimestamp
		}
		if !first.Before(&created.CreationTimestamp) {
			return fmt.Errorf("the clock of the API server stands at %s", first)
		}
		return nil
	})
}

func parse(t *testing.T, text string) []unstructured.Unstructured {
	t.Helper()
	objects, err := mesh.ParseYAML([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
