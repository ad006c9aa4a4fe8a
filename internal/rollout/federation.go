package rollout

import (
	"slices"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
)

// LostFederation is federation that a plan ends although nobody asked for that: its
// VirtualMesh became INVALID.
type LostFederation struct {
	VirtualMesh world.ObjectID
	// Partial is true if the VirtualMesh still federates some of its meshes.
	Partial bool
	// Clusters are those that lose objects, sorted; Objects is their number.
	Clusters []string
	Objects  int
}

// LostFederation returns the federation that the plan ends, by VirtualMesh.
func (p *Plan) LostFederation() []LostFederation {
	var all []LostFederation
	for i := range p.Result.VirtualMeshes {
		vm := &p.Result.VirtualMeshes[i]
		if len(vm.Errors) == 0 {
			continue
		}
		if lost := p.lostFederation(vm); lost.Objects > 0 {
			all = append(all, lost)
		}
	}
	return all
}

func (p *Plan) lostFederation(vm *policy.VirtualMesh) LostFederation {
	lost := LostFederation{VirtualMesh: vm.ID(), Partial: vm.Effective}
	for i := range p.Clusters {
		c := &p.Clusters[i]
		before := lost.Objects
		for k := range c.Changes {
			change := &c.Changes[k]
			if change.Kind == kube.ChangeRemove && !istio.Protects(istio.Kind(change.Key.GVK.Kind)) && slices.Contains(change.Parents(), lost.VirtualMesh) {
				lost.Objects++
			}
		}
		if lost.Objects > before {
			lost.Clusters = append(lost.Clusters, c.Name)
		}
	}
	return lost
}
