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

// defaultGatewayPort is the name of the port for cross-cluster TLS traffic.
const defaultGatewayPort = "tls"

// Gateway is an east-west ingress gateway, through which requests from other
// clusters enter a mesh (D15).
type Gateway struct {
	// Destination is the position of the gateway's Service.
	Destination int
	// Addresses are the host names or IPs that other clusters connect to.
	Addresses []string
	// ExternalPort is the port that other clusters connect to, ContainerPort the
	// pods' port; 0 if that depends on pods that are not known.
	ExternalPort, ContainerPort uint32
	// ServerPort is the port number for a Gateway resource: ContainerPort, or the
	// Service's port if its target is a name, which Istio resolves for every pod.
	// It does not depend on existing pods.
	ServerPort uint32
}

// findGateways returns the east-west gateways of a mesh, or an error if none is
// usable.
func (e *evaluator) findGateways(vm *VirtualMesh, mesh *world.Mesh) ([]Gateway, error) {
	gateways, err := e.chooseGateways(vm, mesh)
	if err != nil {
		return nil, err
	}
	return gateways, checkAddresses(gateways)
}

// checkAddresses returns an error if some addresses are host names and others
// IPv6: proxies cannot resolve both together.
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

// gatewaySets returns the Destinations that the gateway selectors of a
// VirtualMesh select.
func (e *evaluator) gatewaySets(vm *VirtualMesh) []selector.Set {
	if e.gateways.vm != vm {
		e.gateways.vm, e.gateways.sets = vm, nil
		for _, s := range vm.Resource.Spec.Federation.GatewaySelectors() {
			e.gateways.sets = append(e.gateways.sets, selector.Destinations(e.world, e.services, s.DestinationSelectors))
		}
	}
	return e.gateways.sets
}

// selectedGateways applies the VirtualMesh's gateway selectors; for each Service
// the first match is used.
func (e *evaluator) selectedGateways(mesh *world.Mesh, sets []selector.Set, selectors []networkingv1.IngressGatewaySelector) ([]Gateway, error) {
	var gateways []Gateway
	for _, id := range e.meshServices(mesh.ID) {
		d := &e.world.Destinations[id]
		k := slices.IndexFunc(sets, func(s selector.Set) bool { return s.Contains(id) })
		if k < 0 {
			continue
		}
		if len(d.Selector) == 0 {
			return nil, fmt.Errorf("the selected gateway %s has no pod selector", gatewayKey(d))
		}
		gateway, err := selectedGateway(d, selectors[k])
		if err != nil {
			return nil, err
		}
		gateways = append(gateways, gateway)
	}
	return gateways, nil
}

// gatewayKey names a gateway by its Service and by its Destination, as in status maps.
func gatewayKey(d *world.Destination) string {
	return fmt.Sprintf("%s (Destination %s)", d.Key(), StatusKey(&d.Resource.ObjectMeta))
}

func selectedGateway(d *world.Destination, selector networkingv1.IngressGatewaySelector) (Gateway, error) {
	name := defaultGatewayPort
	if selector.PortName != nil && *selector.PortName != "" {
		name = *selector.PortName
	}
	gateway, ok := gatewayAt(d, name)
	if host := selector.OverrideHostInfo; host != nil {
		// The override is the address to connect to; the gateway still listens on
		// the port of its Service, if there is one of that name.
		gateway.Addresses, gateway.ExternalPort = []string{host.Addr}, host.Port
		gateway.ContainerPort = cmp.Or(gateway.ContainerPort, host.Port)
		gateway.ServerPort = cmp.Or(gateway.ServerPort, host.Port)
		return gateway, nil
	}
	if !ok {
		return Gateway{}, fmt.Errorf("the selected gateway %s has no port named %q that other clusters can reach", gatewayKey(d), name)
	}
	return gateway, nil
}

// listedGateways returns the gateways in the deprecated list of the Mesh.
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

// labelledGateways returns the default gateways: all Services with a TLS port
// whose pods have the label istio=ingressgateway (D15).
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

// IsIngressGateway reports whether a Service, or its pods, have the label of
// Istio's ingress gateway (D15).
func IsIngressGateway(d *world.Destination) bool {
	const key, value = "istio", "ingressgateway"
	return len(d.Selector) > 0 && (d.Selector[key] == value || d.Labels[key] == value)
}

// OpenGateway reports whether a Destination is a gateway that stays open to all
// callers although its VirtualMesh denies by default, because traffic from
// outside the mesh must be able to enter (D38).
func (r *Result) OpenGateway(d *world.Destination) bool {
	if d.Mesh == nil || d.Mesh.Type != world.MeshIstio {
		return false
	}
	// What another VirtualMesh denies, it does not open.
	if own := r.Meshes[d.Mesh.ID].VirtualMesh; own == nil || own.GlobalAccessPolicy() != networkingv1.GlobalAccessPolicyEnabled {
		return false
	}
	return IsIngressGateway(d) || slices.ContainsFunc(r.Meshes[d.Mesh.ID].Gateways, func(g Gateway) bool {
		return g.Destination == d.ID
	})
}

// OpenGatewayOf returns the open gateway that selects a workload; nil if there is
// none.
func (r *Result) OpenGatewayOf(w *world.Workload) *world.Destination {
	for _, id := range w.Backs {
		if d := &r.World.Destinations[id]; r.OpenGateway(d) {
			return d
		}
	}
	return nil
}

// gatewayAt returns the gateway at the named port of a Service; false if the port
// is missing or not reachable from outside.
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
