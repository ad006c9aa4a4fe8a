package policy

import "github.com/meshctl/meshctl/internal/world"

// Via is the way of a request from a workload to a Destination.
type Via string

// The ways: within the cluster, through the east-west gateway of the
// Destination's mesh, or directly to the pods of another cluster (D37).
const (
	ViaLocal   Via = "local"
	ViaGateway Via = "gateway"
	ViaFlat    Via = "flat"
)

// Reach returns the hostname and the way by which a workload reaches a
// Destination; false if it cannot: Services of other clusters must be federated
// to the workload's mesh.
func (r *Result) Reach(w *world.Workload, d *world.Destination) (hostname string, via Via, ok bool) {
	if !r.Reaches(w, d.ID) {
		return "", "", false
	}
	if w.Cluster == d.Ref.ClusterName {
		return d.Hostname, ViaLocal, true
	}
	federation := r.Destinations[d.ID].Federation
	if federation.Flat {
		return federation.FederatedHostname(d), ViaFlat, true
	}
	return federation.FederatedHostname(d), ViaGateway, true
}

// Reaches reports whether a workload can reach a Destination.
func (r *Result) Reaches(w *world.Workload, destination int) bool {
	d := &r.World.Destinations[destination]
	if w.Mesh == nil || !d.IsService() {
		return false
	}
	return w.Cluster == d.Ref.ClusterName || r.Destinations[destination].Federation.includes(w.Mesh.ID)
}
