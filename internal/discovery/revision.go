package discovery

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/world"
)

// istioMeshOf returns the istiod that the pod's proxy connects to (D3):
// the revision that injection recorded on the pod, or its label; if that is
// ambiguous, the discovery address of the proxy; else the default revision, else
// the first mesh. It returns nil if there is no Istio mesh, or if the pod's
// istiod was skipped.
func (d *discoverer) istioMeshOf(pod *corev1.Pod, proxy *corev1.Container) *foundMesh {
	if len(d.istio) == 0 {
		return nil
	}
	candidates, named := d.istio, false
	// The annotation is what injection used. The label may name a tag that was
	// moved since.
	revisions := []string{pod.Annotations[revisionLabel], pod.Labels[revisionLabel]}
	for _, revision := range revisions {
		if meshes := d.meshesOfRevision(revision); len(meshes) > 0 {
			candidates, named = meshes, true
			break
		}
	}
	revision := cmp.Or(revisions...)
	if len(candidates) == 1 && (named || revision == "") {
		return candidates[0]
	}
	for _, address := range d.discoveryAddresses(pod, proxy) {
		if meshes := d.meshesAtAddress(candidates, address, pod.Namespace); len(meshes) > 0 {
			return meshes[0]
		}
	}
	if named {
		return candidates[0]
	}
	if d.skippedRevisions[revision] || d.skippedRevisions[d.revisionByTag[revision]] {
		return nil
	}
	mesh := d.defaultMesh()
	if revision != "" && revision != defaultRevision {
		d.addToTally(tally{
			scope: revision,
			message: fmt.Sprintf("names the revision or tag %s, which no istiod of its cluster has; it is taken to be in the mesh %s",
				revision, mesh.resource.Name),
			hint: "Restart the workload, so that a revision that exists injects it.",
		}, d.object("Pod", pod.Namespace, pod.Name))
	}
	return mesh
}

// defaultMesh returns the Istio mesh of the default revision, else the first;
// nil if there is none.
func (d *discoverer) defaultMesh() *foundMesh {
	if meshes := d.meshesOfRevision(defaultRevision); len(meshes) > 0 {
		return meshes[0]
	}
	if len(d.istio) > 0 {
		return d.istio[0]
	}
	return nil
}

// meshesOfRevision returns the meshes of a revision, or of the revision that a tag with
// this name points to.
func (d *discoverer) meshesOfRevision(name string) []*foundMesh {
	if name == "" {
		return nil
	}
	for _, revision := range []string{name, d.revisionByTag[name]} {
		var found []*foundMesh
		for _, mesh := range d.istio {
			if mesh.revision == revision {
				found = append(found, mesh)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// discoveryAddresses returns the addresses from which the proxy may get its
// configuration, the most certain first: its own ProxyConfig, its arguments, the
// pod's annotation, and the CA address, which usually is istiod too.
func (d *discoverer) discoveryAddresses(pod *corev1.Pod, proxy *corev1.Container) []string {
	addresses := []string{d.proxyConfig(environment(proxy, proxyConfigVariable)).address}
	for i, argument := range proxy.Args {
		name, value, joined := strings.Cut(argument, "=")
		switch {
		case name != "--discoveryAddress":
		case joined:
			addresses = append(addresses, value)
		case i+1 < len(proxy.Args):
			addresses = append(addresses, proxy.Args[i+1])
		}
	}
	addresses = append(addresses, d.proxyConfig(pod.Annotations[proxyConfigKey]).address, environment(proxy, "CA_ADDR"))
	return slices.DeleteFunc(addresses, func(address string) bool { return address == "" })
}

// meshesAtAddress returns those meshes whose istiod has a service address such as
// istiod-canary.istio-system.svc:15012. A name without a namespace refers to the
// pod's own namespace.
func (d *discoverer) meshesAtAddress(meshes []*foundMesh, address, podNamespace string) []*foundMesh {
	host, _, _ := strings.Cut(address, ":")
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	name, rest, _ := strings.Cut(host, ".")
	namespace, _, _ := strings.Cut(rest, ".")
	namespace = cmp.Or(namespace, podNamespace)
	service := d.serviceByName[namespaced{namespace, name}]
	var found []*foundMesh
	for _, mesh := range meshes {
		deployment := mesh.deployment
		if deployment.Namespace != namespace {
			continue
		}
		selected := service != nil && len(service.Spec.Selector) > 0 &&
			world.HasLabels(deployment.Spec.Template.Labels, service.Spec.Selector)
		if selected || (service == nil && deployment.Name == name) {
			found = append(found, mesh)
		}
	}
	return found
}
