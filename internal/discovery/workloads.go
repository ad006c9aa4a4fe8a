package discovery

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

const appsGroup = "apps"

// controllerID names a controller of the cluster.
type controllerID struct{ kind, namespace, name string }

// controller is a Deployment, DaemonSet or StatefulSet with its pods.
type controller struct {
	controllerID
	template *corev1.PodTemplateSpec
	pods     []*corev1.Pod
	// namedPorts are the ports of the template's containers, once they are needed.
	namedPorts map[namedPort]uint32
}

// discoverWorkloads finds one workload per controller that owns a pod with a
// sidecar.
func (d *discoverer) discoverWorkloads() {
	controllers, known := d.controllers()
	deployments := d.deploymentOfReplicaSet()
	for _, pod := range d.pods {
		id := ownerOf(pod, deployments)
		if owner := known[id]; owner != nil {
			owner.pods = append(owner.pods, pod)
			continue
		}
		d.countUncontrolled(pod, id)
	}
	for _, owner := range controllers {
		mesh := d.meshOfController(owner)
		if mesh == nil {
			continue
		}
		workload := d.workload(owner, mesh)
		workload.Spec.Meshctl = d.workloadFacts(owner, mesh)
		d.workloads = append(d.workloads, workload)
		d.controllerOf[workload] = owner
		for _, pod := range owner.pods {
			d.workloadByPod[namespaced{pod.Namespace, pod.Name}] = workload
		}
	}
	sortByKey(d.workloads)
	for i, w := range d.workloads {
		d.workloadLabels.add(i, w.Spec.Kubernetes.Controller.Namespace, w.Spec.Kubernetes.PodLabels)
	}
}

// controllers returns all controllers, each kind in key order.
func (d *discoverer) controllers() ([]*controller, map[controllerID]*controller) {
	all := make([]*controller, 0, len(d.deployments)+len(d.daemonSets)+len(d.statefulSets))
	known := make(map[controllerID]*controller, cap(all))
	add := func(kind string, meta *metav1.ObjectMeta, template *corev1.PodTemplateSpec) {
		c := &controller{controllerID: controllerID{kind, meta.Namespace, meta.Name}, template: template}
		all = append(all, c)
		known[c.controllerID] = c
	}
	for _, o := range d.deployments {
		add("Deployment", &o.ObjectMeta, &o.Spec.Template)
	}
	for _, o := range d.daemonSets {
		add("DaemonSet", &o.ObjectMeta, &o.Spec.Template)
	}
	for _, o := range d.statefulSets {
		add("StatefulSet", &o.ObjectMeta, &o.Spec.Template)
	}
	return all, known
}

// deploymentOfReplicaSet returns the controller of each ReplicaSet that has one.
func (d *discoverer) deploymentOfReplicaSet() map[namespaced]controllerID {
	owners := make(map[namespaced]controllerID, len(d.replicaSets))
	for _, set := range d.replicaSets {
		if ref := metav1.GetControllerOfNoCopy(set); ref != nil {
			owners[namespaced{set.Namespace, set.Name}] = referenced(ref, set.Namespace)
		}
	}
	return owners
}

// ownerOf returns the top-level controller of a pod: for a ReplicaSet with a
// controller, that controller. The zero value means that there is none.
func ownerOf(pod *corev1.Pod, deployments map[namespaced]controllerID) controllerID {
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil {
		return controllerID{}
	}
	id := referenced(ref, pod.Namespace)
	if id.kind != "ReplicaSet" {
		return id
	}
	if owner, ok := deployments[namespaced{id.namespace, id.name}]; ok {
		return owner
	}
	return id
}

// referenced returns the object that an owner reference names. Kinds of other API
// groups, such as Argo Rollouts or OpenKruise, include their group.
func referenced(ref *metav1.OwnerReference, namespace string) controllerID {
	kind := ref.Kind
	if gv, err := schema.ParseGroupVersion(ref.APIVersion); err == nil && gv.Group != "" && gv.Group != appsGroup && gv.Group != "extensions" {
		kind += "." + gv.Group
	}
	return controllerID{kind, namespace, ref.Name}
}

// countUncontrolled notes pods that have a sidecar but are not part of a
// workload.
func (d *discoverer) countUncontrolled(pod *corev1.Pod, owner controllerID) {
	if findProxy(pod, "istio", "proxy") == nil {
		return
	}
	message := "has an Istio sidecar"
	switch owner.kind {
	case "":
		message += " but no controller, so it is no workload"
	case "ReplicaSet":
		message += ", but its ReplicaSet has no Deployment, so it is no workload"
	case "Deployment", "DaemonSet", "StatefulSet":
		message += fmt.Sprintf(", but its %s does not exist, so it is no workload", owner.kind)
	default:
		message += fmt.Sprintf(", but its controller is a %s, so it is no workload", owner.kind)
	}
	d.addToTally(tally{
		scope: pod.Namespace, message: message,
		hint: "Workloads are Deployments, DaemonSets and StatefulSets; policies that name no source still apply to calls of this pod.",
	}, d.object("Pod", pod.Namespace, pod.Name))
}

// meshOfController returns the mesh of the controller's first pod with a sidecar;
// nil if there is none.
func (d *discoverer) meshOfController(owner *controller) *foundMesh {
	var found, other *foundMesh
	for _, pod := range owner.pods {
		mesh := d.meshOf(pod)
		if mesh != nil {
			d.proxied[pod] = true
		}
		switch {
		case mesh == nil || mesh == found:
		case found == nil:
			found = mesh
		case other == nil:
			other = mesh
		}
	}
	if other != nil {
		d.note(Note{
			Object: d.object(owner.kind, owner.namespace, owner.name),
			Message: fmt.Sprintf("its pods are in the meshes %s and %s; it counts as a workload of the first",
				found.resource.Name, other.resource.Name),
			Hint: "Wait for its rollout to end, or restart it, then discover again.",
		})
	}
	return found
}

func (d *discoverer) workload(owner *controller, mesh *foundMesh) *discoveryv1.Workload {
	name := d.nameFor(d.workloadNames, owner.kind, owner.namespace, owner.name, "-"+strings.ToLower(owner.kind))
	return &discoveryv1.Workload{
		TypeMeta:   metav1.TypeMeta{APIVersion: discoveryv1.GroupVersion().String(), Kind: "Workload"},
		ObjectMeta: d.metadata(name),
		Spec: discoveryv1.WorkloadSpec{
			Kubernetes: &discoveryv1.KubernetesWorkload{
				Controller:         &core.ClusterObjectRef{Name: owner.name, Namespace: owner.namespace, ClusterName: d.cluster},
				PodLabels:          copyLabels(owner.template.Labels),
				ServiceAccountName: serviceAccount(&owner.template.Spec),
			},
			Mesh: mesh.ref(),
		},
	}
}
