package discovery

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// sidecarName is the name that Istio's injection gives to the proxy container.
const sidecarName = "istio-proxy"

// meshOf returns the mesh of a pod's sidecar; nil if the pod has no known
// sidecar. Istio, App Mesh and Open Service Mesh are tried in this order, and the
// first match is used.
func (d *discoverer) meshOf(pod *corev1.Pod) *foundMesh {
	if proxy := findProxy(pod, "istio", "proxy"); proxy != nil {
		if mesh := d.istioMeshOf(pod, proxy); mesh != nil {
			return mesh
		}
		d.addToTally(tally{
			message: "has an Istio sidecar, but no istiod that it belongs to was discovered in its cluster, so it is in no mesh",
			hint:    "A control plane outside of the cluster is not supported; if istiod runs here, see what is said about it.",
			skipped: true,
		}, d.object("Pod", pod.Namespace, pod.Name))
	} else {
		d.countUnknownProxy(pod)
	}
	if mesh := d.appMeshOf(pod); mesh != nil {
		return mesh
	}
	if len(d.osm) > 0 && hasOSMSidecar(pod) {
		return d.osm[0]
	}
	return nil
}

// findProxy returns the container that runs next to the application and whose
// image contains all of the parts. An init container with restart policy Always
// is a sidecar too; one that terminates is not.
func findProxy(pod *corev1.Pod, parts ...string) *corev1.Container {
	for i := range pod.Spec.Containers {
		if containsAll(pod.Spec.Containers[i].Image, parts...) {
			return &pod.Spec.Containers[i]
		}
	}
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; isNativeSidecar(c) && containsAll(c.Image, parts...) {
			return c
		}
	}
	return nil
}

func isNativeSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// countUnknownProxy warns about sidecars whose image is not recognised, because
// it was renamed or never filled in.
func (d *discoverer) countUnknownProxy(pod *corev1.Pod) {
	for _, containers := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range containers {
			if containers[i].Name != sidecarName {
				continue
			}
			message := `has a container istio-proxy, but its image does not contain both "istio" and "proxy", so it does not count as a sidecar`
			hint := "If it is an Istio proxy, keep istio and proxy in the path when mirroring its image."
			if containers[i].Image == "auto" {
				message = `has a container istio-proxy whose image is still "auto": injection has not touched the pod`
				hint = "Label the namespace or the pod for injection, and start the pod again."
			}
			d.addToTally(tally{scope: containers[i].Image, message: message, hint: hint, skipped: true}, d.object("Pod", pod.Namespace, pod.Name))
			return
		}
	}
}

// appMeshOf returns the App Mesh that the pod's proxy names in its variable
// mesh/NAME/virtualNode/NODE; nil if there is none.
func (d *discoverer) appMeshOf(pod *corev1.Pod) *foundMesh {
	if len(d.appMesh) == 0 {
		return nil
	}
	proxy := findProxy(pod, "appmesh", "envoy")
	if proxy == nil {
		return nil
	}
	node := environment(proxy, "APPMESH_VIRTUAL_NODE_NAME")
	parts := strings.Split(node, "/")
	if len(parts) != 4 {
		return nil
	}
	for _, mesh := range d.appMesh {
		if mesh.resource.Spec.AWSAppMesh.AWSName == parts[1] {
			return mesh
		}
	}
	return nil
}

// hasOSMSidecar reports whether Open Service Mesh injected its proxy.
func hasOSMSidecar(pod *corev1.Pod) bool {
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		if strings.Contains(c.Image, "openservicemesh/init") && strings.Contains(c.Name, "osm-init") {
			return findProxy(pod, "envoyproxy/envoy-alpine") != nil
		}
	}
	return false
}

// environment returns the literal value of an environment variable of a
// container; empty if it is not set.
func environment(c *corev1.Container, name string) string {
	for _, variable := range c.Env {
		if variable.Name == name {
			return variable.Value
		}
	}
	return ""
}
