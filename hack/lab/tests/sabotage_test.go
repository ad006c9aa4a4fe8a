//go:build linux

package tests

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/judge"
	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// TestSabotage breaks what meshctl has applied, one thing at a time, and holds
// that the comparison notices: a lab that agrees with everything proves nothing.
func TestSabotage(t *testing.T) {
	world := worldgen.Plain("sabotage", "STRICT", "ENABLED",
		worldgen.Resource("AccessPolicy", "web", `
sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: [{name: web, namespace: shop, clusterName: east}]}}]
destinationSelector: [{kubeServiceRefs: {services: [
  {name: stock, namespace: shop, clusterName: west}, {name: stock, namespace: shop, clusterName: east}]}}]
allowedPorts: [8080]`),
		worldgen.Resource("TrafficPolicy", "shift", `
destinationSelector: [{kubeServiceRefs: {services: [{name: stock, namespace: shop, clusterName: east}]}}]
policy:
  headerManipulation: {appendResponseHeaders: {x-shifted: "yes"}}
  trafficShift: {destinations: [{weight: 100, kubeService: {name: stock, namespace: shop, clusterName: east, subset: {version: v2}}}]}`))
	l := startLab(t, mesh.Options{Clusters: mesh.OptionsOf(&world)})
	if err := l.Manage(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Deploy(t.Context(), &world); err != nil {
		t.Fatal(err)
	}
	web, get := judge.WorkloadRef{Name: "web-v1", Namespace: "shop", Cluster: "east"}, client.Request{Protocol: client.HTTP1, Port: 8080}
	local, federated := judge.Ref{Name: "stock", Namespace: "shop", Cluster: "east"}, judge.Ref{Name: "stock", Namespace: "shop", Cluster: "west"}
	disagreements := func(t *testing.T, to judge.Ref) []judge.Disagreement {
		t.Helper()
		question, err := judge.Ask(world, describe(t, l), web, to, get)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		runner := judge.Runner{Sender: sender{l}}
		report := runner.Run(t.Context(), []judge.Question{question})
		if len(report.Errors) > 0 {
			t.Fatal(report)
		}
		return report.Disagreements
	}
	for _, to := range []judge.Ref{local, federated} {
		if found := disagreements(t, to); len(found) > 0 {
			t.Fatalf("before anything is broken: %s", found[0])
		}
	}
	tests := []struct {
		name                      string
		to                        judge.Ref
		cluster, apiVersion, kind string
		find, replace             string
		deleted                   bool
	}{
		{name: "wrong SNI", to: federated, cluster: "east", apiVersion: "networking.istio.io/v1", kind: "DestinationRule", find: "outbound_.8080_._.", replace: "outbound_.8081_._."},
		{name: "wrong port of the gateway", to: federated, cluster: "east", apiVersion: "networking.istio.io/v1", kind: "ServiceEntry", find: `"http":15443`, replace: `"http":15444`},
		{name: "wrong port of the pods", to: local, cluster: "east", apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", find: `"8081"`, replace: `"8080"`},
		{name: "wrong identity", to: federated, cluster: "west", apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", find: "sa/web", replace: "sa/spider"},
		{name: "wrong subset", to: local, cluster: "east", apiVersion: "networking.istio.io/v1", kind: "DestinationRule", find: `"version":"v2"`, replace: `"version":"v1"`},
		{name: "no VirtualService", to: local, cluster: "east", apiVersion: "networking.istio.io/v1", kind: "VirtualService", find: "stock.shop.svc.cluster.local", deleted: true},
		{name: "no Gateway", to: federated, cluster: "west", apiVersion: "networking.istio.io/v1", kind: "Gateway", find: "AUTO_PASSTHROUGH", deleted: true},
		{name: "no ServiceEntry", to: federated, cluster: "east", apiVersion: "networking.istio.io/v1", kind: "ServiceEntry", find: "stock.shop.svc.west.global", deleted: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sabotage(t, l.Cluster(tt.cluster), tt.apiVersion, tt.kind, tt.find, tt.replace, tt.deleted)
			found := disagreements(t, tt.to)
			if _, err := l.Meshctl(t.Context(), nil, "apply", "--yes"); err != nil {
				t.Fatal(err)
			}
			if len(found) == 0 {
				t.Error("the comparison has not noticed")
			}
		})
	}
	for _, to := range []judge.Ref{local, federated} {
		if found := disagreements(t, to); len(found) > 0 {
			t.Errorf("after everything was repaired: %s", found[0])
		}
	}
}

// sabotage changes or deletes the objects of a kind that contain a text.
func sabotage(t *testing.T, cluster *mesh.Cluster, apiVersion, kind, find, replace string, remove bool) {
	t.Helper()
	objects, err := cluster.Objects.List(context.WithoutCancel(t.Context()), apiVersion, kind)
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for i := range objects {
		spec, err := json.Marshal(objects[i].Object["spec"])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(spec), find) {
			continue
		}
		changed++
		if remove {
			err = cluster.Objects.Delete(t.Context(), objects[i])
		} else {
			body := `{"spec":` + strings.ReplaceAll(string(spec), find, replace) + `}`
			err = cluster.Objects.Patch(t.Context(), &objects[i], types.MergePatchType, []byte(body), metav1.PatchOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if changed == 0 {
		t.Fatalf("no %s contains %s", kind, find)
	}
}
