package restart

import (
	"errors"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/world"
)

// Selection says which meshes to restart, in one of three ways.
type Selection struct {
	// Names are those of meshes, VirtualMeshes those of virtual meshes whose meshes
	// are meant; both as people type them.
	Names, VirtualMeshes []string
	// All means all Istio meshes.
	All bool
}

// Select returns the meshes that a selection means, each once, sorted by cluster
// and name. A mesh that a virtual mesh lists and that the world does not know has
// no Resource.
func Select(w *world.World, s Selection) ([]*world.Mesh, error) {
	var chosen []*world.Mesh
	var errs []error
	switch {
	case s.All:
		for _, mesh := range w.MeshPointers() {
			if mesh.Type == world.MeshIstio {
				chosen = append(chosen, mesh)
			}
		}
	case len(s.VirtualMeshes) > 0:
		chosen, errs = meshesOfVirtualMeshes(w, s.VirtualMeshes)
	default:
		for _, name := range s.Names {
			mesh, err := world.Resolve("mesh", w.MeshPointers(), (*world.Mesh).Names, name)
			errs = append(errs, err)
			chosen = append(chosen, mesh)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(chosen, func(a, b *world.Mesh) int {
		return strings.Compare(a.Cluster+"/"+a.Names().Full(), b.Cluster+"/"+b.Names().Full())
	})
	return slices.Compact(chosen), nil
}

// meshesOfVirtualMeshes returns the meshes that the named virtual meshes list;
// those that are not known have no Resource.
func meshesOfVirtualMeshes(w *world.World, names []string) ([]*world.Mesh, []error) {
	positions := make([]int, len(w.VirtualMeshes))
	for i := range positions {
		positions[i] = i
	}
	namesOf := func(i int) world.Names {
		vm := w.VirtualMeshes[i].Resource
		return world.Names{Kind: "VirtualMesh", Name: vm.Name, Namespace: vm.Namespace}
	}
	var (
		chosen []*world.Mesh
		errs   []error
	)
	for _, name := range names {
		i, err := world.Resolve("virtualmesh", positions, namesOf, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, ref := range w.VirtualMeshes[i].Resource.Spec.Meshes {
			mesh := w.MeshByRef(ref)
			if mesh == nil {
				// Its cluster may be unreachable.
				mesh = &world.Mesh{Ref: ref, Type: world.MeshUnknown}
			}
			chosen = append(chosen, mesh)
		}
	}
	return chosen, errs
}
