package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	meshdiscovery "github.com/meshctl/meshctl/internal/discovery"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// writeTree writes files to a new directory and returns the directory.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// dumpSummary returns a dump in a form that is easy to compare, with DIR in place of its
// directory.
func dumpSummary(dump Dump, dir string) []string {
	var lines []string
	for _, m := range dump.Output.Meshes {
		lines = append(lines, "Mesh "+m.Name)
	}
	for _, w := range dump.Output.Workloads {
		lines = append(lines, "Workload "+w.Name)
	}
	for _, d := range dump.Output.Destinations {
		lines = append(lines, "Destination "+d.Name)
	}
	for _, p := range dump.Problems {
		line := fmt.Sprintf("%s %s: %s", p.Kind, p.Origin, p.Message)
		if p.HidesInput() {
			line = "! " + line
		}
		lines = append(lines, strings.ReplaceAll(line, dir, "DIR"))
	}
	return lines
}

const (
	istiodText = `{"metadata": {"name": "istiod", "namespace": "istio-system"}, "spec": {"selector": {"matchLabels": {"app": "istiod"}},
  "template": {"metadata": {"labels": {"app": "istiod"}}, "spec": {"serviceAccountName": "istiod", "containers": [{"name": "discovery", "image": "istio/pilot:1.26.2"}]}}}}`
	shopText = `{"metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"matchLabels": {"app": "web"}},
  "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"serviceAccountName": "web", "containers": [{"name": "web", "image": "web:1"}]}}}}`
	shopReplicaSet = `{"metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "1", "controller": true}]}}`
	shopPod        = `{"metadata": {"name": "web-1-x", "namespace": "shop", "labels": {"app": "web"}, "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "2", "controller": true}]},
  "spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "istio-proxy", "image": "istio/proxyv2:1.26.2"}]}}`
	shopService = `{"metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}}`
	istioMap    = `{"metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": "trustDomain: td"}}`
	plainObject = `{"metadata": {"name": "some", "namespace": "default"}}`
)

// typedList returns a list whose items omit their type, as API servers return it.
func typedList(version, kind string, items ...string) string {
	return fmt.Sprintf(`{"kind": "%sList", "apiVersion": "%s", "metadata": {"resourceVersion": "1"}, "items": [%s]}`, kind, version, strings.Join(items, ",\n"))
}

// typed adds apiVersion and kind to an object.
func typed(version, kind, object string) string {
	return fmt.Sprintf(`{"apiVersion": "%s", "kind": "%s", `, version, kind) + strings.TrimPrefix(object, "{")
}

// shopDump returns a cluster in the form of `kubectl cluster-info dump`, plus the kinds that
// the command leaves out.
func shopDump() map[string]string {
	return map[string]string{
		"nodes.json":                              typedList("v1", "Node", plainObject),
		"istio-system/deployments.json":           typedList("apps/v1", "Deployment", istiodText),
		"istio-system/events.json":                typedList("v1", "Event", plainObject),
		"istio-system/configmaps.json":            typedList("v1", "ConfigMap", istioMap),
		"shop/deployments.json":                   typedList("apps/v1", "Deployment", shopText),
		"shop/replicasets.json":                   typedList("apps/v1", "ReplicaSet", shopReplicaSet),
		"shop/pods.json":                          typedList("v1", "Pod", shopPod),
		"shop/services.json":                      typedList("v1", "Service", shopService),
		"shop/endpointslices.json":                typedList("discovery.k8s.io/v1", "EndpointSlice", plainObject),
		"shop/replication-controllers.json":       typedList("v1", "ReplicationController"),
		"shop/web-1-x/logs.txt":                   "==== START logs for container web of pod shop/web-1-x ====\n{",
		"namespaces.yaml":                         "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
		"meshes.yaml":                             "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: NoSuchKind\nmetadata: {name: a}\n",
		"old.yaml":                                "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: istiod, namespace: old}\n",
		"shop/values.yaml":                        "image: web\nreplicas: 2\n",
		"shop/secrets.yaml":                       "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ndata: {password: c2VjcmV0}\n",
		"istio-system/deployments-of-nobody.json": typedList("apps/v1", "Deployment"),
	}
}

func TestDiscoverDump(t *testing.T) {
	t.Parallel()
	shop := []string{"Mesh istiod-istio-system-east", "Workload web-shop-east-deployment", "Destination web-shop-east"}
	with := func(changes map[string]string) map[string]string {
		files := shopDump()
		for name, text := range changes {
			files[name] = text
			if text == "" {
				delete(files, name)
			}
		}
		return files
	}
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"a tree of typed lists", shopDump(), shop},
		{
			"one List of everything",
			map[string]string{"all.json": fmt.Sprintf(`{"apiVersion": "v1", "kind": "List", "items": [%s]}`, strings.Join([]string{
				typed("v1", "Service", shopService), typed("apps/v1", "ReplicaSet", shopReplicaSet), typed("v1", "Pod", shopPod),
				typed("v1", "ConfigMap", istioMap), typed("apps/v1", "Deployment", shopText), typed("apps/v1", "Deployment", istiodText),
				typed("v1", "Node", plainObject), typed("v1", "Namespace", plainObject), typed("discovery.k8s.io/v1", "EndpointSlice", plainObject),
			}, ","))},
			shop,
		},
		{
			"documents",
			map[string]string{"all.yaml": strings.Join([]string{
				typed("v1", "Service", shopService), typed("apps/v1", "ReplicaSet", shopReplicaSet), typed("v1", "Pod", shopPod),
				typed("v1", "ConfigMap", istioMap), typed("apps/v1", "Deployment", shopText), typed("apps/v1", "Deployment", istiodText),
				typed("v1", "Node", plainObject), typed("v1", "Namespace", plainObject), typed("discovery.k8s.io/v1", "EndpointSlice", plainObject),
			}, "\n---\n")},
			shop,
		},
		{
			"a file that was cut off", with(map[string]string{"shop/broken.json": typedList("v1", "Pod", shopPod)[:300]}),
			append(slices.Clone(shop), "! UnreadableDocument DIR/shop/broken.json:2 (document 1): not valid JSON: unexpected end of JSON input"),
		},
		{
			"an object that does not fit its kind", with(map[string]string{"shop/odd.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: odd, namespace: shop}\nspec: {ports: none}\n"}),
			append(slices.Clone(shop), "! SchemaViolation DIR/shop/odd.yaml:1 (document 1): cannot be read as Service: cannot restore slice from string"),
		},
		{
			"objects twice", with(map[string]string{"zz.json": typedList("v1", "Service", strings.Replace(shopService, "80", "81", 1))}),
			append(slices.Clone(shop), "DuplicateObject DIR: duplicate objects: 1; only the first of each is used (for example, Service/web.shop: DIR/shop/services.json:1 (document 1, item 1) and DIR/zz.json:1 (document 1, item 1))"),
		},
		{
			"without a kind", with(map[string]string{"istio-system/configmaps.json": ""}),
			[]string{"UnlistedKind DIR: no objects of kind ConfigMap; not known: Istio meshes"},
		},
		{
			"nothing of interest",
			map[string]string{"secret.yaml": shopDump()["shop/secrets.yaml"]},
			[]string{"! UnlistedKind DIR: no objects found that discovery reads"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := writeTree(t, tt.files)
			dump, err := DiscoverDump(t.Context(), DumpOptions{Cluster: "east", Paths: []string{dir}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, dumpSummary(dump, dir)); diff != "" {
				t.Errorf("discovered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiscoverDumpErrors(t *testing.T) {
	t.Parallel()
	if _, err := DiscoverDump(t.Context(), DumpOptions{Cluster: "east", Paths: []string{"no-such-dir"}}); err == nil || !strings.Contains(err.Error(), "no-such-dir does not exist") {
		t.Errorf("got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := DiscoverDump(ctx, DumpOptions{Cluster: "east", Paths: []string{writeTree(t, shopDump())}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestEveryDiscoveredKindIsReadFromDumps fails if discovery reads a kind that the loader of
// dumps does not.
func TestEveryDiscoveredKindIsReadFromDumps(t *testing.T) {
	t.Parallel()
	table, err := (&rawObjects{}).kinds()
	if err != nil {
		t.Fatal(err)
	}
	if len(table.modelled) != len(meshdiscovery.Kinds()) {
		t.Errorf("%d kinds are read, %d wanted", len(table.modelled), len(meshdiscovery.Kinds()))
	}
}

// TestBundledDumpsShowTheBundledWorld compares the raw objects in testdata/dumps with the
// example world used by help texts and guides. The example world may lack facts, as
// worlds of other tools do.
func TestBundledDumpsShowTheBundledWorld(t *testing.T) {
	t.Parallel()
	world, err := Files(t.Context(), FileOptions{Paths: []string{"../../testdata/worlds/bookinfo-two-clusters"}, Recursive: true}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	var found meshdiscovery.Output
	for _, cluster := range []string{"east", "west"} {
		dump, err := DiscoverDump(t.Context(), DumpOptions{Cluster: cluster, Paths: []string{"../../testdata/dumps/" + cluster}})
		if err != nil {
			t.Fatal(err)
		}
		if len(dump.Problems)+len(dump.Output.Notes) > 0 {
			t.Errorf("%s: %v %v", cluster, dump.Problems, dump.Output.Notes)
		}
		found = meshdiscovery.Merge(found, dump.Output)
	}
	want, got := map[string]any{}, map[string]any{}
	hasFacts := map[string]bool{}
	for _, m := range world.Meshes {
		want[m.Resource.Name] = m.Resource.Spec
		hasFacts[m.Resource.Name] = m.Resource.Spec.Meshctl != nil
	}
	for _, w := range world.Workloads {
		want[w.Resource.Name] = w.Resource.Spec
		hasFacts[w.Resource.Name] = w.Resource.Spec.Meshctl != nil
	}
	for _, d := range world.Destinations {
		sortEndpointPorts(&d.Resource.Spec)
		want[d.Resource.Name] = d.Resource.Spec
		hasFacts[d.Resource.Name] = d.Resource.Spec.Meshctl != nil
	}
	for _, m := range found.Meshes {
		if !hasFacts[m.Name] {
			m.Spec.Meshctl = nil
		}
		got[m.Name] = m.Spec
	}
	for _, w := range found.Workloads {
		if !hasFacts[w.Name] {
			w.Spec.Meshctl = nil
		}
		got[w.Name] = w.Spec
	}
	for _, d := range found.Destinations {
		if !hasFacts[d.Name] {
			d.Spec.Meshctl = nil
		}
		sortEndpointPorts(&d.Spec)
		got[d.Name] = d.Spec
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the dumps differ from the world (-world +dumps):\n%s", diff)
	}
}

func sortEndpointPorts(spec *discoveryv1.DestinationSpec) {
	for _, subset := range spec.KubeService.EndpointSubsets {
		slices.SortFunc(subset.Ports, func(a, b discoveryv1.EndpointPort) int { return strings.Compare(a.Name, b.Name) })
	}
}
