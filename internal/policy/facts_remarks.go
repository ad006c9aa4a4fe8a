package policy

import (
	"github.com/meshctl/meshctl/internal/policy/remark"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// remarkFacts reports the facts that discovery does not know and that verdicts in the
// meshes of a VirtualMesh depend on (D46).
func (e *evaluator) remarkFacts() {
	dependent := map[*VirtualMesh]*remark.Dependent{}
	for i := range e.result.VirtualMeshes {
		if vm := &e.result.VirtualMeshes[i]; vm.Effective {
			dependent[vm] = &remark.Dependent{Meshes: vm.Meshes}
		}
	}
	for id := range e.result.Destinations {
		mesh := e.world.Destinations[id].Mesh
		if mesh == nil || !e.world.Destinations[id].IsService() {
			continue
		}
		vm := e.result.Meshes[mesh.ID].VirtualMesh
		on := dependent[vm]
		if on == nil {
			continue
		}
		if vm.TLSEnforcement() == networkingv1.EnforcementModeStrict || e.result.deniesByDefault(mesh) || len(e.result.RulesOf(id)) > 0 {
			on.Guarded = append(on.Guarded, id)
		}
		if f := e.result.Destinations[id].Federation; f != nil && !f.Flat {
			on.Exported = append(on.Exported, id)
		}
	}
	for i := range e.result.VirtualMeshes {
		if vm := &e.result.VirtualMeshes[i]; vm.Effective {
			e.remark(vm.ID(), remark.AboutFacts(e.world, *dependent[vm]))
		}
	}
}
