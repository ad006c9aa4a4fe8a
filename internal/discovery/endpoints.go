package discovery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryk8sv1 "k8s.io/api/discovery/v1"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// endpointSubsets returns the ready endpoints of a Service, grouped by the ports
// they listen on (D4). How they are distributed over slices does
// not matter. For a dual-stack Service only the first address family is used, so
// that each pod counts once.
func (d *discoverer) endpointSubsets(service *corev1.Service) []discoveryv1.EndpointsSubset {
	byPorts := map[string]*discoveryv1.EndpointsSubset{}
	for _, slice := range d.primarySlices(service) {
		ports := endpointPorts(slice)
		id := fmt.Sprint(ports)
		for i := range slice.Endpoints {
			endpoint, ready := d.endpoint(service, &slice.Endpoints[i])
			if !ready {
				continue
			}
			if byPorts[id] == nil {
				byPorts[id] = &discoveryv1.EndpointsSubset{Ports: ports}
			}
			byPorts[id].Endpoints = append(byPorts[id].Endpoints, endpoint)
		}
	}
	var subsets []discoveryv1.EndpointsSubset
	for _, subset := range byPorts {
		slices.SortStableFunc(subset.Endpoints, func(a, b discoveryv1.Endpoint) int {
			return strings.Compare(a.IPAddress, b.IPAddress)
		})
		// While the control plane rearranges slices, an endpoint may be in two of
		// them.
		subset.Endpoints = slices.CompactFunc(subset.Endpoints, func(a, b discoveryv1.Endpoint) bool {
			return a.IPAddress == b.IPAddress
		})
		subsets = append(subsets, *subset)
	}
	slices.SortFunc(subsets, func(a, b discoveryv1.EndpointsSubset) int {
		return slices.CompareFunc(a.Ports, b.Ports, comparePorts)
	})
	return subsets
}

// primarySlices returns the slices of one address family: the first one of the
// Service, else IPv4, else IPv6. Slices with host names are not supported.
func (d *discoverer) primarySlices(service *corev1.Service) []*discoveryk8sv1.EndpointSlice {
	all := d.slicesOf[namespaced{service.Namespace, service.Name}]
	families := make([]discoveryk8sv1.AddressType, 0, 4)
	for _, family := range service.Spec.IPFamilies {
		families = append(families, discoveryk8sv1.AddressType(family))
	}
	for _, family := range append(families, discoveryk8sv1.AddressTypeIPv4, discoveryk8sv1.AddressTypeIPv6) {
		var found []*discoveryk8sv1.EndpointSlice
		for _, slice := range all {
			if slice.AddressType == family && len(slice.Endpoints) > 0 {
				found = append(found, slice)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// endpoint converts an endpoint and reports whether it may receive traffic. As
// the EndpointSlice API defines, an endpoint without a ready condition is ready,
// and only its first address is used.
func (d *discoverer) endpoint(service *corev1.Service, e *discoveryk8sv1.Endpoint) (discoveryv1.Endpoint, bool) {
	ready := e.Conditions.Ready == nil || *e.Conditions.Ready
	if !ready || len(e.Addresses) == 0 || e.Addresses[0] == "" {
		return discoveryv1.Endpoint{}, false
	}
	endpoint := discoveryv1.Endpoint{IPAddress: e.Addresses[0], SubLocality: d.subLocality(e)}
	if pod := e.TargetRef; pod != nil && (pod.Kind == "" || pod.Kind == "Pod") {
		owner := d.workloadByPod[namespaced{cmp.Or(pod.Namespace, service.Namespace), pod.Name}]
		if owner != nil {
			endpoint.Labels = copyLabels(owner.Spec.Kubernetes.PodLabels)
		}
	}
	return endpoint, true
}

// subLocality returns the zone and subzone of an endpoint: those of its node, or
// the zone in the slice if the node is not known.
func (d *discoverer) subLocality(e *discoveryk8sv1.Endpoint) *discoveryv1.SubLocality {
	if e.NodeName == nil {
		return nil
	}
	if node := d.nodeByName[*e.NodeName]; node != nil {
		return subLocalityOf(node)
	}
	if e.Zone == nil || *e.Zone == "" {
		return nil
	}
	return &discoveryv1.SubLocality{Zone: *e.Zone}
}

// endpointPorts returns the ports of a slice, sorted, so that slices with equal
// ports fall into one group. A port without a number means all ports.
func endpointPorts(slice *discoveryk8sv1.EndpointSlice) []discoveryv1.EndpointPort {
	var ports []discoveryv1.EndpointPort
	for _, p := range slice.Ports {
		var port discoveryv1.EndpointPort
		if p.Port != nil {
			port.Port = portNumber(*p.Port)
		}
		if p.Name != nil {
			port.Name = *p.Name
		}
		if p.Protocol != nil {
			port.Protocol = string(*p.Protocol)
		}
		if p.AppProtocol != nil {
			port.AppProtocol = *p.AppProtocol
		}
		ports = append(ports, port)
	}
	slices.SortFunc(ports, comparePorts)
	return ports
}

func comparePorts(a, b discoveryv1.EndpointPort) int {
	return cmp.Or(
		strings.Compare(a.Name, b.Name), cmp.Compare(a.Port, b.Port),
		strings.Compare(a.Protocol, b.Protocol), strings.Compare(a.AppProtocol, b.AppProtocol),
	)
}
