package reach

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// visibility adds whether the proxies on the way know the Service: the caller's in
// its own cluster, the gateway's for calls from other clusters (D62). Callers
// in other clusters know the federated hostname, whose ServiceEntry is visible in all
// namespaces.
func (c *Calls) visibility(a *approach, from Caller, d *world.Destination) {
	if d.Mesh == nil || d.Mesh.Type != world.MeshIstio || !c.Hides(d) {
		return
	}
	if isRemote(from, d) {
		if !c.isFlat(d) {
			c.visibleToGateways(a, d)
		}
		return
	}
	if visible, _ := d.IsVisibleIn(from.Namespace); visible || from.bare() {
		return
	}
	a.revealed = c.revealed(from, d)
	others := slices.DeleteFunc(serviceport.All(d), func(port uint32) bool { return slices.Contains(a.revealed, port) })
	if len(others) == 0 || from.routed && from.Namespace == d.Ref.Namespace {
		return
	}
	hidden := fmt.Sprintf("%s is not visible in the caller's namespace (exportTo)", d.Key())
	if from.gateway {
		a.fail(CodeHiddenService, world.DestinationID(d), hidden+", so that no gateway there has a route to it")
		return
	}
	if from.routed {
		a.fail(CodeHiddenService, world.DestinationID(d), hidden+", so that its proxy, which has a route there, does not know where it leads")
		return
	}
	outbound, known := discoveryv1.OutboundAllowAny, false
	if from.Mesh != nil {
		outbound, known = from.Mesh.OutboundTrafficPolicy()
	}
	if outbound == discoveryv1.OutboundRegistryOnly {
		a.fail(CodeHiddenService, world.DestinationID(d), hidden+", and the mesh blocks unknown hosts (outboundTrafficPolicy REGISTRY_ONLY)")
		if len(a.revealed) > 0 {
			a.obstacles[len(a.obstacles)-1].Ports = others
		}
		return
	}
	// Istio then passes the call on to the address of the Service, as plain TCP.
	a.passing = &portMode{
		mode: networkingv1.TLSModeDisable, object: world.DestinationID(d),
		because: hidden + ", and its proxy passes calls on as plaintext",
	}
	if !known && from.Mesh != nil {
		a.assumed = append(a.assumed, fmt.Sprintf("mesh %s.%s passes calls to unknown hosts on (outboundTrafficPolicy ALLOW_ANY)", from.Mesh.Ref.Name, from.Mesh.Ref.Namespace))
	}
}

// visibleToGateways adds an obstacle if a gateway through which calls enter the
// cluster does not see the Service.
func (c *Calls) visibleToGateways(a *approach, d *world.Destination) {
	for _, g := range c.result.Meshes[d.Mesh.ID].Gateways {
		gateway := &c.result.World.Destinations[g.Destination]
		if visible, _ := d.IsVisibleIn(gateway.Ref.Namespace); !visible {
			a.fail(CodeHiddenFromGateway, world.DestinationID(d), fmt.Sprintf("%s is not visible in the namespace of gateway %s (exportTo), which closes calls to it", d.Key(), gateway.Key()))
			return
		}
	}
}

func misrouted(d *world.Destination) cause {
	return cause{
		CodeHiddenService,
		fmt.Sprintf("%s is not visible in the caller's namespace (exportTo), but has routes, which lead its proxy to a host that it does not know", d.Key()), world.DestinationID(d),
	}
}

// Hides reports whether a Service is not visible in all namespaces.
func (c *Calls) Hides(d *world.Destination) bool {
	_, all := d.VisibleNamespaces()
	return !all
}
