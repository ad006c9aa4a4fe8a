package serviceport

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// OfPods returns the pods' ports for ports of a Destination's Service, ascending
// (D53). A number that is a port of the pods only means itself; one
// that is neither a Service nor a pod port is dropped. If the ports of the
// Service are not known, every number is kept.
func OfPods(d *world.Destination, numbers []uint32) []uint32 {
	if !Known(d) {
		return ascending(numbers)
	}
	var pods []uint32
	for _, number := range numbers {
		ports, _ := PodsBehind(d, number)
		pods = append(pods, ports...)
	}
	return ascending(pods)
}

// Known reports whether the ports of a Destination are known.
func Known(d *world.Destination) bool {
	return d.IsService() && len(d.Resource.Spec.KubeService.Ports) > 0
}

// PodsBehind resolves one number; ofService is true if it is a port of the
// Service.
func PodsBehind(d *world.Destination, number uint32) (pods []uint32, ofService bool) {
	isTarget := false
	for _, p := range d.Resource.Spec.KubeService.Ports {
		targets := targetsOfPort(d.Resource.Spec.KubeService, p)
		isTarget = isTarget || slices.Contains(targets, number)
		if p.Port == number {
			ofService = true
			pods = append(pods, targets...)
		}
	}
	if !ofService && isTarget {
		pods = []uint32{number}
	}
	return ascending(pods), ofService
}

// targetsOfPort returns the pods' ports for a port of their Service: one number,
// or several if the pods use different numbers for a named target.
func targetsOfPort(service *discoveryv1.KubeService, port discoveryv1.KubeServicePort) []uint32 {
	switch {
	case port.TargetPortName == nil || *port.TargetPortName == "":
		if port.TargetPortNumber != nil && *port.TargetPortNumber != 0 {
			return []uint32{*port.TargetPortNumber}
		}
		return []uint32{port.Port} // an unset target is the port itself
	default:
		var targets []uint32
		for _, group := range service.EndpointSubsets {
			for _, p := range group.Ports {
				// Endpoints carry the Service port's name; older discovery wrote
				// the container's.
				if p.Port != 0 && (p.Name == port.Name || p.Name == *port.TargetPortName) {
					targets = append(targets, p.Port)
				}
			}
		}
		return ascending(targets)
	}
}

// PortsTo returns the ports of a Service that lead to the given pod ports,
// ascending.
func PortsTo(d *world.Destination, pods []uint32) []uint32 {
	if !Known(d) {
		return pods
	}
	var ports []uint32
	for _, p := range d.Resource.Spec.KubeService.Ports {
		if slices.ContainsFunc(targetsOfPort(d.Resource.Spec.KubeService, p), func(target uint32) bool { return slices.Contains(pods, target) }) {
			ports = append(ports, p.Port)
		}
	}
	return ascending(ports)
}

// Container resolves the target of a Service port. A named target is resolved
// through the first endpoints with a port of that name.
func Container(service *discoveryv1.KubeService, port discoveryv1.KubeServicePort) uint32 {
	if port.TargetPortName == nil || *port.TargetPortName == "" {
		if port.TargetPortNumber != nil && *port.TargetPortNumber != 0 {
			return *port.TargetPortNumber
		}
		return port.Port // an unset target is the port itself
	}
	for _, subset := range service.EndpointSubsets {
		for _, p := range subset.Ports {
			// Endpoints carry the Service port's name; older discovery wrote the
			// container's.
			if p.Name == port.Name || p.Name == *port.TargetPortName {
				return p.Port
			}
		}
	}
	return 0
}

// ascending returns the distinct numbers in ascending order.
func ascending(numbers []uint32) []uint32 {
	return slices.Compact(slices.Sorted(slices.Values(numbers)))
}
