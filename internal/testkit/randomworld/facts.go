package randomworld

import (
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// meshFacts lets most meshes accept the trust domains of the others, and capture the
// DNS requests of their pods.
func (g *generator) meshFacts() *discoveryv1.MeshFacts {
	facts := &discoveryv1.MeshFacts{}
	switch g.below(4) {
	case 0:
		return nil
	case 1:
		facts.TrustDomainAliases, facts.CACertificateTrustDomains = some(g, "east.example", "west.example"), some(g, "cluster.local", "shared.example")
	default:
		facts.SkipValidateTrustDomain = ptr(true)
	}
	facts.DNSCapture = pick(g, nil, ptr(false), ptr(true), ptr(true), ptr(true))
	facts.OutboundTrafficPolicy = pick(g, "", discoveryv1.OutboundAllowAny, discoveryv1.OutboundRegistryOnly)
	if g.chance(10) {
		facts.RemoteClusters = some(g, append(clusterNames(), "beyond")...)
	}
	if g.chance(10) {
		facts.DefaultServiceExportTo = []string{pick(g, "*", ".", "~", "shop")}
	}
	return facts
}

// serviceFacts hides some Services, and lets some have no pods.
func (g *generator) serviceFacts() *discoveryv1.DestinationFacts {
	if !g.chance(4) {
		return nil
	}
	return &discoveryv1.DestinationFacts{
		Headless: pick(g, nil, ptr(false), ptr(true)),
		Proxy:    pick(g, "", discoveryv1.PresenceAll, discoveryv1.PresenceAll),
		ExportTo: pick(g, nil, []string{}, []string{"."}, []string{"shop", "istio-system"}, []string{"*"}),
	}
}

// podFacts lets some workloads differ from their mesh.
func (g *generator) podFacts() *discoveryv1.WorkloadFacts {
	if !g.chance(4) {
		return nil
	}
	return &discoveryv1.WorkloadFacts{
		Proxy:      pick(g, "", discoveryv1.PresenceAll, discoveryv1.PresenceAll, discoveryv1.PresenceNone),
		ProxyType:  pick(g, "", discoveryv1.ProxySidecar, discoveryv1.ProxyGateway),
		DNSCapture: pick(g, nil, nil, ptr(true), ptr(false)),
	}
}
