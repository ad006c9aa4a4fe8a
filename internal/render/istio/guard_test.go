package istio_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// storedIn are objects of cluster east that protect, as they were rendered when
// everything was in order.
func storedIn(t *testing.T, all rendered, cluster string) map[string]istio.Stored {
	t.Helper()
	stored := map[string]istio.Stored{}
	for i := range all.objects {
		o := &all.objects[i]
		if o.Cluster != cluster || !istio.Protects(o.Kind) {
			continue
		}
		fields, err := o.Fields()
		if err != nil {
			t.Fatal(err)
		}
		spec, _ := fields["spec"].(map[string]any)
		stored[o.Name] = istio.Stored{Cluster: cluster, Kind: o.Kind, Namespace: o.Namespace, Spec: spec, Parents: o.Parents}
	}
	return stored
}

// TestGuard breaks or changes a world in many ways, and holds which of the
// objects that protected east stay if nothing is rendered in their place.
func TestGuard(t *testing.T) {
	t.Parallel()
	validator := validation.New()
	base, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "grid", "two-clusters.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(base) + "\n---" + protected
	stored := storedIn(t, render(loadText(t, validator, text)), "east")
	const (
		denial, gateway, api, web, tls = "global-access-control", "allow-ingress-gateway-istio-ingressgateway", "api", "web", "default"
	)
	ofMesh, all := []string{denial, gateway, tls}, []string{denial, gateway, api, web, tls}
	spec := func(o *world.Objects) *networkingv1.VirtualMeshSpec { return &o.VirtualMeshes[0].Resource.Spec }
	for name, c := range map[string]struct {
		change     func(*world.Objects)
		incomplete bool
		want       []string
	}{
		"nothing changes, so it is what the user wants": {func(*world.Objects) {}, false, nil},
		"the VirtualMesh is deleted":                    {func(o *world.Objects) { o.VirtualMeshes = nil }, false, nil},
		"the VirtualMesh is not in the manifests":       {func(o *world.Objects) { o.VirtualMeshes = nil }, true, ofMesh},
		"the policies are deleted":                      {func(o *world.Objects) { o.AccessPolicies = nil }, false, nil},
		"the policies are not in the manifests":         {func(o *world.Objects) { o.AccessPolicies = nil }, true, []string{api, web}},
		"everything is gone but for the meshes":         {func(o *world.Objects) { o.VirtualMeshes, o.AccessPolicies = nil, nil }, true, all},
		"the VirtualMesh leaves the mesh out":           {func(o *world.Objects) { spec(o).Meshes = spec(o).Meshes[1:] }, false, nil},
		"the schema rejects the VirtualMesh": {func(o *world.Objects) {
			o.VirtualMeshes[0].Errors = []string{"spec.meshes: too many"}
		}, false, ofMesh},
		"the VirtualMesh contradicts the Settings": {func(o *world.Objects) {
			spec(o).Federation.TLSEnforcementSettings.EnforcementMode = networkingv1.EnforcementModeDisable
		}, false, ofMesh},
		"the mesh is gone": {func(o *world.Objects) {
			o.Meshes = slices.DeleteFunc(o.Meshes, func(m world.Object[discoveryv1.Mesh]) bool { return strings.HasSuffix(m.Resource.Name, "east") })
		}, false, all},
		"it is not known where the mesh is": {func(o *world.Objects) {
			for i := range o.Meshes {
				o.Meshes[i].Resource.Spec.Istio.Installation.Namespace = ""
			}
		}, false, ofMesh},
		"the mesh is of another type": {func(o *world.Objects) {
			for i := range o.Meshes {
				m := &o.Meshes[i].Resource.Spec
				m.Linkerd, m.Istio = &discoveryv1.LinkerdMesh{Installation: m.Istio.Installation}, nil
			}
		}, false, all},
		"a wildcard makes a policy invalid": {func(o *world.Objects) {
			for i := range o.AccessPolicies {
				if p := o.AccessPolicies[i].Resource; p.Name == "visitors" {
					p.Spec.SourceSelector[0].KubeIdentityMatcher.Namespaces = []string{"*"}
				}
			}
		}, false, []string{web}},
		"the Services are gone, but not their pods": {func(o *world.Objects) { o.Destinations = nil }, false, all}, // the VirtualMesh names one, too
		"the Services are gone with their pods":     {func(o *world.Objects) { o.Destinations, o.Workloads = nil, nil }, false, ofMesh},
		"a Service has lost its selector": {func(o *world.Objects) {
			for i := range o.Destinations {
				if d := o.Destinations[i].Resource; d.Name == "api-shop-east" {
					d.Spec.KubeService.WorkloadSelectorLabels = nil
				}
			}
		}, false, []string{api}},
		"a policy is about another Service now": {func(o *world.Objects) {
			for i := range o.AccessPolicies {
				if p := o.AccessPolicies[i].Resource; p.Name == "visitors" {
					p.Spec.DestinationSelector = selecting(core.ClusterObjectRef{Name: "db", Namespace: "data", ClusterName: "west"})
				}
			}
		}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := loadText(t, validator, text)
			c.change(&objects)
			guard := istio.NewGuard(policy.Evaluate(world.New(objects)), !c.incomplete)
			var kept []string
			for name, object := range stored {
				if guard.Keeps(object, nil) != "" {
					kept = append(kept, name)
				}
			}
			less := cmp.Transformer("sorted", func(names []string) []string { return slices.Sorted(slices.Values(names)) })
			if diff := cmp.Diff(c.want, kept, less); diff != "" {
				t.Errorf("what stays (-want +got)\n%s", diff)
			}
		})
	}
}

// TestGuardOfModes holds that TLS enforcement is loosened only by who asks for
// that.
func TestGuardOfModes(t *testing.T) {
	t.Parallel()
	mode := func(name string) map[string]any { return map[string]any{"mtls": map[string]any{"mode": name}} }
	id := world.ObjectID{Kind: "VirtualMesh", Namespace: "gloo-mesh", Name: "strict"}
	stored := istio.Stored{Cluster: "east", Kind: istio.KindPeerAuthentication, Namespace: "istio-system", Spec: mode("STRICT"), Parents: []world.ObjectID{id}}
	vm := &networkingv1.VirtualMesh{}
	vm.Name, vm.Namespace = "strict", "gloo-mesh"
	for _, c := range []struct {
		errors []string
		to     string
		want   string
	}{
		{nil, "PERMISSIVE", ""},
		{[]string{"it contradicts itself"}, "PERMISSIVE", "its source VirtualMesh/strict.gloo-mesh is INVALID: it contradicts itself"},
		{[]string{"it contradicts itself"}, "DISABLE", "its source VirtualMesh/strict.gloo-mesh is INVALID: it contradicts itself"},
		{[]string{"it contradicts itself"}, "STRICT", ""},
	} {
		objects := world.Objects{VirtualMeshes: []world.Object[networkingv1.VirtualMesh]{{Resource: vm, Errors: c.errors}}}
		guard := istio.NewGuard(policy.Evaluate(world.New(objects)), true)
		if got := guard.Keeps(stored, mode(c.to)); got != c.want {
			t.Errorf("to %s with errors %q: %q, want %q", c.to, c.errors, got, c.want)
		}
	}
	orphan := stored
	orphan.Parents = nil
	if got := istio.NewGuard(policy.Evaluate(world.New(world.Objects{})), true).Keeps(orphan, nil); got == "" {
		t.Error("what does not say where it comes from is deleted")
	}
}
