package randomworld

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func (g *generator) addAccessPolicy(number int) {
	p := &networkingv1.AccessPolicy{ObjectMeta: g.meta(fmt.Sprintf("ap-%d", number))}
	p.Spec.DestinationSelector = g.destinations()
	if !g.chance(5) {
		p.Spec.SourceSelector = g.identities()
	}
	if g.chance(4) {
		p.Spec.AllowedPaths = some(g, "/api", "/health")
	}
	if g.chance(4) {
		p.Spec.AllowedMethods = some(g, "GET", "POST")
	}
	if g.chance(4) {
		p.Spec.AllowedPorts = some[uint32](g, 8080, 9090)
	}
	g.objects.AccessPolicies = append(g.objects.AccessPolicies, world.Object[networkingv1.AccessPolicy]{Resource: p, Errors: g.errors()})
}

func (g *generator) identities() []core.IdentitySelector {
	var selectors []core.IdentitySelector
	for range pick(g, 0, 1, 1, 2) {
		var s core.IdentitySelector
		if g.chance(2) {
			s.KubeIdentityMatcher = &core.KubeIdentityMatcher{}
			if g.chance(2) {
				s.KubeIdentityMatcher.Namespaces = []string{g.anyNamespace()}
			}
			if g.chance(2) {
				s.KubeIdentityMatcher.Clusters = []string{g.cluster()}
			}
		}
		if g.chance(3) {
			s.KubeServiceAccountRefs = &core.KubeServiceAccountRefs{}
			for range g.below(3) {
				s.KubeServiceAccountRefs.ServiceAccounts = append(s.KubeServiceAccountRefs.ServiceAccounts, core.ClusterObjectRef{
					Name: pick(g, "", "cart", "pay", "robot", "default"), Namespace: pick(g, "", "shop", "bank"), ClusterName: pick(g, "", g.cluster()),
				})
			}
		}
		if g.chance(8) {
			s.RequestIdentityMatcher = &core.RequestIdentityMatcher{RequestPrincipals: some(g, "a", "b"), NotRequestPrincipals: some(g, "c")}
		}
		if g.chance(8) {
			s.RequestIPMatcher = &core.RequestIPMatcher{ForwardedIPs: some(g, "10.0.0.0/8")}
		}
		selectors = append(selectors, s)
	}
	return selectors
}
