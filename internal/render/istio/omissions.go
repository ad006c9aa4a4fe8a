package istio

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// Omission is something that is not rendered, with the reason.
type Omission struct {
	// Object is the omitted object: a policy, VirtualMesh, mesh or Destination.
	Object world.ObjectID
	// Cluster is the cluster of the omission; empty for all.
	Cluster string
	// Targets are the affected Destinations (NAME.NAMESPACE.CLUSTER), sorted;
	// empty for the object as a whole.
	Targets []string
	Reason  string
}

// Omissions returns the omissions that apply to all clusters, sorted. Cluster
// returns those of a single cluster.
func (r *Renderer) Omissions() []Omission { return slices.Clone(r.omissions[""]) }

func (r *Renderer) omit(o Omission) { r.omissions[o.Cluster] = append(r.omissions[o.Cluster], o) }

func sortOmissions(omissions []Omission) []Omission {
	slices.SortFunc(omissions, func(a, b Omission) int {
		return cmp.Or(compareIDs(a.Object, b.Object), strings.Compare(a.Reason, b.Reason), slices.Compare(a.Targets, b.Targets))
	})
	return slices.CompactFunc(omissions, func(a, b Omission) bool {
		return a.Object == b.Object && a.Cluster == b.Cluster && a.Reason == b.Reason && slices.Equal(a.Targets, b.Targets)
	})
}

// collectOmissions records the objects that the engine rejected and those that
// are not for Istio.
func (r *Renderer) collectOmissions() {
	for i := range r.result.VirtualMeshes {
		vm := &r.result.VirtualMeshes[i]
		for _, reason := range vm.Errors {
			r.omit(Omission{Object: vm.ID(), Reason: reason})
		}
	}
	for i := range r.world.Meshes {
		r.omitOfMesh(&r.world.Meshes[i])
	}
	for i := range r.world.Destinations {
		if d := &r.world.Destinations[i]; d.IsService() && d.Ref.ClusterName == "" {
			r.omit(Omission{Object: world.DestinationID(d), Reason: "it is not known in which cluster the Service is"})
		}
	}
	for _, e := range r.exports {
		if e != nil {
			r.omitOfExport(e)
		}
	}
	for i := range r.result.TrafficPolicies {
		p := &r.result.TrafficPolicies[i]
		r.omitOfPolicy(p.ID(), &p.Application)
	}
	for i := range r.result.AccessPolicies {
		p := &r.result.AccessPolicies[i]
		r.omitOfPolicy(p.ID(), &p.Application)
	}
	for cluster, omissions := range r.omissions {
		r.omissions[cluster] = sortOmissions(omissions)
	}
}

func (r *Renderer) omitOfMesh(m *world.Mesh) {
	id, decided := world.MeshID(m), &r.result.Meshes[m.ID]
	if !isIstio(m) {
		for _, cluster := range clustersOf(m) {
			r.omit(Omission{Object: id, Cluster: cluster, Reason: notTranslated(m)})
		}
		return
	}
	if !hasConfigNamespace(m) && decided.VirtualMesh != nil {
		r.omit(Omission{Object: id, Cluster: m.Cluster, Reason: "its installation is not known; mesh-wide objects and objects for other clusters are not rendered"})
	}
	for _, reason := range decided.Errors {
		r.omit(Omission{Object: id, Cluster: m.Cluster, Targets: r.keys(decided.Unexported), Reason: reason})
	}
	for _, g := range decided.Gateways {
		r.omitOfGateway(id, m, g)
	}
}

func (r *Renderer) omitOfGateway(id world.ObjectID, m *world.Mesh, g policy.Gateway) {
	d := &r.world.Destinations[g.Destination]
	note := func(reason string) {
		r.omit(Omission{Object: id, Cluster: m.Cluster, Targets: []string{d.Key()}, Reason: reason})
	}
	if len(g.Addresses) == 0 {
		note("the gateway has no external address yet; it is not exported to other clusters")
	}
	for _, address := range g.Addresses {
		if !isIP(address) && !isDNSName(address) {
			note(fmt.Sprintf("its address %q is neither an IP address nor a DNS name; it is not exported to other clusters", address))
		}
	}
	if len(d.Selector) == 0 {
		note("the Service of the gateway selects no pods, so it is not configured for requests from other clusters")
	}
}

// omitOfExport records the pods that requests from other clusters do not reach.
// Only a flat network lists pods there.
func (r *Renderer) omitOfExport(e *export) {
	if !e.federation.Flat {
		return
	}
	reason := ""
	switch pods := len(allPods(e)); {
	case pods > maxEndpoints:
		reason = fmt.Sprintf("it has %d pods, but a ServiceEntry supports only %d; the others get no requests from other clusters", pods, maxEndpoints)
	case pods == 0:
		reason = "no pods behind it are known; it is not exported to other clusters"
	default:
		return
	}
	r.omit(Omission{Object: world.DestinationID(e.destination), Cluster: e.destination.Ref.ClusterName, Reason: reason})
}

func clustersOf(m *world.Mesh) []string {
	if len(m.Clusters) == 0 {
		return []string{m.Cluster}
	}
	return m.Clusters
}

func notTranslated(m *world.Mesh) string {
	return fmt.Sprintf("meshes of type %s are not supported, so nothing is rendered for them", m.Type)
}

// omitOfPolicy records where a policy is not rendered: everywhere if it is
// INVALID, else on Destinations that reject it or are not in Istio.
func (r *Renderer) omitOfPolicy(id world.ObjectID, app *policy.Application) {
	for _, reason := range app.AllErrors() {
		r.omit(Omission{Object: id, Reason: reason})
	}
	if !app.Valid() {
		return
	}
	type where struct{ cluster, reason string }
	targets := map[where][]int{}
	for _, i := range app.Destinations {
		d := &r.world.Destinations[i]
		switch reasons := app.Rejected[i]; {
		case len(reasons) > 0:
			for _, reason := range reasons {
				at := where{d.Ref.ClusterName, reason}
				targets[at] = append(targets[at], i)
			}
		case d.Mesh == nil:
			at := where{d.Ref.ClusterName, "the Service does not belong to a known mesh"}
			targets[at] = append(targets[at], i)
		case !isIstio(d.Mesh):
			at := where{d.Ref.ClusterName, notTranslated(d.Mesh)}
			targets[at] = append(targets[at], i)
		}
	}
	for at := range maps.Keys(targets) {
		r.omit(Omission{Object: id, Cluster: at.cluster, Targets: r.keys(targets[at]), Reason: at.reason})
	}
}

// keys returns the keys of Destinations, sorted.
func (r *Renderer) keys(destinations []int) []string {
	keys := make([]string, 0, len(destinations))
	for _, i := range destinations {
		keys = append(keys, r.world.Destinations[i].Key())
	}
	slices.Sort(keys)
	return keys
}
