package sharedtrust

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Unaccepted returns the meshes whose changed trust domain has not been accepted. They get no
// certificates until it is accepted by name (D73).
func (s *Subject) Unaccepted() []*Mesh {
	var changed []*Mesh
	for i := range s.Meshes {
		if m := &s.Meshes[i]; m.TrustDomain != m.AcceptedDomain {
			changed = append(changed, m)
		}
	}
	return changed
}

// ChangeText describes the change of the trust domain of a mesh.
func (m *Mesh) ChangeText() string {
	text := fmt.Sprintf("its trust domain changed from %s to %s", m.AcceptedDomain, m.TrustDomain)
	if m.ClaimedFrom != "" {
		text += ", which is that of mesh " + m.ClaimedFrom
	}
	return text
}

// Accept accepts the trust domain of a mesh and returns the mesh. It returns an error if the
// mesh does not exist or has another trust domain.
func (s *Subject) Accept(name, domain string) (*Mesh, error) {
	var names []string
	for i := range s.Meshes {
		m := &s.Meshes[i]
		names = append(names, m.Ref.Name)
		if name != m.Ref.Name && name != m.Ref.Name+"."+m.Ref.Namespace {
			continue
		}
		if m.TrustDomain != domain {
			return nil, fmt.Errorf("mesh %s has the trust domain %s, not %s", m.Ref.Name, m.TrustDomain, domain)
		}
		m.AcceptedDomain = domain
		return m, nil
	}
	return nil, fmt.Errorf("mesh %s is not a mesh of VirtualMesh %s: must be one of: %s", name, s.Name(), strings.Join(names, ", "))
}

// acceptingManager is the field manager of accepted trust domains. It differs from that of
// discovery so that discovery keeps them.
const acceptingManager = kube.DefaultFieldManager + "-trust"

// RecordAccepted notes on the management cluster that the trust domain of a mesh was
// accepted, if the mesh still has it: on the Mesh and, because that may be deleted and
// discovered again, on the virtual meshes of the world that list it.
func RecordAccepted(ctx context.Context, management *kube.Connection, w *world.World, m *Mesh) error {
	key := kube.ObjectKey{GVK: discoveryv1.GroupVersion().WithKind("Mesh"), Namespace: m.Ref.Namespace, Name: m.Ref.Name}
	stored, err := kube.Get(ctx, management, key)
	if err != nil {
		return err
	}
	found, _, _ := unstructured.NestedString(stored.Object, "spec", "istio", "trustDomain")
	if found := world.TrustDomainOf(&discoveryv1.IstioMesh{TrustDomain: found}); found != m.TrustDomain {
		return fmt.Errorf("mesh %s now has the trust domain %s, not %s: try again", m.Ref.Name, found, m.TrustDomain)
	}
	object := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{
		"name": m.Ref.Name, "namespace": m.Ref.Namespace, "annotations": map[string]any{discoveryv1.TrustDomainAnnotation: m.TrustDomain},
	}}}
	object.SetGroupVersionKind(key.GVK)
	result := kube.Apply(ctx, management, []*unstructured.Unstructured{object}, kube.ApplyOptions{
		FieldManager: acceptingManager, Force: true, Version: stored.GetResourceVersion(),
	})[0]
	if result.Err != nil {
		return result.Err
	}
	accepted := Mesh{Ref: m.Ref, TrustDomain: m.TrustDomain, AcceptedDomain: m.TrustDomain}
	for i := range w.VirtualMeshes {
		vm := w.VirtualMeshes[i].Resource
		if w.VirtualMeshes[i].Outside || vm.UID == "" || !slices.Contains(vm.Spec.Meshes, m.Ref) {
			continue
		}
		err := ClusterHistory{Management: management}.Change(ctx, vm, func(t *Trail) (bool, error) { return t.accept([]Mesh{accepted}), nil })
		if err != nil {
			return err
		}
	}
	return nil
}
