package discovery

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// region returns the region of the cluster's first node; empty if it has none.
func (d *discoverer) region() string {
	if len(d.nodes) == 0 {
		return ""
	}
	return regionOf(d.nodes[0])
}

// regionOf returns the region of a node; empty if it has none or the node is nil.
func regionOf(node *corev1.Node) string {
	if node == nil {
		return ""
	}
	return cmp.Or(node.Labels[corev1.LabelTopologyRegion], node.Labels[corev1.LabelFailureDomainBetaRegion])
}

// subLocalityOf returns the zone and subzone of a node; nil if it has no zone.
func subLocalityOf(node *corev1.Node) *discoveryv1.SubLocality {
	if node == nil {
		return nil
	}
	zone := cmp.Or(node.Labels[corev1.LabelTopologyZone], node.Labels[corev1.LabelFailureDomainBetaZone])
	if zone == "" {
		return nil
	}
	return &discoveryv1.SubLocality{Zone: zone, SubZone: node.Labels[subzoneLabel]}
}

// isKindNode reports whether a node is a kind container. Such a node has no
// external address, but its internal one is reachable.
func isKindNode(node *corev1.Node) bool {
	for _, image := range node.Status.Images {
		for _, name := range image.Names {
			if strings.Contains(name, "kindnetd") {
				return true
			}
		}
	}
	return false
}

// firstAddress returns the first address of the node with one of the types; empty
// if there is none.
func firstAddress(node *corev1.Node, types ...corev1.NodeAddressType) string {
	for _, a := range node.Status.Addresses {
		if a.Address != "" && slices.Contains(types, a.Type) {
			return a.Address
		}
	}
	return ""
}
