package discovery

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// addressList collects addresses without blanks and duplicates, in the order in
// which they were found (D5).
type addressList struct {
	addresses []discoveryv1.ExternalAddress
	seen      map[string]bool
}

// add appends an address and prefers the IP if both are given. It reports whether
// there was an address.
func (l *addressList) add(ip, dnsName string) bool {
	address := discoveryv1.ExternalAddress{IP: pointer(ip)}
	text := ip
	if ip == "" {
		address.DNSName, text = pointer(dnsName), dnsName
	}
	if text == "" {
		return false
	}
	if !l.seen[text] {
		if l.seen == nil {
			l.seen = map[string]bool{}
		}
		l.seen[text] = true
		l.addresses = append(l.addresses, address)
	}
	return true
}

// externalAddresses returns the addresses at which a Service is reachable from
// outside its cluster: its own external addresses, then those of its load
// balancer or, for a node port, of the nodes that run its pods.
func (d *discoverer) externalAddresses(service *corev1.Service) []discoveryv1.ExternalAddress {
	var list addressList
	for _, ip := range service.Spec.ExternalIPs {
		list.add(ip, "")
	}
	switch service.Spec.Type {
	case corev1.ServiceTypeNodePort:
		var visited []string
		for pod := range d.podsMatching(service.Namespace, service.Spec.Selector) {
			if node := d.nodeByName[pod.Spec.NodeName]; node != nil && !slices.Contains(visited, node.Name) {
				visited = append(visited, node.Name)
				list.addNode(node)
			}
		}
	case corev1.ServiceTypeLoadBalancer:
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			list.add(ingress.IP, ingress.Hostname)
		}
	default: // all other types are reachable only inside the cluster
	}
	return list.addresses
}

// addNode adds the external IPs of a node (the internal ones for kind), and host
// names only if the node has no IP: Istio would resolve a list that mixes both
// through DNS (D5).
func (l *addressList) addNode(node *corev1.Node) {
	kind, found := isKindNode(node), false
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeExternalIP || (kind && a.Type == corev1.NodeInternalIP) {
			found = l.add(a.Address, "") || found
		}
	}
	if found {
		return
	}
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeHostName {
			l.add("", a.Address)
		}
	}
}
