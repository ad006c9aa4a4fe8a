// Package v1 holds the resources of the discovery API group: Mesh, Workload and
// Destination.
//
// +kubebuilder:object:generate=true
// +groupName=discovery.mesh.gloo.solo.io
package v1

import "k8s.io/apimachinery/pkg/runtime/schema"

// GroupName is the name of the API group.
const GroupName = "discovery.mesh.gloo.solo.io"

// GroupVersion returns the API group and version of the resources.
func GroupVersion() schema.GroupVersion { return schema.GroupVersion{Group: GroupName, Version: "v1"} }
