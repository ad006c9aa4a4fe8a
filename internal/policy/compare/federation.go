package compare

import "github.com/meshctl/meshctl/internal/policy"

// MembershipChange is a mesh that moves to another VirtualMesh.
type MembershipChange struct {
	Mesh int
	// Before and After are the accepted VirtualMeshes of the mesh; nil for none.
	Before, After *policy.VirtualMesh
}

// compareMemberships sets Memberships.
func (c *comparer) compareMemberships() {
	for m := range c.after.Meshes {
		was, is := c.before.Meshes[m].VirtualMesh, c.after.Meshes[m].VirtualMesh
		if (was == nil) != (is == nil) || (was != nil && was.ID() != is.ID()) {
			c.Memberships = append(c.Memberships, MembershipChange{m, was, is})
		}
	}
}

// FederationChange is a group of Destinations of one mesh whose exposure to other
// meshes changes.
type FederationChange struct {
	// Mesh is the position of the Destinations' mesh.
	Mesh int
	// Before and After are nil if the Destinations are not federated.
	Before, After *policy.Federation
	Destinations  []int
}

// compareFederation sets Federation.
func (c *comparer) compareFederation() {
	type key struct {
		mesh          int
		before, after *policy.Federation
	}
	places := map[key]int{}
	for id := range c.after.Destinations {
		was, is := c.before.Destinations[id].Federation, c.after.Destinations[id].Federation
		if was.SameExposure(is) {
			continue
		}
		at := key{c.world().Destinations[id].Mesh.ID, was, is} // only Destinations of a mesh are federated
		k, known := places[at]
		if !known {
			k = len(c.Federation)
			places[at] = k
			c.Federation = append(c.Federation, FederationChange{Mesh: at.mesh, Before: was, After: is})
		}
		c.Federation[k].Destinations = append(c.Federation[k].Destinations, id)
	}
}
