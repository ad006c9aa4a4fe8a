package discovery

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is a resource type that Discover reads.
type Kind struct {
	schema.GroupVersionResource
	// Kind is the name of the kind, as manifests spell it.
	Kind string
	// Optional is true if clusters may lack the resource, which is then not an
	// error.
	Optional bool
	// MetadataOnly is true if only the metadata is read.
	MetadataOnly bool
	// Without describes what the result lacks if the objects could not be listed.
	// Such a result must not be used to delete objects.
	Without string
}

// Kinds returns the resource types that Discover reads; no others need list
// permission.
func Kinds() []Kind {
	resource := func(group, version, plural string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Group: group, Version: version, Resource: plural}
	}
	return []Kind{
		{GroupVersionResource: resource("apps", "v1", "deployments"), Kind: "Deployment", Without: "meshes, and workloads that are Deployments"},
		{GroupVersionResource: resource("apps", "v1", "daemonsets"), Kind: "DaemonSet", Without: "workloads that are DaemonSets"},
		{GroupVersionResource: resource("apps", "v1", "statefulsets"), Kind: "StatefulSet", Without: "workloads that are StatefulSets"},
		{GroupVersionResource: resource("apps", "v1", "replicasets"), Kind: "ReplicaSet", MetadataOnly: true, Without: "workloads that are Deployments"},
		{GroupVersionResource: resource("", "v1", "pods"), Kind: "Pod", Without: "workloads and destinations"},
		{GroupVersionResource: resource("", "v1", "services"), Kind: "Service", Without: "destinations and ingress gateways"},
		{GroupVersionResource: resource("discovery.k8s.io", "v1", "endpointslices"), Kind: "EndpointSlice", Without: "endpoints of destinations"},
		{GroupVersionResource: resource("", "v1", "configmaps"), Kind: "ConfigMap", Without: "Istio meshes"},
		{GroupVersionResource: resource("", "v1", "nodes"), Kind: "Node", Without: "regions, zones and the addresses of node ports"},
		{GroupVersionResource: resource("", "v1", "namespaces"), Kind: "Namespace", MetadataOnly: true, Without: "notes about ambient mode"},
		{GroupVersionResource: resource("appmesh.k8s.aws", "v1beta2", "meshes"), Kind: "Mesh", Optional: true, Without: "App Mesh meshes"},
	}
}

// ControlPlaneNamespaces returns the namespaces, sorted, that hold a control
// plane whose ConfigMap Discover reads. ConfigMaps of other namespaces need not
// be listed.
func ControlPlaneNamespaces(deployments []appsv1.Deployment) []string {
	return namespacesOf(deployments, func(d *appsv1.Deployment) bool { return istiodImage(d) != "" || linkerdImage(d) != "" })
}

// RemoteSecretLabels selects the remote secrets of Istio: each gives istiod access
// to another cluster.
const RemoteSecretLabels = "istio/multiCluster=true"

// RemoteSecretNamespaces returns the namespaces, sorted, in which an istiod looks
// for remote secrets: its own.
func RemoteSecretNamespaces(deployments []appsv1.Deployment) []string {
	return namespacesOf(deployments, func(d *appsv1.Deployment) bool { return istiodImage(d) != "" })
}

// namespacesOf returns the namespaces of those Deployments, sorted.
func namespacesOf(deployments []appsv1.Deployment, wanted func(*appsv1.Deployment) bool) []string {
	var namespaces []string
	for i := range deployments {
		if wanted(&deployments[i]) {
			namespaces = append(namespaces, deployments[i].Namespace)
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}
