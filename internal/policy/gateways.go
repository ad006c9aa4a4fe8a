package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// defaultGatewayPort names the port that cross-cluster TLS traffic enters by
// (semantics 3.6).
const defaultGatewayPort = "tls"

// Gateway is an east-west ingress gateway: where requests from other clusters
// enter a mesh (semantics 3.6, D15).
type Gateway struct {
	// Destination is the position of the gateway's Service.
	Destination int
	// Addresses are the names or IPs that other clusters connect to.
	Addresses []string
	// ExternalPort is what they connect to, ContainerPort where the gateway
	// listens; 0 if its pods have to tell, and are not known.
	ExternalPort, ContainerPort uint32
	// ServerPort is what a Gateway calls the latter: the same, or the Service's
	// port where the target has a name, which Istio resolves for every pod. It
	// does not depend on the pods that are there.
	ServerPort uint32
}

// findGateways returns the east-west gateways of a mesh, or an error that says
// why there are none that could be used.
func (e *evaluator) findGateways(vm *VirtualMesh, mesh *world.Mesh) ([]Gateway, error) {
	gateways, err := e.chooseGateways(vm, mesh)
	if err != nil {
		return nil, err
	}
	return gateways, checkAddresses(gateways)
}

// checkAddresses returns an error if some addresses are names and others of IP
// version 6: proxies cannot resolve both at once (semantics 5.5).
func checkAddresses(gateways []Gateway) error {
	name, address := "", ""
	for _, g := range gateways {
		for _, text := range g.Addresses {
			switch parsed, err := netip.ParseAddr(text); {
			case err != nil:
				name = cmp.Or(name, text)
			case parsed.Is6():
				address = cmp.Or(address, text)
			}
		}
	}
	if name != "" && address != "" {
		return fmt.Errorf("its gateways have both hostnames and IPv6 addresses (%s, %s), which cannot be combined", name, address)
	}
	return nil
}

func (e *evaluator) chooseGateways(vm *VirtualMesh, mesh *world.Mesh) ([]Gateway, error) {
	selectors := vm.Resource.Spec.Federation.GatewaySelectors()
	gateways, err := e.selectedGateways(mesh, e.gatewaySets(vm), selectors)
	if err != nil || len(gateways) > 0 {
		return gateways, err
	}
	if gateways = e.listedGateways(mesh); len(gateways) > 0 {
		return gateways, nil
	}
	if gateways = e.labelledGateways(mesh); len(gateways) > 0 {
		return gateways, nil
	}
	if len(selectors) > 0 {
		return nil, fmt.Errorf("no Service of the mesh matches spec.federation.ingressGatewaySelectors")
	}
	return nil, fmt.Errorf("no NodePort or LoadBalancer Service of the mesh selects istio=ingressgateway and has a port named %q", defaultGatewayPort)
}

// gatewaySets returns what the gateway selectors of a VirtualMesh pick.
func (e *evaluator) gatewaySets(vm *VirtualMesh) []selector.Set {
	if e.gateways.vm != vm {
		e.gateways.vm, e.gateways.sets = vm, nil
		for _, s := range vm.Resource.Spec.Federation.GatewaySelectors() {
			e.gateways.sets = append(e.gateways.sets, selector.Destinations(e.world, e.services, s.DestinationSelectors))
		}
	}
	return e.gateways.sets
}

// selectedGateways follows the VirtualMesh's own selectors; for each Service
// the first one that matches decides.
func (e *evaluator) selectedGateways(mesh *world.Mesh, sets []selector.Set, selectors []networkingv1.IngressGatewaySelector) ([]Gateway, error) {
	var gateways []Gateway
	for _, id := range e.meshServices(mesh.ID) {
		d := &e.world.Destinations[id]
		k := slices.IndexFunc(sets, func(s selector.Set) bool { return s.Contains(id) })
		if k < 0 {
			continue
		}
		if len(d.Selector) == 0 {
			return nil, fmt.Errorf("the selected gateway %s is a Service without pod selector", d.Key())
		}
		gateway, err := selectedGateway(d, selectors[k])
		if err != nil {
			return nil, err
		}
		gateways = append(gateways, gateway)
	}
	return gateways, nil
}

func selectedGateway(d *world.Destination, selector networkingv1.IngressGatewaySelector) (Gateway, error) {
	name := defaultGatewayPort
	if selector.PortName != nil && *selector.PortName != "" {
		name = *selector.PortName
	}
	gateway, ok := gatewayAt(d, name)
	if host := selector.OverrideHostInfo; host != nil {
		// The override says where to connect to; the gateway still listens on
		// the port of its Service, if it has one of that name.
		gateway.Addresses, gateway.ExternalPort = []string{host.Addr}, host.Port
		gateway.ContainerPort = cmp.Or(gateway.ContainerPort, host.Port)
		gateway.ServerPort = cmp.Or(gateway.ServerPort, host.Port)
		return gateway, nil
	}
	if !ok {
		return Gateway{}, fmt.Errorf("the selected gateway %s has no port named %q that other clusters can reach", d.Key(), name)
	}
	return gateway, nil
}

// listedGateways reads the deprecated list on the Mesh itself.
func (e *evaluator) listedGateways(mesh *world.Mesh) []Gateway {
	istio := mesh.Resource.Spec.Istio
	if istio == nil {
		return nil
	}
	var gateways []Gateway
	for _, info := range istio.IngressGateways {
		d := e.world.Service(core.ClusterObjectRef{Name: info.Name, Namespace: info.Namespace, ClusterName: mesh.Cluster})
		if d == nil || info.ExternalTLSPort == 0 || info.TLSContainerPort == 0 {
			continue
		}
		gateways = append(gateways, Gateway{
			Destination: d.ID, Addresses: addressesOf(d),
			ExternalPort: info.ExternalTLSPort, ContainerPort: info.TLSContainerPort, ServerPort: info.TLSContainerPort,
		})
	}
	return gateways
}

// labelledGateways is the default: every Service for pods labelled
// istio=ingressgateway that has the TLS port (semantics D15).
func (e *evaluator) labelledGateways(mesh *world.Mesh) []Gateway {
	var gateways []Gateway
	for _, id := range e.meshServices(mesh.ID) {
		d := &e.world.Destinations[id]
		if !IsIngressGateway(d) {
			continue
		}
		if gateway, ok := gatewayAt(d, defaultGatewayPort); ok {
			gateways = append(gateways, gateway)
		}
	}
	return gateways
}

// IsIngressGateway reports whether a Service is labelled as Istio's ingress
// gateway, or stands for pods that are (semantics 3.6, D15).
func IsIngressGateway(d *world.Destination) bool {
	const key, value = "istio", "ingressgateway"
	return len(d.Selector) > 0 && (d.Selector[key] == value || d.Labels[key] == value)
}

// OpenGateway reports whether a Destination is a gateway that stays open to
// everybody although its VirtualMesh denies by default: traffic from outside
// the mesh has to enter somewhere (semantics D38).
func (r *Result) OpenGateway(d *world.Destination) bool {
	if d.Mesh == nil || d.Mesh.Type != world.MeshIstio || !r.deniesByDefault(d.Mesh) {
		return false
	}
	return IsIngressGateway(d) || slices.ContainsFunc(r.Meshes[d.Mesh.ID].Gateways, func(g Gateway) bool {
		return g.Destination == d.ID
	})
}

// OpenGatewayOf returns the open gateway that a workload is behind, nil if it
// is behind none.
func (r *Result) OpenGatewayOf(w *world.Workload) *world.Destination {
	for _, id := range w.Backs {
		if d := &r.World.Destinations[id]; r.OpenGateway(d) {
			return d
		}
	}
	return nil
}

// gatewayAt returns the gateway that a Service offers at its port of that
// name; false if the port is missing or not reachable from outside.
func gatewayAt(d *world.Destination, portName string) (Gateway, bool) {
	gateway := Gateway{Destination: d.ID, Addresses: addressesOf(d)}
	service := d.Resource.Spec.KubeService
	for _, p := range service.Ports {
		if p.Name != portName {
			continue
		}
		switch service.ServiceType.OrDefault() {
		case discoveryv1.ServiceTypeNodePort:
			gateway.ExternalPort = p.NodePort
		case discoveryv1.ServiceTypeLoadBalancer:
			gateway.ExternalPort = p.Port
		case discoveryv1.ServiceTypeClusterIP, discoveryv1.ServiceTypeExternalName:
		}
		gateway.ContainerPort = serviceport.Container(service, p)
		gateway.ServerPort = gateway.ContainerPort
		if p.TargetPortName != nil && *p.TargetPortName != "" {
			gateway.ServerPort = p.Port
		}
	}
	return gateway, gateway.ExternalPort != 0 && gateway.ServerPort != 0
}

func addressesOf(d *world.Destination) []string {
	var addresses []string
	seen := map[string]bool{}
	for _, a := range d.Resource.Spec.KubeService.ExternalAddresses {
		for _, v := range []*string{a.DNSName, a.IP} {
			if v != nil && *v != "" && !seen[*v] {
				if world.AddressProblem(*v) == "" {
					seen[*v] = true
					addresses = append(addresses, *v)
				}
				break
			}
		}
	}
	return addresses
}
