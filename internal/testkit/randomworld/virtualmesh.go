package randomworld

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func (g *generator) addVirtualMesh(number int) {
	vm := &networkingv1.VirtualMesh{ObjectMeta: g.meta(fmt.Sprintf("vm-%d", number))}
	for _, m := range g.objects.Meshes {
		if !g.chance(5) {
			vm.Spec.Meshes = append(vm.Spec.Meshes, core.ObjectRef{Name: m.Resource.Name, Namespace: m.Resource.Namespace})
		}
	}
	if g.chance(6) {
		vm.Spec.Meshes = append(vm.Spec.Meshes, g.mesh(), g.mesh())
	}
	vm.Spec.GlobalAccessPolicy = pick(g, "", networkingv1.GlobalAccessPolicyEnabled, networkingv1.GlobalAccessPolicyDisabled, networkingv1.GlobalAccessPolicyMeshDefault)
	if g.chance(2) {
		vm.Spec.MTLSConfig = &networkingv1.MTLSConfig{
			Shared: maybe(g, 2, networkingv1.SharedTrust{}), Limited: maybe(g, 4, networkingv1.LimitedTrust{}),
		}
	}
	if !g.chance(5) {
		vm.Spec.Federation = g.federation()
	}
	if g.chance(4) {
		vm.Status.State = core.ApprovalStateAccepted
	}
	g.objects.VirtualMeshes = append(g.objects.VirtualMeshes, world.Object[networkingv1.VirtualMesh]{Resource: vm, Errors: g.errors()})
}

func (g *generator) federation() *networkingv1.Federation {
	f := &networkingv1.Federation{
		Permissive: maybe(g, 8, core.Empty{}), FlatNetwork: g.chance(6),
		HostnameSuffix: pick(g, "", "", "global", "mesh.example"),
		TCPKeepalive:   maybe(g, 4, core.TCPKeepalive{Probes: 3}),
	}
	for range g.below(3) {
		s := networkingv1.FederationSelector{}
		if g.chance(2) {
			s.DestinationSelectors = g.destinations()
		}
		if g.chance(4) {
			s.Meshes = append(s.Meshes, g.mesh())
		}
		f.Selectors = append(f.Selectors, s)
	}
	if g.chance(2) {
		s := networkingv1.IngressGatewaySelector{
			DestinationSelectors: pick(g, g.destinations(), gateways()), PortName: maybe(g, 3, pick(g, "", "tls", "http")),
			OverrideHostInfo: maybe(g, 4, networkingv1.HostInfo{Addr: "198.51.100.1", Port: 443}),
		}
		if g.chance(3) {
			f.EastWestIngressGatewaySelectors = append(f.EastWestIngressGatewaySelectors, s)
		} else {
			f.IngressGatewaySelectors = append(f.IngressGatewaySelectors, s)
		}
	}
	if g.chance(4) {
		f.TLSEnforcementSettings = &networkingv1.TLSEnforcementSettings{EnforcementMode: pick(g,
			"", networkingv1.EnforcementModeUnset, networkingv1.EnforcementModeDisable, networkingv1.EnforcementModePermissive, networkingv1.EnforcementModeStrict)}
	}
	return f
}

// destinations returns a selector list; a nil one selects everything.
func (g *generator) destinations() []core.DestinationSelector {
	var selectors []core.DestinationSelector
	for range pick(g, 0, 0, 1, 1, 1, 2) {
		var s core.DestinationSelector
		switch g.below(10) {
		case 0: // neither, which selects nothing
		case 1, 2, 3:
			s.KubeServiceMatcher = &core.KubeServiceMatcher{}
			if g.chance(2) {
				s.KubeServiceMatcher.Labels = g.labels()
			}
			if g.chance(2) {
				s.KubeServiceMatcher.Namespaces = []string{g.anyNamespace(), g.anyNamespace()}
			}
			if g.chance(2) {
				s.KubeServiceMatcher.Clusters = []string{g.cluster()}
			}
		default:
			s.KubeServiceRefs = &core.KubeServiceRefs{Services: []core.ClusterObjectRef{g.service()}}
			if g.chance(3) {
				s.KubeServiceRefs.Services = append(s.KubeServiceRefs.Services, g.service())
			}
		}
		selectors = append(selectors, s)
	}
	return selectors
}

func gateways() []core.DestinationSelector {
	return []core.DestinationSelector{{KubeServiceMatcher: &core.KubeServiceMatcher{Labels: map[string]string{"istio": "ingressgateway"}}}}
}
