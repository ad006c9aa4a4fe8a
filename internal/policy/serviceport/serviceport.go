// Package serviceport resolves the ports of Services: their protocol and the
// pods' ports behind them.
package serviceport

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Protocol is a protocol in Istio's spelling.
type Protocol = world.Protocol

// ProtocolOf infers a port's protocol the way Istio does.
func ProtocolOf(port discoveryv1.KubeServicePort) Protocol { return world.ProtocolOf(port) }

// IsHTTP reports whether routes can be rendered for a port: it declares HTTP,
// HTTP/2 or gRPC, or nothing (D22).
func IsHTTP(port discoveryv1.KubeServicePort) bool {
	switch ProtocolOf(port) {
	case "HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-Web", world.ProtocolUnknown:
		return true
	default:
		return false
	}
}

// OnlyGRPC reports whether all of some ports of a Service, or all of its HTTP
// ports if there are none, declare gRPC.
func OnlyGRPC(d *world.Destination, numbers []uint32) bool {
	if !Known(d) {
		return false
	}
	found := false
	for _, p := range d.Resource.Spec.KubeService.Ports {
		if !IsHTTP(p) || len(numbers) > 0 && !slices.Contains(numbers, p.Port) {
			continue
		}
		if ProtocolOf(p) != "GRPC" {
			return false
		}
		found = true
	}
	return found
}

// HTTP returns the ports for which routes can be rendered, ascending.
func HTTP(d *world.Destination) []uint32 {
	if !d.IsService() {
		return nil
	}
	var ports []uint32
	for _, p := range d.Resource.Spec.KubeService.Ports {
		if IsHTTP(p) {
			ports = append(ports, p.Port)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// All returns all port numbers, ascending; a single 0 if the ports of the Service
// are not known.
func All(d *world.Destination) []uint32 {
	var ports []uint32
	for _, p := range d.Resource.Spec.KubeService.Ports {
		ports = append(ports, p.Port)
	}
	if len(ports) == 0 {
		return []uint32{0}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// Only returns the only port of a Service; 0 if it has several or none.
func Only(d *world.Destination) uint32 {
	if d == nil || !d.IsService() || len(d.Resource.Spec.KubeService.Ports) != 1 {
		return 0
	}
	return d.Resource.Spec.KubeService.Ports[0].Port
}

// Has reports whether a Service has a port of that number.
func Has(d *world.Destination, number uint32) bool {
	return slices.ContainsFunc(d.Resource.Spec.KubeService.Ports, func(p discoveryv1.KubeServicePort) bool { return p.Port == number })
}
