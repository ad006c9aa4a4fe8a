package randomworld

import discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"

// addProxies adds facts about proxies to half of the worlds: pods without one,
// gateways, and meshes without automatic mutual TLS.
func (g *generator) addProxies() {
	if g.chance(2) {
		return
	}
	for _, m := range g.objects.Meshes {
		if g.chance(3) && m.Resource.Spec.Istio != nil {
			if m.Resource.Spec.Meshctl == nil {
				m.Resource.Spec.Meshctl = &discoveryv1.MeshFacts{}
			}
			m.Resource.Spec.Meshctl.EnableAutoMTLS = ptr(g.chance(2))
		}
	}
	for _, w := range g.objects.Workloads {
		if g.chance(3) {
			w.Resource.Spec.Meshctl = &discoveryv1.WorkloadFacts{
				Proxy:     pick(g, "", discoveryv1.PresenceAll, discoveryv1.PresenceSome, discoveryv1.PresenceNone),
				ProxyType: pick(g, "", discoveryv1.ProxySidecar, discoveryv1.ProxyGateway),
				Ambient:   maybe(g, 6, g.chance(2)),
			}
		}
	}
	for _, d := range g.objects.Destinations {
		if g.chance(5) && d.Resource.Spec.KubeService != nil {
			d.Resource.Spec.Meshctl = &discoveryv1.DestinationFacts{
				Proxy: pick(g, "", discoveryv1.PresenceAll, discoveryv1.PresenceSome, discoveryv1.PresenceNone),
			}
		}
	}
}
