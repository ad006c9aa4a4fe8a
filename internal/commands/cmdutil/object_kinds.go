package cmdutil

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// WorkloadKind returns the kind Workload.
func WorkloadKind() ObjectKind {
	return ObjectKind{
		Name: "workload", Plural: "workloads", Kind: "Workload",
		Objects: func(w *world.World) []world.Names {
			return namesOfAll(w.WorkloadPointers(), (*world.Workload).Names)
		},
		labels:    func(w *world.World, i int) map[string]string { return w.Workloads[i].Labels },
		labelled:  "pod labels",
		Hint:      hintWorkload,
		inCluster: true,
	}
}

// DestinationKind returns the kind Destination.
func DestinationKind() ObjectKind {
	return ObjectKind{
		Name: "destination", Plural: "destinations", Kind: "Destination",
		Objects: func(w *world.World) []world.Names {
			return namesOfAll(w.DestinationPointers(), (*world.Destination).Names)
		},
		labels:    func(w *world.World, i int) map[string]string { return w.Destinations[i].Labels },
		labelled:  "Service labels",
		Hint:      HintDestination,
		inCluster: true,
	}
}

// MeshKind returns the kind Mesh.
func MeshKind() ObjectKind {
	return ObjectKind{
		Name: "mesh", Plural: "meshes", Kind: "Mesh",
		Objects: func(w *world.World) []world.Names {
			return namesOfAll(w.MeshPointers(), (*world.Mesh).Names)
		},
		labels:    func(w *world.World, i int) map[string]string { return w.Meshes[i].Resource.Labels },
		labelled:  "labels",
		Hint:      HintMesh,
		clusters:  func(w *world.World, i int) []string { return w.Meshes[i].Clusters },
		inCluster: true,
	}
}

// VirtualMeshKind returns the kind VirtualMesh.
func VirtualMeshKind() ObjectKind {
	return ObjectKind{
		Name: "virtualmesh", Plural: "virtual meshes", Kind: "VirtualMesh",
		Objects: func(w *world.World) []world.Names {
			return resourceNames("VirtualMesh", w.VirtualMeshes, func(r *networkingv1.VirtualMesh) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.VirtualMeshes[i].Resource.Labels },
		labelled: "labels",
		Hint:     HintVirtualMesh,
	}
}

// TrafficPolicyKind returns the kind TrafficPolicy.
func TrafficPolicyKind() ObjectKind {
	return ObjectKind{
		Name: "trafficpolicy", Plural: "traffic policies", Kind: "TrafficPolicy",
		Objects: func(w *world.World) []world.Names {
			return resourceNames("TrafficPolicy", w.TrafficPolicies, func(r *networkingv1.TrafficPolicy) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.TrafficPolicies[i].Resource.Labels },
		labelled: "labels",
		Hint:     hintPolicy(policy.KindTrafficPolicy),
	}
}

// AccessPolicyKind returns the kind AccessPolicy.
func AccessPolicyKind() ObjectKind {
	return ObjectKind{
		Name: "accesspolicy", Plural: "access policies", Kind: "AccessPolicy",
		Objects: func(w *world.World) []world.Names {
			return resourceNames("AccessPolicy", w.AccessPolicies, func(r *networkingv1.AccessPolicy) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.AccessPolicies[i].Resource.Labels },
		labelled: "labels",
		Hint:     hintPolicy(policy.KindAccessPolicy),
	}
}

// ClusterKind returns the kind KubernetesCluster.
func ClusterKind() ObjectKind {
	return ObjectKind{
		Name: "cluster", Plural: "clusters", Kind: "KubernetesCluster",
		Objects: func(w *world.World) []world.Names {
			return namesOfAll(w.Clusters(), func(name string) world.Names { return world.Names{Kind: "KubernetesCluster", Name: name} })
		},
		Hint:   hintCluster,
		global: true,
	}
}
