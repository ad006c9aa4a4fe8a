//go:build e2e && unix

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// departure is a way in which a member leaves.
type departure struct {
	name string
	// leave makes west leave, and comeBack undoes it as far as that is not what all
	// departures need.
	leave, comeBack func(t *testing.T, g *governed)
	// code is the exit code of apply afterwards: 1 if west is still one to write to.
	code int
}

func departures() []departure {
	register := func(t *testing.T, g *governed) {
		t.Helper()
		g.run(t, 0, "cluster", "register", "west", "--remote-context", "west")
	}
	nothing := func(*testing.T, *governed) {}
	return []departure{
		{"deregistered", func(t *testing.T, g *governed) {
			t.Helper()
			g.run(t, 0, "cluster", "deregister", "west", "--yes", "--remote-context", "west")
		}, register, 0},
		{"its KubernetesCluster is deleted", func(t *testing.T, g *governed) {
			t.Helper()
			key := kube.ObjectKey{GVK: schema.GroupVersionKind{Group: "multicluster.solo.io", Version: "v1alpha1", Kind: "KubernetesCluster"}, Namespace: "gloo-mesh", Name: "west"}
			if result := kube.Delete(t.Context(), g.management, key, kube.DeleteOptions{}); result.Err != nil {
				t.Fatal(result.Err)
			}
		}, register, 1},
		{"unreachable", func(t *testing.T, g *governed) {
			t.Helper()
			g.west.StopAPIServer()
			g.run(t, 1, "discover", "west", "--timeout", "5s")
		}, func(t *testing.T, g *governed) {
			t.Helper()
			if err := g.west.StartAPIServer(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"emptied", func(t *testing.T, g *governed) { // there never were Deployments
			t.Helper()
			g.run(t, 0, "discover", "west")
		}, nothing, 0},
		{"renamed", func(t *testing.T, g *governed) {
			t.Helper()
			g.run(t, 0, "cluster", "deregister", "west", "--yes", "--remote-context", "west")
			g.run(t, 0, "cluster", "register", "occident", "--remote-context", "west")
			g.run(t, 0, "discover", "occident")
		}, func(t *testing.T, g *governed) {
			t.Helper()
			g.run(t, 0, "cluster", "deregister", "occident", "--yes", "--remote-context", "west")
			register(t, g)
		}, 0},
	}
}

// TestDeparture has a member leave in every way, with and without a controller: the
// others keep every denial, the enforcement of TLS and what they are granted among
// themselves (D69, D70).
func TestDeparture(t *testing.T) {
	t.Parallel()
	g := newGoverned(t, "leaving")
	installIstioCRDs(t, g.east)
	installIstioCRDs(t, g.west)
	g.run(t, 0, "apply", "--yes")
	protected, ofWest := protection(t, g.east), protection(t, g.west)
	for _, key := range []string{"PeerAuthentication/istio-system/default", "AuthorizationPolicy/istio-system/global-access-control", "AuthorizationPolicy/bookinfo/details"} {
		if protected[key] == "" {
			t.Fatalf("east has no %s", key)
		}
	}
	restore := func(t *testing.T, d departure) {
		t.Helper()
		d.comeBack(t, g)
		g.putWorld(t)
	}
	for _, d := range departures() {
		t.Run(d.name, func(t *testing.T) {
			d.leave(t, g)
			got := g.run(t, d.code, "apply", "--yes")
			if diff := cmp.Diff(protected, protection(t, g.east)); diff != "" {
				t.Errorf("what protects east (-before +after):\n%s\napply said:\n%s", diff, got.stderr)
			}
			if d.name != "unreachable" {
				if diff := cmp.Diff(ofWest, protection(t, g.west)); diff != "" {
					t.Errorf("what protects west, which nobody writes to any more (-before +after):\n%s", diff)
				}
			}
			restore(t, d)
			g.run(t, 0, "apply", "--yes")
			if diff := cmp.Diff(protected, protection(t, g.east)); diff != "" {
				t.Errorf("what protects east after its return (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("it claims the trust domain of another one", g.testClaimedTrustDomain)
	w := watch(t, g.kubeconfig)
	w.hears(t, "applying to the clusters registered in namespace gloo-mesh", 1)
	for i, d := range departures() {
		t.Run(d.name+", with a controller", func(t *testing.T) {
			d.leave(t, g)
			// What is written after this was planned after the departure.
			timeout := fmt.Sprintf("%ds", 100+i)
			put(t, g.registry.management, parse(t, "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: e2e-sign, namespace: gloo-mesh}, spec: {"+
				"destinationSelector: [{kubeServiceRefs: {services: [{name: ratings, namespace: bookinfo, clusterName: east}]}}], policy: {requestTimeout: "+timeout+"}}}"))
			if err := clustertest.Eventually(t.Context(), 2*patience, func(context.Context) error {
				if route := configured(t, g.east, false)["VirtualService/bookinfo/ratings"]; !strings.Contains(route, timeout) {
					return fmt.Errorf("ratings has not got its timeout: %s", route)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(protected, protection(t, g.east)); diff != "" {
				t.Errorf("what protects east (-before +after):\n%s", diff)
			}
			restore(t, d)
			g.eventuallyRendered(t, g.west)
		})
	}
	w.ends(t, syscall.SIGTERM)
}

// putWorld writes what the bundled world has on the management cluster.
func (g *governed) putWorld(t *testing.T) {
	t.Helper()
	for _, m := range manifests(t, bundledWorld) {
		if m.object.GetKind() != "KubernetesCluster" && m.object.GetKind() != "Namespace" {
			put(t, g.registry.management, m.object)
		}
	}
}

// protection returns the objects of a cluster that deny, restrict or encrypt, without
// what they grant to west.
func protection(t *testing.T, c *clustertest.Cluster) map[string]string {
	t.Helper()
	found := map[string]string{}
	for key, text := range configured(t, c, false) {
		if !strings.HasPrefix(key, "AuthorizationPolicy/") && !strings.HasPrefix(key, "PeerAuthentication/") {
			continue
		}
		var spec any
		if err := json.Unmarshal([]byte(text), &spec); err != nil {
			t.Fatal(err)
		}
		own, err := json.Marshal(withoutWest(spec))
		if err != nil {
			t.Fatal(err)
		}
		found[key] = string(own)
	}
	return found
}

// withoutWest takes the identities of west out of lists that have others, too.
func withoutWest(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = withoutWest(v[key])
		}
	case []any:
		isWest := func(item any) bool {
			text, isText := item.(string)
			return isText && strings.HasPrefix(text, "west.example.internal/")
		}
		if others := slices.DeleteFunc(slices.Clone(v), isWest); len(others) > 0 {
			v = others
		}
		for i := range v {
			v[i] = withoutWest(v[i])
		}
		return v
	}
	return value
}

// testClaimedTrustDomain lets west change its trust domain to that of east: nothing is
// written to west, and nothing changes for east, until that is accepted by name
// (D73).
func (g *governed) testClaimedTrustDomain(t *testing.T) {
	east, west := configured(t, g.east, true), configured(t, g.west, true)
	const mesh = "istiod-istio-system-west"
	write(t, g.management, discoveredKey("Mesh", shopMesh, "west"),
		`{"metadata": {"annotations": {"discovery.meshctl.io/trust-domain": "west.example.internal"}}, "spec": {"istio": {"trustDomain": "east.example.internal"}}}`)
	const refused = "error: cluster west: the trust domain of mesh " + mesh + " changed from west.example.internal to east.example.internal, which is that of mesh istiod-istio-system-east: " +
		"if that is intended, accept it with 'meshctl apply --accept-trust-domain " + mesh + "=east.example.internal --context management'"
	g.expect(t, g.run(t, 1, "apply", "--yes").stderr, refused)
	if diff := cmp.Diff(east, configured(t, g.east, true)) + cmp.Diff(west, configured(t, g.west, true)); diff != "" {
		t.Errorf("before it was accepted (-before +after):\n%s", diff)
	}
	g.expect(t, g.run(t, 2, "apply", "--yes", "--accept-trust-domain", mesh+"=west.example.internal").stderr, "has the trust domain east.example.internal, not west.example.internal")
	g.run(t, 0, "apply", "--yes", "--accept-trust-domain", mesh+"=east.example.internal")
	if policy := configured(t, g.east, false)["AuthorizationPolicy/bookinfo/details"]; strings.Contains(policy, "west.example.internal") {
		t.Errorf("after it was accepted, east has %s", policy)
	}
	g.run(t, 0, "apply", "--yes") // it stays accepted
	g.putWorld(t)
	g.run(t, 0, "apply", "--yes", "--accept-trust-domain", mesh+"=west.example.internal")

	// A Mesh that was deleted comes back without its record; the VirtualMesh has one, too.
	if result := kube.Delete(t.Context(), g.management, discoveredKey("Mesh", shopMesh, "west"), kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	g.putWorld(t)
	write(t, g.management, discoveredKey("Mesh", shopMesh, "west"), `{"spec": {"istio": {"trustDomain": "east.example.internal"}}}`)
	g.expect(t, g.run(t, 1, "apply", "--yes").stderr, refused)
	g.putWorld(t)
	g.run(t, 0, "apply", "--yes")
}
