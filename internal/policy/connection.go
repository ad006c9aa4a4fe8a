package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// ConnectionSetting is one effective setting of connections from a cluster to a
// Destination.
type ConnectionSetting struct {
	Feature
	// Policy is the position of the TrafficPolicy; -1 for a setting of a
	// VirtualMesh.
	Policy int
	// VirtualMesh is set if Policy is -1.
	VirtualMesh *VirtualMesh
	// Ports are the ports to which the setting is restricted.
	Ports []uint32
}

// Connection returns the connection settings for requests of a workload to a
// Destination, sorted by field. They apply to all workloads of the cluster,
// regardless of the labels and namespaces that a policy's sourceSelector contains.
func (r *Result) Connection(w *world.Workload, destination int) []ConnectionSetting {
	if !r.HasConnections(w) {
		return nil
	}
	pools := connections{all: serviceport.All(&r.World.Destinations[destination]), taken: map[string][]uint32{}}
	for _, i := range r.Destinations[destination].Traffic {
		p := &r.TrafficPolicies[i]
		if p.RejectedOn(destination) || len(r.sources(i, w.Cluster)) == 0 {
			continue
		}
		for _, f := range p.connectionFeatures {
			ports := pools.add(ConnectionSetting{Feature: f, Policy: i}, p)
			if pool, ok := f.Value.(*networkingv1.ConnectionPoolSettings); ok && pool.TCP != nil && pool.TCP.TCPKeepalive != nil {
				pools.taken[feature.TCPKeepalive] = append(pools.taken[feature.TCPKeepalive], ports...)
			}
		}
	}
	// A policy with the default mode makes no claim, but is named if no other
	// policy sets a mode.
	for _, i := range r.Destinations[destination].Traffic {
		p := &r.TrafficPolicies[i]
		if mode := p.tlsMode; mode != nil && !p.RejectedOn(destination) && len(r.sources(i, w.Cluster)) > 0 {
			pools.add(ConnectionSetting{Feature: *mode, Policy: i}, p)
		}
	}
	// A policy's keepalive overrides that of the VirtualMesh (D26).
	if vm, value := r.crossClusterKeepalive(w, destination); value != nil {
		pools.add(ConnectionSetting{Feature: Feature{feature.TCPKeepalive, value}, Policy: -1, VirtualMesh: vm}, &TrafficPolicy{Resource: &networkingv1.TrafficPolicy{}})
	}
	slices.SortStableFunc(pools.settings, func(a, b ConnectionSetting) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), slices.Compare(a.Ports, b.Ports))
	})
	return pools.settings
}

// connections assigns every port of a Service to the first policy with a setting
// for it.
type connections struct {
	all      []uint32
	taken    map[string][]uint32
	settings []ConnectionSetting
}

// add adds a setting for the policy's ports that are still free, and returns
// these.
func (c *connections) add(setting ConnectionSetting, p *TrafficPolicy) []uint32 {
	var ports []uint32
	for _, port := range c.all {
		if p.AllowsPort(port) && !slices.Contains(c.taken[setting.Field], port) {
			ports = append(ports, port)
		}
	}
	if len(ports) == 0 {
		return nil
	}
	c.taken[setting.Field] = append(c.taken[setting.Field], ports...)
	if len(ports) < len(c.all) {
		setting.Ports = ports
	}
	c.settings = append(c.settings, setting)
	return ports
}

// crossClusterKeepalive returns the keepalive of the VirtualMesh for requests
// that leave the cluster, nil for others.
func (r *Result) crossClusterKeepalive(w *world.Workload, destination int) (*VirtualMesh, *core.TCPKeepalive) {
	federation := r.Destinations[destination].Federation
	if federation == nil || r.World.Destinations[destination].Ref.ClusterName == w.Cluster {
		return nil, nil
	}
	return federation.VirtualMesh, federation.VirtualMesh.Resource.Spec.Federation.TCPKeepalive
}
