package compare

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Departure is the effect on other clusters when a cluster leaves.
type Departure struct {
	// VirtualMeshes are those that lose meshes, in the order of the world.
	VirtualMeshes []Separation
	// Unresolved are the policies that refer to removed objects, Idle those that
	// selected nothing else; both sorted.
	Unresolved, Idle []world.ObjectID
	// Federated is the number of Services of the cluster that other meshes can
	// call.
	Federated int
}

// Separation is a VirtualMesh that loses meshes.
type Separation struct {
	VirtualMesh world.ObjectID
	// Lost are its meshes in the leaving cluster, Left the remaining ones.
	Lost, Left []core.ObjectRef
	// Trust is the trust model; only shared trust remains valid after the
	// departure.
	Trust policy.TrustModel
}

// DepartureOf compares a world with the same world without the meshes, workloads
// and Services of a cluster.
func DepartureOf(before, after *policy.Result, cluster string) Departure {
	var d Departure
	for i := range before.VirtualMeshes {
		vm := &before.VirtualMeshes[i]
		s := Separation{VirtualMesh: vm.ID(), Trust: vm.Trust()}
		for _, position := range vm.Meshes {
			if mesh := &before.World.Meshes[position]; mesh.Cluster == cluster {
				s.Lost = append(s.Lost, mesh.Ref)
			} else {
				s.Left = append(s.Left, mesh.Ref)
			}
		}
		if len(s.Lost) > 0 {
			d.VirtualMeshes = append(d.VirtualMeshes, s)
		}
	}
	was := applications(before)
	for id, now := range applications(after) {
		then := was[id]
		switch {
		case then == nil:
		case len(then.AllErrors()) < len(now.AllErrors()):
			d.Unresolved = append(d.Unresolved, id)
		case len(then.Destinations) > 0 && len(now.Destinations) == 0:
			d.Idle = append(d.Idle, id)
		}
	}
	sortObjects(d.Unresolved)
	sortObjects(d.Idle)
	for i := range before.Destinations {
		if before.Destinations[i].Federation != nil && before.World.Destinations[i].Ref.ClusterName == cluster {
			d.Federated++
		}
	}
	return d
}

// applications returns the Application of every policy.
func applications(r *policy.Result) map[world.ObjectID]*policy.Application {
	all := map[world.ObjectID]*policy.Application{}
	for i := range r.TrafficPolicies {
		p := &r.TrafficPolicies[i]
		all[p.ID()] = &p.Application
	}
	for i := range r.AccessPolicies {
		p := &r.AccessPolicies[i]
		all[p.ID()] = &p.Application
	}
	return all
}

func sortObjects(ids []world.ObjectID) {
	slices.SortFunc(ids, func(a, b world.ObjectID) int {
		return strings.Compare(a.Kind+"\x00"+a.Namespace+"\x00"+a.Name, b.Kind+"\x00"+b.Namespace+"\x00"+b.Name)
	})
}
