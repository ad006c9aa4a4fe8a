package rollout

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestChangedTrustDomain lets a mesh claim the trust domain of another one. Until the change
// is accepted by name, nothing is written to its cluster, and nothing changes for the other
// mesh (D73).
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

// TestTrustDomainsOutliveMeshes has a member leave and come back with another trust
// domain, which a new Mesh object knows nothing of: the VirtualMesh remembers the one
// before until the new one is accepted, or it no longer lists the mesh (D73).
func TestTrustDomainsOutliveMeshes(t *testing.T) {
	t.Parallel()
	const (
		own, other = "cluster-01.example.com", "cluster-00.example.com"
		name       = "istiod-istio-system-cluster-01"
		key        = name + ".gloo-mesh."
	)
	w := newGovernedWorld(3)
	meshes := w.objects.Meshes
	at := slices.IndexFunc(meshes, func(o world.Object[discoveryv1.Mesh]) bool { return o.Resource.Name == name })
	recorded := func() string {
		t.Helper()
		domain := ""
		for _, o := range w.objects.VirtualMeshes {
			domain += o.Resource.Status.RecordedTrustDomains()[key]
		}
		return domain
	}
	// pass is what one run of apply says about the cluster and then records.
	pass := func(world *world.World) string {
		t.Helper()
		plan, err := NewPlan(t.Context(), Input{World: world, Complete: true}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for i := range plan.Clusters {
			var changed *TrustDomainError
			if errors.As(plan.Clusters[i].Err, &changed) {
				said = changed.Mesh + ": " + changed.Accepted + " -> " + changed.Found
			}
		}
		updates, err := plan.statusUpdates()
		if err != nil {
			t.Fatal(err)
		}
		w.store(t, updates)
		return said
	}
	// discover makes the Mesh a new object, as discovery writes it.
	discover := func(domain string) {
		again := meshes[at]
		again.Resource = again.Resource.DeepCopy()
		again.Resource.UID, again.Resource.Status = "new", discoveryv1.MeshStatus{}
		again.Resource.Annotations = map[string]string{discoveryv1.TrustDomainAnnotation: domain}
		again.Resource.Spec.Istio.TrustDomain = domain
		w.objects.Meshes = slices.Concat(meshes[:at], []world.Object[discoveryv1.Mesh]{again}, meshes[at+1:])
	}
	current := func() *world.World { return world.New(w.objects) }
	type step struct{ Said, Recorded string }
	var got []step
	note := func(said string) { got = append(got, step{said, recorded()}) }

	note(pass(current()))
	w.objects.Meshes = slices.Delete(slices.Clone(meshes), at, at+1)
	note(pass(current()))
	discover(other)
	note(pass(current()))
	note(pass(current())) // asking again changes nothing
	accepted, _, err := current().AcceptTrustDomain(name, other)
	if err != nil {
		t.Fatal(err)
	}
	note(pass(accepted))
	note(pass(current()))
	discover(own)
	note(pass(current())) // neither is the one before accepted without being named
	for i := range w.objects.VirtualMeshes {
		spec := &w.objects.VirtualMeshes[i].Resource.Spec
		spec.Meshes = slices.DeleteFunc(slices.Clone(spec.Meshes), func(ref core.ObjectRef) bool { return ref.Name == name })
	}
	note(pass(current()))
	claimed := step{name + ": " + own + " -> " + other, own}
	want := []step{{"", own}, {"", own}, claimed, claimed, {"", other}, {"", other}, {name + ": " + other + " -> " + own, other}, {"", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what apply says, and what is recorded then (-want +got):\n%s", diff)
	}
}

// A record that cannot be a trust domain never becomes a part of identities.
func TestRecordsThatAreNoTrustDomains(t *testing.T) {
	t.Parallel()
	for _, record := range []string{"", "*", "east.example.com/ns/a", "EAST"} {
		w := newGovernedWorld(3)
		for _, o := range w.objects.Meshes {
			o.Resource.Annotations = map[string]string{discoveryv1.TrustDomainAnnotation: record}
		}
		for _, o := range w.objects.VirtualMeshes {
			o.Resource.Status.Meshctl = &networkingv1.VirtualMeshRecord{TrustDomains: map[string]string{}}
			for _, ref := range o.Resource.Spec.Meshes {
				o.Resource.Status.Meshctl.TrustDomains[networkingv1.TrustDomainKey(ref)] = record
			}
		}
		if changed := world.New(w.objects).ChangedTrustDomains(); len(changed) > 0 {
			t.Errorf("%q is believed of %d meshes", record, len(changed))
		}
	}
}
