package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/pkg/api/validation"
)

// largeWorld returns the manifests of n objects as YAML mappings, in the proportions of a real
// world: per ten, six Workloads, three Destinations and a policy.
func largeWorld(n int) []string {
	objects := make([]string, n)
	for i := range objects {
		app, cluster := fmt.Sprintf("app-%d", i/10), fmt.Sprintf("cluster-%d", i%10)
		switch i % 10 {
		case 0:
			objects[i] = fmt.Sprintf(`apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
metadata:
  name: %[1]s
  namespace: gloo-mesh
spec:
  sourceSelector:
  - kubeWorkloadMatcher:
      labels:
        app: %[1]s
      namespaces:
      - shop
  destinationSelector:
  - kubeServiceRefs:
      services:
      - name: %[1]s
        namespace: shop
        clusterName: cluster-1
  policy:
    requestTimeout: 5s
    retries:
      attempts: 3
      perTryTimeout: 1s
    headerManipulation:
      appendRequestHeaders:
        x-caller: %[1]s
`, app)
		case 1, 2, 3:
			objects[i] = fmt.Sprintf(`apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Destination
metadata:
  name: %[1]s-shop-%[2]s
  namespace: gloo-mesh
  labels:
    cluster.discovery.mesh.gloo.solo.io: %[2]s
    owner.discovery.mesh.gloo.solo.io: gloo-mesh
  annotations:
    note: what somebody once wrote about %[1]s
spec:
  kubeService:
    ref:
      name: %[1]s
      namespace: shop
      clusterName: %[2]s
    labels:
      app: %[1]s
      team: checkout
    workloadSelectorLabels:
      app: %[1]s
    ports:
    - port: 8080
      name: http
      protocol: TCP
      targetPortNumber: 8080
    - port: 9090
      name: metrics
      protocol: TCP
      targetPortName: metrics
    subsets:
      version:
        values:
        - v1
        - v2
  mesh:
    name: istiod-istio-system-%[2]s
    namespace: gloo-mesh
`, app, cluster)
		default:
			objects[i] = fmt.Sprintf(`apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Workload
metadata:
  name: %[1]s-v1-shop-%[2]s-deployment
  namespace: gloo-mesh
  labels:
    cluster.discovery.mesh.gloo.solo.io: %[2]s
    owner.discovery.mesh.gloo.solo.io: gloo-mesh
spec:
  kubernetes:
    controller:
      name: %[1]s-v1
      namespace: shop
      clusterName: %[2]s
    podLabels:
      app: %[1]s
      version: v1
      team: checkout
      security.istio.io/tlsMode: istio
      service.istio.io/canonical-name: %[1]s
      service.istio.io/canonical-revision: v1
    serviceAccountName: %[1]s
  mesh:
    name: istiod-istio-system-%[2]s
    namespace: gloo-mesh
`, app, cluster)
		}
	}
	return objects
}

// asList returns objects as a List, as kubectl prints it.
func asList(objects []string) string {
	var list strings.Builder
	list.WriteString("apiVersion: v1\nitems:\n")
	for _, object := range objects {
		list.WriteString("- " + strings.ReplaceAll(strings.TrimSuffix(object, "\n"), "\n", "\n  ") + "\n")
	}
	list.WriteString("kind: List\nmetadata:\n  resourceVersion: \"\"\n")
	return list.String()
}

// asJSON returns objects as an indented JSON List.
func asJSON(tb testing.TB, objects []string) string {
	tb.Helper()
	var list bytes.Buffer
	list.WriteString(`{"apiVersion": "v1", "items": [`)
	for i, object := range objects {
		if i > 0 {
			list.WriteString(",\n")
		}
		compact, err := yaml.YAMLToJSON([]byte(object))
		if err != nil {
			tb.Fatal(err)
		}
		if err := json.Indent(&list, compact, "        ", "    "); err != nil {
			tb.Fatal(err)
		}
	}
	list.WriteString(`], "kind": "List"}`)
	return list.String()
}

// BenchmarkLoad loads one file of 20,000 objects. It reports the memory still reachable
// afterwards as a multiple of the file size.
func BenchmarkLoad(b *testing.B) {
	objects := largeWorld(20_000)
	for name, text := range map[string]string{
		"documents": strings.Join(objects, "---\n"), "list": asList(objects), "json": asJSON(b, objects),
	} {
		b.Run(name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "world.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
			validator := validation.New()
			var live uint64
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				before := reachable()
				loaded, err := Files(b.Context(), FileOptions{Paths: []string{file}}, validator)
				if err != nil {
					b.Fatal(err)
				}
				live = reachable() - before
				runtime.KeepAlive(&loaded)
				if n := len(loaded.Workloads); n != 12_000 || len(loaded.Problems) > 0 {
					b.Fatalf("loaded %d workloads with problems %v", n, loaded.Problems)
				}
			}
			b.ReportMetric(float64(live)/float64(len(text)), "live/file")
		})
	}
}

func reachable() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
