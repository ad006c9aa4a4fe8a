package reach

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// endpoint adds whether anything is behind the Destination, and whether meshctl knows
// everything that is.
func (c *Calls) endpoint(a *approach, from Caller, d *world.Destination) {
	if d.IsExternalName() {
		return // the name stage says where it leads
	}
	if has, _ := d.HasEndpoints(); !has {
		a.fail(CodeNoEndpoints, world.DestinationID(d), fmt.Sprintf("no pod was behind %s when cluster %s was discovered", d.Key(), d.Ref.ClusterName))
	}
	c.joined(a, from, d)
}

// carrying returns the receivers behind a Destination whose pods carry labels. Pods of no
// known workload do if no workload does.
func (c *Calls) carrying(d *world.Destination, labels map[string]string) []Receiver {
	all := c.Receivers(d)
	if len(labels) == 0 || len(d.Backing) == 0 {
		return all
	}
	var carrying, others []Receiver
	for _, r := range all {
		switch {
		case r.Workload == nil:
			others = append(others, r)
		case world.HasLabels(r.Workload.Labels, labels):
			carrying = append(carrying, r)
		}
	}
	switch {
	case len(carrying) > 0:
		return carrying
	case len(others) > 0:
		return others
	default:
		return all
	}
}

// joined looks for endpoints in clusters with which Istio itself joins the mesh that
// sends the request to pods: names of its Services then span these clusters, whose
// pods may answer, too.
func (c *Calls) joined(a *approach, from Caller, d *world.Destination) {
	mesh := from.Mesh
	switch {
	case isRemote(from, d):
		if mesh = d.Mesh; c.isFlat(d) {
			return // the addresses of pods are those of one cluster
		}
	case from.bare():
		return // Kubernetes itself knows the pods of one cluster only
	}
	if mesh == nil {
		return
	}
	clusters, _ := mesh.RemoteClusters()
	var open, without []string
	for _, cluster := range clusters {
		switch service := (core.ClusterObjectRef{Name: d.Ref.Name, Namespace: d.Ref.Namespace, ClusterName: cluster}); {
		case cluster == d.Ref.ClusterName:
		case c.hasMesh(cluster) && c.result.World.Service(service) == nil:
			without = append(without, cluster)
		default:
			open = append(open, cluster)
		}
	}
	joined := func(clusters []string) string {
		return fmt.Sprintf("mesh %s.%s with %s", mesh.Ref.Name, mesh.Ref.Namespace, text.Named("cluster", clusters))
	}
	if len(open) > 0 {
		slices.Sort(open)
		a.leaveOpen(CodeJoinedClusters, world.MeshID(mesh), fmt.Sprintf(
			"Istio joins %s, whose pods of Service %s.%s may receive the call and decide for themselves", joined(open), d.Ref.Name, d.Ref.Namespace))
		return
	}
	if len(without) > 0 {
		slices.Sort(without)
		a.assumed = append(a.assumed, fmt.Sprintf("Istio joins %s, where no Service %s.%s has pods", joined(without), d.Ref.Name, d.Ref.Namespace))
	}
}

// hasMesh reports whether a mesh was discovered in a cluster.
func (c *Calls) hasMesh(cluster string) bool {
	return slices.ContainsFunc(c.result.World.Meshes, func(m world.Mesh) bool { return slices.Contains(m.Clusters, cluster) })
}
