package discovery

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// workloadFacts returns what the pods of a controller show. Only Istio's proxies
// are known in detail.
func (d *discoverer) workloadFacts(owner *controller, mesh *foundMesh) *discoveryv1.WorkloadFacts {
	pods := running(owner.pods)
	facts := &discoveryv1.WorkloadFacts{Proxy: d.presence(pods)}
	if facts.Proxy == discoveryv1.PresenceSome {
		d.addToTally(tally{
			scope: owner.namespace, message: "has pods with a proxy and pods without one",
			hint: "Calls to pods without a proxy use no mutual TLS, and their own calls follow no policy; restart the workload with injection enabled.",
		}, d.object(owner.kind, owner.namespace, owner.name))
	}
	if mesh.resource.Spec.Istio == nil {
		return facts
	}
	facts.ProxyType = d.proxyType(pods)
	facts.DNSCapture = d.dnsCapture(owner, pods, mesh)
	facts.Ambient = d.ambient(pods)
	return facts
}

// running returns the pods that can take part in calls. If none can, it returns all
// of them, which show what the next ones will be like.
func running(pods []*corev1.Pod) []*corev1.Pod {
	var found []*corev1.Pod
	for _, pod := range pods {
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if !ended && pod.DeletionTimestamp == nil {
			found = append(found, pod)
		}
	}
	if len(found) == 0 {
		return pods
	}
	return found
}

// hasProxy reports whether a pod has a proxy, whether its mesh is known or not.
func (d *discoverer) hasProxy(pod *corev1.Pod) bool {
	return d.proxied[pod] || findProxy(pod, "istio", "proxy") != nil
}

// presence returns how many of the pods have a proxy; empty without pods.
func (d *discoverer) presence(pods []*corev1.Pod) discoveryv1.Presence {
	count := 0
	for _, pod := range pods {
		if d.hasProxy(pod) {
			count++
		}
	}
	switch {
	case len(pods) == 0:
		return ""
	case count == 0:
		return discoveryv1.PresenceNone
	case count < len(pods):
		return discoveryv1.PresenceSome
	default:
		return discoveryv1.PresenceAll
	}
}

// proxyType returns what the proxies of the pods are for: gateways only if all of
// them are. Empty if there is none.
func (d *discoverer) proxyType(pods []*corev1.Pod) discoveryv1.ProxyType {
	labels := d.detector().GatewayWorkloadLabels
	found := discoveryv1.ProxyType("")
	for _, pod := range pods {
		proxy := findProxy(pod, "istio", "proxy")
		if proxy == nil {
			continue
		}
		// The role is an argument; where a dump lacks it, the pod's shape tells.
		if slices.Contains(proxy.Args, "sidecar") || !isGateway(pod, labels) {
			return discoveryv1.ProxySidecar
		}
		found = discoveryv1.ProxyGateway
	}
	return found
}

// dnsCapture returns whether the proxies of the pods capture DNS requests; nil if
// none of the pods says so. If the proxies differ, a name resolves in some of them
// only, so that the workload cannot rely on it.
func (d *discoverer) dnsCapture(owner *controller, pods []*corev1.Pod, mesh *foundMesh) *bool {
	byDefault := mesh.resource.Spec.Meshctl.DNSCapture
	anyStated, all, none := false, true, true
	for _, pod := range pods {
		proxy := findProxy(pod, "istio", "proxy")
		if proxy == nil {
			continue
		}
		captures, stated := d.capturesDNS(pod, proxy)
		if !stated {
			captures = byDefault != nil && *byDefault
		}
		anyStated = anyStated || stated
		all, none = all && captures, none && !captures
	}
	if !anyStated {
		return nil
	}
	if !all && !none {
		d.addToTally(tally{
			scope: owner.namespace, message: "has pods that capture DNS requests and pods that do not; it counts as one that does not",
			hint: "Restart the workload, so that all of its pods have the same settings.",
		}, d.object(owner.kind, owner.namespace, owner.name))
	}
	return &all
}

// ambient returns whether any of the pods is in ambient mode; nil if that is not
// known. A pod with a proxy never is.
func (d *discoverer) ambient(pods []*corev1.Pod) *bool {
	inAmbient, known := false, true
	for _, pod := range pods {
		if d.hasProxy(pod) {
			continue
		}
		namespace, hasNamespace := d.namespaceLabels[pod.Namespace]
		mode, hasMode := pod.Labels[dataplaneModeLabel]
		switch {
		case pod.Annotations[redirectionKey] == "enabled", hasMode && mode == ambient, !hasMode && namespace[dataplaneModeLabel] == ambient:
			inAmbient = true
		case !hasMode && !hasNamespace:
			known = false
		}
	}
	if !inAmbient && !known {
		return nil
	}
	return &inAmbient
}
