package istio_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	security "istio.io/api/security/v1"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// protected is a VirtualMesh that denies by default and enforces TLS in two
// meshes, and who may call what in both.
const protected = `
apiVersion: multicluster.solo.io/v1alpha1
kind: KubernetesCluster
metadata: {name: east, namespace: gloo-mesh}
spec: {clusterDomain: cluster.local}
---
apiVersion: multicluster.solo.io/v1alpha1
kind: KubernetesCluster
metadata: {name: west, namespace: gloo-mesh}
spec: {clusterDomain: cluster.local}
---
apiVersion: networking.mesh.gloo.solo.io/v1
kind: VirtualMesh
metadata: {name: prod, namespace: gloo-mesh}
spec:
  meshes:
  - {name: istiod-istio-system-east, namespace: gloo-mesh}
  - {name: istiod-istio-system-west, namespace: gloo-mesh}
  mtlsConfig: {shared: {rootCertificateAuthority: {generated: {}}}}
  globalAccessPolicy: ENABLED
  federation:
    selectors:
    - meshes: [{name: istiod-istio-system-west, namespace: gloo-mesh}]
      destinationSelectors:
      - kubeServiceRefs:
          services:
          - {name: api, namespace: shop, clusterName: east}
          - {name: db, namespace: data, clusterName: west}
    tlsEnforcementSettings: {enforcementMode: STRICT}
---
apiVersion: networking.mesh.gloo.solo.io/v1
kind: AccessPolicy
metadata: {name: both, namespace: gloo-mesh}
spec:
  sourceSelector:
  - kubeIdentityMatcher: {clusters: [east, west], namespaces: [shop]}
  destinationSelector:
  - kubeServiceRefs:
      services:
      - {name: api, namespace: shop, clusterName: east}
      - {name: db, namespace: data, clusterName: west}
---
apiVersion: networking.mesh.gloo.solo.io/v1
kind: AccessPolicy
metadata: {name: visitors, namespace: gloo-mesh}
spec:
  sourceSelector:
  - kubeIdentityMatcher: {clusters: [west]}
  destinationSelector:
  - kubeServiceRefs: {services: [{name: web, namespace: shop, clusterName: east}]}
`

// TestLeavingMember removes one of two meshes in every way that there is. The
// other one keeps every denial, its TLS enforcement, and what its workloads may
// call of each other (D69).
func TestLeavingMember(t *testing.T) {
	t.Parallel()
	validator := validation.New()
	base, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "grid", "two-clusters.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(base) + "\n---" + protected
	inEast := []string{"AuthorizationPolicy global-access-control.istio-system", "PeerAuthentication default.istio-system"}
	before := protectionIn(render(loadText(t, validator, text)), "east")
	if diff := cmp.Diff(map[string]string{
		"AuthorizationPolicy global-access-control.istio-system":                      "turns everybody away",
		"AuthorizationPolicy allow-ingress-gateway-istio-ingressgateway.istio-system": "anybody",
		"AuthorizationPolicy api.shop":                                                "east.example/ns/shop/sa/* west.example/ns/shop/sa/*",
		"AuthorizationPolicy web.shop":                                                "west.example/ns/*",
		"PeerAuthentication default.istio-system":                                     "STRICT",
	}, before); diff != "" {
		t.Fatalf("before the member leaves (-want +got)\n%s", diff)
	}

	isWest := func(name string) bool { return strings.Contains(name, "west") }
	meshGone := func(o *world.Objects) {
		o.Meshes = slices.DeleteFunc(o.Meshes, func(m world.Object[discoveryv1.Mesh]) bool { return isWest(m.Resource.Name) })
	}
	workloadsGone := func(o *world.Objects) {
		o.Workloads = slices.DeleteFunc(o.Workloads, func(w world.Object[discoveryv1.Workload]) bool { return isWest(w.Resource.Name) })
	}
	servicesGone := func(o *world.Objects) {
		o.Destinations = slices.DeleteFunc(o.Destinations, func(d world.Object[discoveryv1.Destination]) bool { return isWest(d.Resource.Name) })
	}
	clusterGone := func(o *world.Objects) {
		o.KubernetesClusters = slices.DeleteFunc(o.KubernetesClusters, func(c world.Object[multiclusterv1alpha1.KubernetesCluster]) bool {
			return isWest(c.Resource.Name)
		})
	}
	const (
		eastOnly = "east.example/ns/shop/sa/*"
		both     = eastOnly + " west.example/ns/shop/sa/*"
	)
	for name, way := range map[string]struct {
		leave func(*world.Objects)
		// api and web say who may call these Services of the other mesh then.
		api, web string
	}{
		"the Mesh is deleted":              {meshGone, eastOnly, "turns everybody away"},
		"the cluster is deregistered":      {func(o *world.Objects) { meshGone(o); workloadsGone(o); servicesGone(o); clusterGone(o) }, eastOnly, "turns everybody away"},
		"the KubernetesCluster is deleted": {clusterGone, both, "west.example/ns/*"},
		"its Deployments are deleted":      {func(o *world.Objects) { meshGone(o); workloadsGone(o) }, eastOnly, "turns everybody away"},
		"its workloads are deleted":        {workloadsGone, both, "west.example/ns/*"},
		"its Services are deleted":         {servicesGone, both, "west.example/ns/*"},
		"the Mesh has another name": {func(o *world.Objects) {
			for i := range o.Meshes {
				if m := o.Meshes[i].Resource; isWest(m.Name) {
					m.Name = "istiod-canary-istio-system-west"
				}
			}
		}, both, "west.example/ns/*"},
		"it is not Istio any more": {func(o *world.Objects) {
			for i := range o.Meshes {
				if m := o.Meshes[i].Resource; isWest(m.Name) {
					m.Spec.Linkerd, m.Spec.Istio = &discoveryv1.LinkerdMesh{Installation: m.Spec.Istio.Installation}, nil
				}
			}
		}, eastOnly, "turns everybody away"},
		"nobody knows where it is": {func(o *world.Objects) {
			for i := range o.Meshes {
				if m := o.Meshes[i].Resource; isWest(m.Name) {
					m.Spec.Istio.Installation = nil
				}
			}
		}, eastOnly, "turns everybody away"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := loadText(t, validator, text)
			way.leave(&objects)
			after := render(objects)
			got := protectionIn(after, "east")
			for _, name := range inEast {
				if got[name] != before[name] {
					t.Errorf("%s was %q and is %q", name, before[name], got[name])
				}
			}
			if len(got) != len(before) || got["AuthorizationPolicy api.shop"] != way.api || got["AuthorizationPolicy web.shop"] != way.web {
				t.Errorf("who may call what: got %v, want api for %q and web for %q", got, way.api, way.web)
			}
			east := after.result.Meshes[after.result.World.MeshByRef(core.ObjectRef{Name: "istiod-istio-system-east", Namespace: "gloo-mesh"}).ID]
			if vm := east.VirtualMesh; vm == nil || vm.TLSEnforcement() != networkingv1.EnforcementModeStrict || vm.Trust() != "shared" {
				t.Errorf("the mesh that stays is in %+v", vm)
			}
		})
	}
}

// protectionIn returns what denies, restricts or encrypts in a cluster, by name.
func protectionIn(all rendered, cluster string) map[string]string {
	found := map[string]string{}
	for i := range all.objects {
		o := &all.objects[i]
		if o.Cluster != cluster {
			continue
		}
		switch spec := o.Spec.(type) {
		case *security.PeerAuthentication:
			found[string(istio.KindPeerAuthentication)+" "+o.Name+"."+o.Namespace] = spec.GetMtls().GetMode().String()
		case *security.AuthorizationPolicy:
			var callers []string
			for _, rule := range spec.GetRules() {
				if len(rule.GetFrom()) == 0 {
					callers = append(callers, "anybody")
				}
				for _, from := range rule.GetFrom() {
					callers = append(callers, from.GetSource().GetPrincipals()...)
				}
			}
			if len(callers) == 0 {
				callers = []string{"turns everybody away"}
			}
			found[string(istio.KindAuthorizationPolicy)+" "+o.Name+"."+o.Namespace] = strings.Join(callers, " ")
		}
	}
	return found
}
