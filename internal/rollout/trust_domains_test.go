package rollout

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestChangedTrustDomain lets a mesh claim the trust domain of another one. Until the change
// is accepted by name, nothing is written to its cluster, and nothing changes for the other
// mesh (semantics D73).
func TestChangedTrustDomain(t *testing.T) {
	t.Parallel()
	bundled := func(change func(*discoveryv1.Mesh)) *world.World {
		t.Helper()
		objects, err := load.Files(t.Context(), load.FileOptions{Paths: []string{"../../testdata/worlds/bookinfo-two-clusters"}, Recursive: true}, validation.New())
		if err != nil {
			t.Fatal(err)
		}
		for i := range objects.Meshes {
			if m := objects.Meshes[i].Resource; strings.HasSuffix(m.Name, "-west") {
				change(m)
			}
		}
		return world.New(objects)
	}
	claim := func(m *discoveryv1.Mesh) {
		m.Annotations = map[string]string{discoveryv1.TrustDomainAnnotation: m.Spec.Istio.TrustDomain}
		m.Spec.Istio.TrustDomain = "east.example.internal"
	}
	planned := func(w *world.World) *Plan {
		t.Helper()
		plan, err := NewPlan(t.Context(), Input{World: w, Complete: true, Failures: map[string]error{"east": errors.New("not contacted here")}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	objectsOf := func(p *Plan, name string) []istio.Object {
		for i := range p.Clusters {
			if p.Clusters[i].Name == name {
				return p.Clusters[i].Objects
			}
		}
		return nil
	}
	texts := func(objects []istio.Object) []string {
		t.Helper()
		var all []string
		encoder := istio.NewEncoder()
		for i := range objects {
			text, err := encoder.YAML(&objects[i])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
		return all
	}
	before, claimed := planned(bundled(func(*discoveryv1.Mesh) {})), planned(bundled(claim))
	if diff := cmp.Diff(texts(objectsOf(before, "east")), texts(objectsOf(claimed, "east"))); diff != "" {
		t.Errorf("east (-before +after):\n%s", diff)
	}
	const want = "cluster west: the trust domain of mesh istiod-istio-system-west changed from west.example.internal to east.example.internal, which is that of mesh istiod-istio-system-east: " +
		"if that is intended, accept it with 'meshctl apply --accept-trust-domain istiod-istio-system-west=east.example.internal'"
	var changed *TrustDomainError
	for i := range claimed.Clusters {
		if c := &claimed.Clusters[i]; c.Name == "west" && (!errors.As(c.Err, &changed) || c.Err.Error() != want) {
			t.Errorf("west: %v, want %s", c.Err, want)
		}
	}
	accepted, mesh, err := bundled(claim).AcceptTrustDomain("istiod-istio-system-west", "east.example.internal")
	if err != nil || mesh.AcceptedTrustDomain != "east.example.internal" {
		t.Fatal(mesh, err)
	}
	if text := strings.Join(texts(objectsOf(planned(accepted), "east")), ""); strings.Contains(text, "west.example.internal") {
		t.Error("after acceptance, policies still use the previous trust domain")
	}
	for name, domain := range map[string]string{"istiod-istio-system-west": "west.example.internal", "istiod-istio-system-north": "east.example.internal"} {
		if _, _, err := bundled(claim).AcceptTrustDomain(name, domain); err == nil {
			t.Errorf("%s=%s is accepted", name, domain)
		}
	}
}
