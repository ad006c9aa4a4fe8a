package wizard

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Catalogue is what exists, so that questions offer nothing else. All lists are
// sorted, and shown in that order.
type Catalogue struct {
	Meshes []MeshChoice
	// Services are the Services of all clusters, and external services.
	Services []ServiceChoice
	// ServiceAccounts are those that workloads run as.
	ServiceAccounts []core.ClusterObjectRef
	// Namespaces are those of workloads and Services in any cluster.
	Namespaces []string
	Clusters   []string
	// WorkloadLabels and ServiceLabels are what selectors can ask for.
	WorkloadLabels []LabelChoice
	ServiceLabels  []LabelChoice
	// Taken are the resources of the kind that exist already, as NAME.NAMESPACE.
	Taken []string
}

// MeshChoice is a mesh that a VirtualMesh may group.
type MeshChoice struct {
	// Ref is the Mesh object on the management cluster.
	Ref                                 core.ObjectRef
	Cluster, Type, Version, TrustDomain string
	// VirtualMesh is the VirtualMesh that has it, as NAME.NAMESPACE; empty if none
	// has.
	VirtualMesh string
}

// ServiceChoice is a Service that requests go to.
type ServiceChoice struct {
	// Ref has no cluster if the service is external: then it is an object of the
	// management cluster.
	Ref   core.ClusterObjectRef
	Ports []PortChoice
	// Subsets are the values of each label that differs between the Service's
	// pods.
	Subsets map[string][]string
	// Labels are the Service's own.
	Labels   map[string]string
	External bool
	// Gateway says that the Service belongs to an ingress gateway.
	Gateway bool
}

// PortChoice is a port of a Service.
type PortChoice struct {
	Number uint32
	// Name is empty if the port has none.
	Name string
}

// LabelChoice is a label that something carries.
type LabelChoice struct {
	Key, Value string
	// Workloads is how many workloads, or Services, carry it.
	Workloads int
}
