package world

import (
	"fmt"
	"slices"
	"strings"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// recallTrustDomains has meshes keep the trust domain that a VirtualMesh recorded for
// them: a Mesh that was deleted in between comes back without its own record.
func (w *World) recallTrustDomains() {
	for i := range w.VirtualMeshes {
		if w.VirtualMeshes[i].Outside {
			continue
		}
		vm := w.VirtualMeshes[i].Resource
		recorded := vm.Status.RecordedTrustDomains()
		for _, ref := range vm.Spec.Meshes {
			m := w.MeshByRef(ref)
			if m == nil || m.Type != MeshIstio || m.AcceptedTrustDomain != m.TrustDomain {
				continue
			}
			if domain := recorded[networkingv1.TrustDomainKey(ref)]; TrustDomainProblem(domain) == "" {
				m.AcceptedTrustDomain = domain
			}
		}
	}
}

// ChangedTrustDomains returns the Istio meshes whose trust domain is not the accepted
// one (D73), in the order of the world.
func (w *World) ChangedTrustDomains() []*Mesh {
	var changed []*Mesh
	for i := range w.Meshes {
		if m := &w.Meshes[i]; m.Type == MeshIstio && m.TrustDomain != m.AcceptedTrustDomain {
			changed = append(changed, m)
		}
	}
	return changed
}

// ClaimedFrom returns the mesh of another cluster that has the trust domain which a mesh
// changed to; empty if there is none, or if the mesh did not change.
func (w *World) ClaimedFrom(m *Mesh) string {
	if m.TrustDomain == m.AcceptedTrustDomain {
		return ""
	}
	for i := range w.Meshes {
		other := &w.Meshes[i]
		if other.Cluster != m.Cluster && other.Type == MeshIstio && other.AcceptedTrustDomain == m.TrustDomain {
			return other.Ref.Name
		}
	}
	return ""
}

// WithAcceptedTrustDomains returns the world as it would be if no mesh had changed its
// trust domain since that was accepted: identities keep the names that others know. The
// receiver does not change.
func (w *World) WithAcceptedTrustDomains() *World {
	if len(w.ChangedTrustDomains()) == 0 {
		return w
	}
	return w.withMeshes(func(m *Mesh) {
		if m.Type == MeshIstio {
			m.TrustDomain = m.AcceptedTrustDomain
		}
	})
}

// AcceptTrustDomain returns the world in which it is accepted that the mesh called
// NAME or NAME.NAMESPACE has a trust domain, and the mesh. The error says that it has
// another one, or that there is no such mesh.
func (w *World) AcceptTrustDomain(name, domain string) (*World, *Mesh, error) {
	var names []string
	for i := range w.Meshes {
		m := &w.Meshes[i]
		if m.Type != MeshIstio {
			continue
		}
		names = append(names, m.Ref.Name)
		if name != m.Ref.Name && name != m.Ref.Name+"."+m.Ref.Namespace {
			continue
		}
		if m.TrustDomain != domain {
			return nil, nil, fmt.Errorf("mesh %s has the trust domain %s, not %s", m.Ref.Name, m.TrustDomain, domain)
		}
		accepted := w.withMeshes(func(other *Mesh) {
			if other.ID == m.ID {
				other.AcceptedTrustDomain = domain
			}
		})
		return accepted, &accepted.Meshes[i], nil
	}
	return nil, nil, fmt.Errorf("no Istio mesh %s is known: must be one of: %s", name, strings.Join(names, ", "))
}

// withMeshes returns the world with changed copies of its meshes.
func (w *World) withMeshes(change func(*Mesh)) *World {
	changed := *w
	changed.Meshes = slices.Clone(w.Meshes)
	for i := range changed.Meshes {
		change(&changed.Meshes[i])
	}
	changed.Workloads = slices.Clone(w.Workloads)
	for i := range changed.Workloads {
		if m := changed.Workloads[i].Mesh; m != nil {
			changed.Workloads[i].Mesh = &changed.Meshes[m.ID]
		}
	}
	changed.Destinations = slices.Clone(w.Destinations)
	for i := range changed.Destinations {
		if m := changed.Destinations[i].Mesh; m != nil {
			changed.Destinations[i].Mesh = &changed.Meshes[m.ID]
		}
	}
	return &changed
}
