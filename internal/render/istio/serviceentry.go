package istio

import (
	"cmp"
	"slices"
	"strconv"

	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// maxEndpoints is the maximum number of endpoints in a ServiceEntry.
const maxEndpoints = 4096

// entryPorts returns the ports of a Service that a ServiceEntry can have: with
// distinct names and numbers and a protocol that Istio knows. If Istio detects
// the protocol of a port, the entry leaves it empty as well, so that routes apply
// to the same ports in every cluster (D22).
func entryPorts(d *world.Destination) []*networking.ServicePort {
	var ports []*networking.ServicePort
	names := map[string]bool{}
	for _, p := range d.Resource.Spec.KubeService.Ports {
		protocol := serviceport.ProtocolOf(p)
		if p.Port == 0 || !carries(protocol) {
			continue
		}
		port := &networking.ServicePort{Number: p.Port, Name: portName(p), Protocol: string(protocol)}
		k := slices.IndexFunc(ports, func(other *networking.ServicePort) bool { return other.Number == p.Port })
		switch {
		case k >= 0 && ports[k].Protocol == "UDP": // prefer the port that proxies handle
			delete(names, ports[k].Name)
			ports[k] = port
		case k >= 0:
			continue
		default:
			ports = append(ports, port)
		}
		if names[port.Name] {
			port.Name = distinctPort(port.Name, p.Port)
		}
		names[port.Name] = true
	}
	return ports
}

// carries reports whether Istio knows the protocol.
func carries(p serviceport.Protocol) bool {
	switch p {
	case "", "TCP", "UDP", "GRPC", "GRPC-Web", "HTTP", "HTTP_PROXY", "HTTP2", "HTTPS", "TLS", "Mongo", "Redis", "MySQL":
		return true
	default:
		return false
	}
}

// portName returns the name of a port in a ServiceEntry: the Service's own, or
// its transport protocol if it has none.
func portName(p discoveryv1.KubeServicePort) string {
	if p.Name == "" {
		return cmp.Or(p.Protocol, "TCP")
	}
	if isDNSLabel(p.Name) {
		return p.Name
	}
	return dnsLabel(p.Name)
}

func distinctPort(name string, number uint32) string {
	suffix := "-" + strconv.FormatUint(uint64(number), 10)
	return name[:min(len(name), maxLabel-1-len(suffix))] + suffix
}

// importedEntry returns the ServiceEntry of a Destination for other clusters:
// hostname, address and endpoints.
func (r *Renderer) importedEntry(e *export) *networking.ServiceEntry {
	if e.entry != nil {
		return e.entry
	}
	endpoints := r.gatewayEndpoints(e)
	if e.federation.Flat {
		endpoints = limited(allPods(e))
	}
	e.entry = &networking.ServiceEntry{
		Hosts: []string{e.hostname}, Addresses: []string{e.address}, Location: networking.ServiceEntry_MESH_INTERNAL,
		Ports: e.ports, Endpoints: endpoints, Resolution: resolution(endpoints), ExportTo: everywhere(),
		// Istio checks them wherever a DestinationRule names none, for every port.
		SubjectAltNames: r.result.ServerNames(e.destination),
	}
	return e.entry
}

// resolution returns how Istio resolves the addresses of endpoints.
func resolution(endpoints []*networking.WorkloadEntry) networking.ServiceEntry_Resolution {
	if slices.ContainsFunc(endpoints, func(e *networking.WorkloadEntry) bool { return !isIP(e.Address) }) {
		return networking.ServiceEntry_DNS
	}
	return networking.ServiceEntry_STATIC
}

// allPods returns the pods behind a Destination with their ports.
func allPods(e *export) []*networking.WorkloadEntry {
	service := e.destination.Resource.Spec.KubeService
	var endpoints []*networking.WorkloadEntry
	for i := range service.EndpointSubsets {
		group := &service.EndpointSubsets[i]
		ports := podPorts(e, service, group)
		for k := range group.Endpoints {
			pod := &group.Endpoints[k]
			if isIP(pod.IPAddress) && world.AddressProblem(pod.IPAddress) == "" {
				endpoints = append(endpoints, &networking.WorkloadEntry{Address: pod.IPAddress, Ports: ports, Labels: pod.Labels})
			}
		}
	}
	return endpoints
}

// podPorts returns the ports of pods, keyed by port name in the ServiceEntry.
func podPorts(e *export, service *discoveryv1.KubeService, group *discoveryv1.EndpointsSubset) map[string]uint32 {
	ports := make(map[string]uint32, len(e.ports))
	for _, named := range e.ports {
		k := slices.IndexFunc(service.Ports, func(p discoveryv1.KubeServicePort) bool {
			return p.Port == named.Number && (p.Name == "" || portName(p) == named.Name)
		})
		if k < 0 {
			k = slices.IndexFunc(service.Ports, func(p discoveryv1.KubeServicePort) bool { return p.Port == named.Number })
		}
		if number := podPort(service, service.Ports[k], group); number != 0 {
			ports[named.Name] = number
		}
	}
	return ports
}

// podPort returns the pods' port for a port of their Service; 0 if it is not
// known.
func podPort(service *discoveryv1.KubeService, port discoveryv1.KubeServicePort, group *discoveryv1.EndpointsSubset) uint32 {
	target := ""
	if port.TargetPortName != nil {
		target = *port.TargetPortName
	}
	for _, p := range group.Ports {
		// Endpoints carry the Service port's name; older discovery wrote the
		// container's.
		if p.Name == port.Name || (target != "" && p.Name == target) {
			return p.Port
		}
	}
	switch {
	case len(service.Ports) == 1 && len(group.Ports) == 1:
		return group.Ports[0].Port
	case target != "":
		return 0
	case port.TargetPortNumber != nil && *port.TargetPortNumber != 0:
		return *port.TargetPortNumber
	default:
		return port.Port // an unset target is the port itself
	}
}

// gatewayEndpoints returns the endpoints of a Destination behind gateways, one
// per gateway and address. Other clusters do not need to know the pods, because
// the SNI selects them (D60).
func (r *Renderer) gatewayEndpoints(e *export) []*networking.WorkloadEntry {
	type way struct {
		address string
		port    uint32
	}
	known := map[way]bool{}
	var endpoints []*networking.WorkloadEntry
	for _, gateway := range r.result.Meshes[e.destination.Mesh.ID].Gateways {
		ports := make(map[string]uint32, len(e.ports))
		for _, p := range e.ports {
			ports[p.Name] = gateway.ExternalPort
		}
		for _, address := range gateway.Addresses {
			if !isIP(address) && !isDNSName(address) {
				continue // collectOmissions records it
			}
			if at := (way{address, gateway.ExternalPort}); !known[at] {
				known[at] = true
				endpoints = append(endpoints, &networking.WorkloadEntry{Address: address, Ports: ports})
			}
		}
	}
	return limited(endpoints)
}

// limited drops endpoints beyond maxEndpoints.
func limited(endpoints []*networking.WorkloadEntry) []*networking.WorkloadEntry {
	return endpoints[:min(len(endpoints), maxEndpoints)]
}
