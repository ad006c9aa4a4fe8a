package discovery

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Controller names the controller of pods: a Deployment, DaemonSet or
// StatefulSet, or any other kind that pods name as their owner. The zero value
// means that there is none.
type Controller struct {
	// Kind is the name of the kind. Kinds outside the groups of Kubernetes
	// include their group, such as Rollout.argoproj.io.
	Kind string
	// Namespace and Name are those of the object.
	Namespace, Name string
}

// MeshMembers lists the pods of one mesh of a cluster.
type MeshMembers struct {
	// Mesh names the mesh as Discover does.
	Mesh core.ObjectRef
	// ControlPlane is the Deployment of the control plane; the zero value for an
	// App Mesh.
	ControlPlane Controller
	// Pods have a proxy of the mesh, sorted by namespace and name.
	Pods []MemberPod
}

// MemberPod is a pod with a proxy.
type MemberPod struct {
	Namespace, Name string
	// Owner is the top-level controller of the pod: for a ReplicaSet with a
	// controller, that controller. The zero value means that the pod has none.
	Owner Controller
	// Gateway is true if the pod is a gateway rather than a workload with a
	// sidecar.
	Gateway bool
}

// Members returns, for every mesh in the order of names, the pods of the cluster
// that have its proxy. All pods of one Deployment, DaemonSet or StatefulSet
// belong to the mesh that Discover assigns to its workload (D3). Pods
// that are not part of a workload, such as those of Jobs, are assigned one by
// one.
func Members(in Input) []MeshMembers {
	d := newDiscoverer(in)
	d.discoverIstio()
	d.discoverOtherMeshes()
	d.discoverAppMeshes()
	members := map[*foundMesh]*MeshMembers{}
	for _, list := range [][]*foundMesh{d.istio, d.osm, d.linkerd, d.appMesh} {
		for _, mesh := range list {
			m := &MeshMembers{Mesh: *mesh.ref()}
			if mesh.deployment != nil {
				m.ControlPlane = Controller{Kind: "Deployment", Namespace: mesh.deployment.Namespace, Name: mesh.deployment.Name}
			}
			members[mesh] = m
		}
	}
	d.assignPods(members)
	all := make([]MeshMembers, 0, len(members))
	for _, m := range members {
		slices.SortFunc(m.Pods, comparePods)
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b MeshMembers) int { return strings.Compare(a.Mesh.Name, b.Mesh.Name) })
	return all
}

func comparePods(a, b MemberPod) int {
	if a.Namespace != b.Namespace {
		return strings.Compare(a.Namespace, b.Namespace)
	}
	return strings.Compare(a.Name, b.Name)
}

// assignPods adds every pod with a proxy to its mesh.
func (d *discoverer) assignPods(members map[*foundMesh]*MeshMembers) {
	gateway := d.detector().GatewayWorkloadLabels
	add := func(mesh *foundMesh, pod *corev1.Pod, owner controllerID) {
		m := members[mesh]
		m.Pods = append(m.Pods, MemberPod{
			Namespace: pod.Namespace, Name: pod.Name, Gateway: isGateway(pod, gateway),
			Owner: Controller{Kind: owner.kind, Namespace: owner.namespace, Name: owner.name},
		})
	}
	controllers, known := d.controllers()
	deployments := d.deploymentOfReplicaSet()
	for _, pod := range d.pods {
		id := ownerOf(pod, deployments)
		if owner := known[id]; owner != nil {
			owner.pods = append(owner.pods, pod)
			continue
		}
		if mesh := d.meshOf(pod); mesh != nil {
			add(mesh, pod, id)
		}
	}
	for _, owner := range controllers {
		mesh := d.meshOfController(owner)
		if mesh == nil {
			continue
		}
		for _, pod := range owner.pods {
			if d.meshOf(pod) != nil {
				add(mesh, pod, owner.controllerID)
			}
		}
	}
}

// isGateway reports whether a pod with a proxy is a gateway: its proxy runs as a
// router, the proxy is its only container, or it carries the gateway labels.
func isGateway(pod *corev1.Pod, labels map[string]string) bool {
	proxy := findProxy(pod, "istio", "proxy")
	if proxy == nil {
		return false
	}
	return slices.Contains(proxy.Args, "router") || len(pod.Spec.Containers) == 1 && &pod.Spec.Containers[0] == proxy ||
		len(labels) > 0 && world.HasLabels(pod.Labels, labels)
}
