package policy

import (
	"cmp"
	"fmt"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Two control planes of one cluster may share a root namespace, as revisions do
// during a canary upgrade. Policies for a whole mesh then apply to the pods of both
// (D64).

// root is a root namespace of a cluster.
type root struct{ cluster, namespace string }

// rootOf returns the root namespace of an Istio mesh; false if it is not known.
func rootOf(m *world.Mesh) (root, bool) {
	if m.Type != world.MeshIstio || m.Cluster == "" {
		return root{}, false
	}
	at := root{m.Cluster, cmp.Or(m.Resource.Spec.Istio.RootNamespace, m.Namespace)}
	return at, at.namespace != ""
}

// findSharedRoots sets Mesh.companions.
func (e *evaluator) findSharedRoots() {
	at := map[root][]int{}
	for i := range e.world.Meshes {
		if root, known := rootOf(&e.world.Meshes[i]); known {
			at[root] = append(at[root], i)
		}
	}
	for _, meshes := range at {
		for _, m := range meshes {
			for _, other := range meshes {
				if other != m {
					e.result.Meshes[m].companions = append(e.result.Meshes[m].companions, other)
				}
			}
		}
	}
}

// reportSharedRoots reports meshes that no VirtualMesh lists, but to which the
// mesh-wide policies of one apply.
func (e *evaluator) reportSharedRoots() {
	for i := range e.result.Meshes {
		mesh := &e.world.Meshes[i]
		own := e.result.Meshes[i].VirtualMesh
		for _, other := range e.result.Meshes[i].companions {
			vm := e.result.Meshes[other].VirtualMesh
			if vm == nil || own != nil && own.ID() == vm.ID() {
				continue
			}
			listed := &e.world.Meshes[other]
			at, _ := rootOf(mesh)
			e.report(finding.New(finding.CodeSharedRoot, vm.ID(), fmt.Sprintf(
				"mesh %s.%s has root namespace %s of cluster %s in common with %s.%s, which the VirtualMesh does not list: its TLS enforcement and its denial by default apply to both",
				listed.Ref.Name, listed.Ref.Namespace, at.namespace, at.cluster, mesh.Ref.Name, mesh.Ref.Namespace)))
		}
	}
}

// MeshWide returns the VirtualMesh whose policies for a whole mesh make a statement
// about the pods of a mesh: its own, or that of a mesh with the same root namespace;
// nil if none does.
func (r *Result) MeshWide(m *world.Mesh, states func(*VirtualMesh) bool) *VirtualMesh {
	if m == nil {
		return nil
	}
	if vm := r.Meshes[m.ID].VirtualMesh; vm != nil && states(vm) {
		return vm
	}
	for _, other := range r.Meshes[m.ID].companions {
		if vm := r.Meshes[other].VirtualMesh; vm != nil && states(vm) {
			return vm
		}
	}
	return nil
}

// DenyingByDefault returns the VirtualMesh that denies requests to the pods of a mesh
// which no AccessPolicy allows; nil if none does. MESH_DEFAULT means allow for Istio
// and deny for App Mesh.
func (r *Result) DenyingByDefault(m *world.Mesh) *VirtualMesh {
	return r.MeshWide(m, func(vm *VirtualMesh) bool {
		access := vm.GlobalAccessPolicy()
		return access == networkingv1.GlobalAccessPolicyEnabled || access == networkingv1.GlobalAccessPolicyMeshDefault && m.Type == world.MeshAppMesh
	})
}

// RequiringMutualTLS returns the VirtualMesh that makes the pods of a mesh require
// mutual TLS; nil if none does.
func (r *Result) RequiringMutualTLS(m *world.Mesh) *VirtualMesh {
	return r.MeshWide(m, func(vm *VirtualMesh) bool { return vm.TLSEnforcement() == networkingv1.EnforcementModeStrict })
}
