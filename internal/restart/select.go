package restart

import (
	"errors"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/world"
)

// Selection selects the meshes to restart, in one of three ways.
type Selection struct {
	// Names are names of meshes. VirtualMeshes are names of virtual meshes, which select all of
	// their meshes. Both are as typed by the user.
	Names, VirtualMeshes []string
	// All selects all Istio meshes.
	All bool
}

// Select returns the selected meshes without duplicates, sorted by cluster and name. A mesh
// that a virtual mesh lists but the world does not contain has no Resource. Select returns an
// error for names that are unknown or ambiguous.
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

// meshesOfVirtualMeshes returns the meshes of the named virtual meshes. Unknown meshes have no
// Resource.
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
