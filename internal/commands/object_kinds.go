package commands

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// workloadKind is the kind Workload.
func workloadKind() objectKind {
	return objectKind{
		name: "workload", plural: "workloads", kind: "Workload",
		objects: func(w *world.World) []world.Names {
			return namesOfAll(w.WorkloadPointers(), (*world.Workload).Names)
		},
		labels:    func(w *world.World, i int) map[string]string { return w.Workloads[i].Labels },
		labelled:  "pod labels",
		hint:      hintWorkload,
		inCluster: true,
	}
}

// destinationKind is the kind Destination.
func destinationKind() objectKind {
	return objectKind{
		name: "destination", plural: "destinations", kind: "Destination",
		objects: func(w *world.World) []world.Names {
			return namesOfAll(w.DestinationPointers(), (*world.Destination).Names)
		},
		labels:    func(w *world.World, i int) map[string]string { return w.Destinations[i].Labels },
		labelled:  "Service labels",
		hint:      hintDestination,
		inCluster: true,
	}
}

// meshKind is the kind Mesh.
func meshKind() objectKind {
	return objectKind{
		name: "mesh", plural: "meshes", kind: "Mesh",
		objects: func(w *world.World) []world.Names {
			return namesOfAll(w.MeshPointers(), (*world.Mesh).Names)
		},
		labels:    func(w *world.World, i int) map[string]string { return w.Meshes[i].Resource.Labels },
		labelled:  "labels",
		hint:      hintMesh,
		clusters:  func(w *world.World, i int) []string { return w.Meshes[i].Clusters },
		inCluster: true,
	}
}

// virtualMeshKind is the kind VirtualMesh.
func virtualMeshKind() objectKind {
	return objectKind{
		name: "virtualmesh", plural: "virtual meshes", kind: "VirtualMesh",
		objects: func(w *world.World) []world.Names {
			return resourceNames("VirtualMesh", w.VirtualMeshes, func(r *networkingv1.VirtualMesh) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.VirtualMeshes[i].Resource.Labels },
		labelled: "labels",
		hint:     hintVirtualMesh,
	}
}

// trafficPolicyKind is the kind TrafficPolicy.
func trafficPolicyKind() objectKind {
	return objectKind{
		name: "trafficpolicy", plural: "traffic policies", kind: "TrafficPolicy",
		objects: func(w *world.World) []world.Names {
			return resourceNames("TrafficPolicy", w.TrafficPolicies, func(r *networkingv1.TrafficPolicy) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.TrafficPolicies[i].Resource.Labels },
		labelled: "labels",
		hint:     hintPolicy(policy.KindTrafficPolicy),
	}
}

// accessPolicyKind is the kind AccessPolicy.
func accessPolicyKind() objectKind {
	return objectKind{
		name: "accesspolicy", plural: "access policies", kind: "AccessPolicy",
		objects: func(w *world.World) []world.Names {
			return resourceNames("AccessPolicy", w.AccessPolicies, func(r *networkingv1.AccessPolicy) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.AccessPolicies[i].Resource.Labels },
		labelled: "labels",
		hint:     hintPolicy(policy.KindAccessPolicy),
	}
}

// clusterKind is the kind KubernetesCluster.
func clusterKind() objectKind {
	return objectKind{
		name: "cluster", plural: "clusters", kind: "KubernetesCluster",
		objects: func(w *world.World) []world.Names {
			return namesOfAll(w.Clusters(), func(name string) world.Names { return world.Names{Kind: "KubernetesCluster", Name: name} })
		},
		hint:   hintCluster,
		global: true,
	}
}
