package randomworld

import (
	"fmt"
	"math/rand/v2"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// AddPods adds pods to some Destinations, with and without addresses, ports and distinguishing
// labels. It modifies the resources.
func AddPods(random *rand.Rand, objects world.Objects) {
	for _, d := range objects.Destinations {
		service := d.Resource.Spec.KubeService
		if service == nil {
			continue
		}
		for range random.IntN(3) {
			group := discoveryv1.EndpointsSubset{}
			for n := range random.IntN(3) {
				group.Endpoints = append(group.Endpoints, discoveryv1.Endpoint{
					IPAddress: []string{fmt.Sprintf("10.0.0.%d", n), "2001:db8::1", ""}[random.IntN(3)],
					Labels:    map[string]string{"version": []string{"v1", "v2"}[random.IntN(2)]},
				})
			}
			for _, p := range service.Ports[:random.IntN(len(service.Ports)+1)] {
				group.Ports = append(group.Ports, discoveryv1.EndpointPort{Name: p.Name, Port: p.Port + 1})
			}
			service.EndpointSubsets = append(service.EndpointSubsets, group)
		}
	}
}

// Federate replaces the VirtualMeshes by one that joins all meshes and exposes everything,
// with gateways that have addresses, so that there is more to render. It modifies the
// resources.
func Federate(random *rand.Rand, objects *world.Objects) {
	chance := func() bool { return random.IntN(2) == 0 }
	vm := &networkingv1.VirtualMesh{}
	vm.Name, vm.Namespace = "everything", world.DefaultNamespace
	vm.Spec.Federation = &networkingv1.Federation{
		Selectors: []networkingv1.FederationSelector{{}}, FlatNetwork: random.IntN(4) == 0,
		TCPKeepalive: []*core.TCPKeepalive{nil, {Probes: 3}}[random.IntN(2)],
	}
	if chance() {
		vm.Spec.GlobalAccessPolicy = networkingv1.GlobalAccessPolicyEnabled
	}
	for _, m := range objects.Meshes {
		vm.Spec.Meshes = append(vm.Spec.Meshes, core.ObjectRef{Name: m.Resource.Name, Namespace: m.Resource.Namespace})
	}
	objects.VirtualMeshes = []world.Object[networkingv1.VirtualMesh]{{Resource: vm}}
	for _, d := range objects.Destinations {
		service := d.Resource.Spec.KubeService
		if service == nil || service.WorkloadSelectorLabels["istio"] == "" {
			continue
		}
		address := []discoveryv1.ExternalAddress{{IP: ptr("203.0.113.1")}, {DNSName: ptr("gateway.example.com")}, {IP: ptr("2001:db8::2")}}[random.IntN(3)]
		service.ServiceType, service.ExternalAddresses = discoveryv1.ServiceTypeLoadBalancer, []discoveryv1.ExternalAddress{address}
		service.Ports[0].Name = "tls"
	}
}
