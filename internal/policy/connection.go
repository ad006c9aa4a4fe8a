package policy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/snapshot"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// ConnectionSetting is one effective setting of the connections from a cluster
// to a Destination.
type ConnectionSetting struct {
	Feature
	// Policy is the position of the TrafficPolicy, -1 if a VirtualMesh made the
	// setting.
	Policy int
	// VirtualMesh is set if Policy is -1.
	VirtualMesh *VirtualMesh
	// Ports restricts the setting to some ports of the Destination.
	Ports []uint32
}

// Connection returns the connection settings for requests of a workload to a
// Destination, sorted by field. They hold for all workloads of the cluster
// alike, whatever labels and namespaces a policy's sourceSelector names
// (semantics 2.2, 5.3).
func (r *Result) Connection(w *snapshot.Workload, destination int) []ConnectionSetting {
	var settings []ConnectionSetting
	keepalive := false
	for _, i := range r.Destinations[destination].Traffic {
		p := &r.TrafficPolicies[i]
		if p.rejectedOn(destination) || len(r.sources(i, w.Cluster)) == 0 {
			continue
		}
		for _, f := range p.connectionFeatures {
			if pool, ok := f.Value.(*networkingv1.ConnectionPoolSettings); ok {
				keepalive = keepalive || (pool.TCP != nil && pool.TCP.TCPKeepalive != nil)
			}
			if !slices.ContainsFunc(settings, func(s ConnectionSetting) bool {
				return s.Field == f.Field && portsMeet(s.Ports, p.Resource.Spec.DestinationPorts)
			}) {
				settings = append(settings, ConnectionSetting{Feature: f, Policy: i, Ports: p.Resource.Spec.DestinationPorts})
			}
		}
	}
	// A policy's keepalive wins over that of the VirtualMesh (semantics D26).
	if vm, value := r.crossClusterKeepalive(w, destination); value != nil && !keepalive {
		settings = append(settings, ConnectionSetting{Feature: Feature{fieldTCPKeepalive, value}, Policy: -1, VirtualMesh: vm})
	}
	slices.SortStableFunc(settings, func(a, b ConnectionSetting) int {
		if a.Field != b.Field {
			if a.Field < b.Field {
				return -1
			}
			return 1
		}
		return slices.Compare(a.Ports, b.Ports)
	})
	return settings
}

// crossClusterKeepalive returns the keepalive of the VirtualMesh for requests
// that leave the cluster, nil for others.
func (r *Result) crossClusterKeepalive(w *snapshot.Workload, destination int) (*VirtualMesh, *core.TCPKeepalive) {
	federation := r.Destinations[destination].Federation
	if federation == nil || r.World.Destinations[destination].Ref.ClusterName == w.Cluster {
		return nil, nil
	}
	return federation.VirtualMesh, federation.VirtualMesh.Resource.Spec.Federation.TCPKeepalive
}
