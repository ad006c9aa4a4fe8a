package genworld

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func networkingMeta(kind, name string) (metav1.TypeMeta, metav1.ObjectMeta) {
	return metav1.TypeMeta{APIVersion: networkingv1.GroupVersion().String(), Kind: kind},
		metav1.ObjectMeta{Name: name, Namespace: world.DefaultNamespace}
}

// addVirtualMesh joins all meshes, with a common root, all Destinations federated to all
// meshes, and calls denied unless an AccessPolicy allows them.
func (g *generator) addVirtualMesh() {
	vm := &networkingv1.VirtualMesh{Spec: networkingv1.VirtualMeshSpec{
		MTLSConfig: &networkingv1.MTLSConfig{Shared: &networkingv1.SharedTrust{}},
		Federation: &networkingv1.Federation{
			Selectors: []networkingv1.FederationSelector{{}},
			TLSEnforcementSettings: &networkingv1.TLSEnforcementSettings{
				EnforcementMode: networkingv1.EnforcementModeStrict,
			},
		},
		GlobalAccessPolicy: networkingv1.GlobalAccessPolicyEnabled,
	}}
	vm.TypeMeta, vm.ObjectMeta = networkingMeta("VirtualMesh", "everything")
	for c := range g.Clusters {
		vm.Spec.Meshes = append(vm.Spec.Meshes, meshRef(clusterName(c)))
	}
	g.objects.VirtualMeshes = append(g.objects.VirtualMeshes, object(vm))
}

// selectAll is the number of policies of each kind that select every Service; more would only
// conflict.
const selectAll = 3

// addTrafficPolicies adds policies in realistic proportions: most select one Service, some a
// group of them, and few all.
func (g *generator) addTrafficPolicies() {
	for i := range g.Traffic {
		p := &networkingv1.TrafficPolicy{}
		switch {
		case i < selectAll && i < g.Traffic/10:
			p.Spec = everywhere(i)
		case i%20 == 19:
			p.Spec = g.ofTeam(i)
		case i%5 == 4:
			p.Spec = g.ofTier()
		case i%5 == 3:
			p.Spec = g.shift(i)
		case i%5 == 2:
			p.Spec = g.timeoutOfPath(i)
		default:
			p.Spec = g.ofService(i)
		}
		p.TypeMeta, p.ObjectMeta = networkingMeta("TrafficPolicy", fmt.Sprintf("traffic-%04d", i))
		g.objects.TrafficPolicies = append(g.objects.TrafficPolicies, object(p))
	}
}

// everywhere returns settings for all Services.
func everywhere(number int) networkingv1.TrafficPolicySpec {
	policies := []networkingv1.TrafficPolicyPolicy{
		{OutlierDetection: &networkingv1.OutlierDetection{ConsecutiveErrors: 7}},
		{RequestTimeout: core.NewDuration(30 * time.Second)},
		{HeaderManipulation: &networkingv1.HeaderManipulation{RemoveResponseHeaders: []string{"server"}}},
	}
	return networkingv1.TrafficPolicySpec{Policy: &policies[number%len(policies)]}
}

// ofTeam returns connection settings of a whole namespace.
func (g *generator) ofTeam(number int) networkingv1.TrafficPolicySpec {
	team := teamName(number / 20 % g.teams())
	return networkingv1.TrafficPolicySpec{
		DestinationSelector: matching(nil, []string{team}),
		Policy: &networkingv1.TrafficPolicyPolicy{
			ConnectionPoolSettings: &networkingv1.ConnectionPoolSettings{TCP: &networkingv1.TCPSettings{MaxConnections: 100}},
		},
	}
}

// ofTier returns retries for the Services of one tier and namespace.
func (g *generator) ofTier() networkingv1.TrafficPolicySpec {
	tier := tiers()[g.random.IntN(len(tiers()))]
	return networkingv1.TrafficPolicySpec{
		SourceSelector:      g.sources(),
		DestinationSelector: matching(map[string]string{"tier": tier}, []string{g.anyTeam()}),
		Policy: &networkingv1.TrafficPolicyPolicy{
			Retries: &networkingv1.RetryPolicy{Attempts: 3, PerTryTimeout: core.NewDuration(2 * time.Second)},
		},
	}
}

// shift returns a canary release: most requests to v1 and some to v2.
func (g *generator) shift(number int) networkingv1.TrafficPolicySpec {
	s := g.spread(number)
	to := func(version string, weight uint32) networkingv1.WeightedDestination {
		return networkingv1.WeightedDestination{
			Weight: &weight,
			KubeService: &networkingv1.KubeDestination{
				Name: s.name(), Namespace: s.namespace(), ClusterName: s.clusterName(),
				Subset: map[string]string{"version": version},
			},
		}
	}
	return networkingv1.TrafficPolicySpec{
		DestinationSelector: exactly(s),
		Policy: &networkingv1.TrafficPolicyPolicy{TrafficShift: &networkingv1.MultiDestination{
			Destinations: []networkingv1.WeightedDestination{to("v1", 90), to("v2", 10)},
		}},
	}
}

// timeoutOfPath returns a timeout of some requests only.
func (g *generator) timeoutOfPath(number int) networkingv1.TrafficPolicySpec {
	return networkingv1.TrafficPolicySpec{
		SourceSelector:      g.sources(),
		DestinationSelector: exactly(g.spread(number)),
		HTTPRequestMatchers: []core.HTTPMatcher{
			{URI: &core.StringMatch{Prefix: ptr("/api/v1")}, Method: "GET"},
			{URI: &core.StringMatch{Prefix: ptr("/export")}, Headers: []core.HeaderMatcher{{Name: "x-plan", Value: "gold"}}},
		},
		Policy: &networkingv1.TrafficPolicyPolicy{RequestTimeout: core.NewDuration(time.Duration(1+g.random.IntN(20)) * time.Second)},
	}
}

// ofService returns some setting of a single Service.
func (g *generator) ofService(number int) networkingv1.TrafficPolicySpec {
	s, other := g.spread(number), g.anyService()
	settings := []networkingv1.TrafficPolicyPolicy{
		{RequestTimeout: core.NewDuration(10 * time.Second), Retries: &networkingv1.RetryPolicy{Attempts: 2}},
		{FaultInjection: &networkingv1.FaultInjection{Abort: &networkingv1.Abort{HTTPStatus: 503}, Percentage: ptr(1.0)}},
		{CORSPolicy: &networkingv1.CORSPolicy{
			AllowOrigins: []core.StringMatch{{Exact: ptr("https://example.com")}}, AllowMethods: []string{"GET", "POST"},
		}},
		{Mirror: &networkingv1.Mirror{
			KubeService: &core.ClusterObjectRef{Name: other.name(), Namespace: other.namespace(), ClusterName: other.clusterName()},
			Percentage:  ptr(5.0),
		}},
		{OutlierDetection: &networkingv1.OutlierDetection{ConsecutiveErrors: 3, Interval: core.NewDuration(5 * time.Second)}},
		{HeaderManipulation: &networkingv1.HeaderManipulation{AppendRequestHeaders: map[string]string{"x-owner": s.namespace()}}},
	}
	spec := networkingv1.TrafficPolicySpec{DestinationSelector: exactly(s), Policy: &settings[g.random.IntN(len(settings))]}
	if spec.Policy.OutlierDetection == nil { // it must apply to all sources
		spec.SourceSelector = g.sources()
	}
	return spec
}

// sources returns the sources of a TrafficPolicy; half of the policies apply to all.
func (g *generator) sources() []core.WorkloadSelector {
	switch g.random.IntN(10) {
	case 0, 1, 2:
		return []core.WorkloadSelector{{KubeWorkloadMatcher: &core.KubeWorkloadMatcher{Namespaces: []string{g.anyTeam()}}}}
	case 3:
		labels := map[string]string{"tier": tiers()[g.random.IntN(len(tiers()))]}
		return []core.WorkloadSelector{{KubeWorkloadMatcher: &core.KubeWorkloadMatcher{Labels: labels, Namespaces: []string{g.anyTeam()}}}}
	case 4:
		return []core.WorkloadSelector{{KubeWorkloadMatcher: &core.KubeWorkloadMatcher{Clusters: []string{g.anyCluster()}}}}
	default:
		return nil
	}
}

// addAccessPolicies adds policies in realistic proportions: service accounts allowed to call
// one Service, teams allowed to call each other, and one policy for the gateways.
func (g *generator) addAccessPolicies() {
	for i := range g.Access {
		p := &networkingv1.AccessPolicy{}
		switch {
		case i == 0:
			p.Spec = g.gatewayToFrontends()
		case i%10 == 9:
			p.Spec = g.teamToTeam()
		case i%5 == 3:
			p.Spec = g.readers(i)
		default:
			p.Spec = g.accountToService(i)
		}
		p.TypeMeta, p.ObjectMeta = networkingMeta("AccessPolicy", fmt.Sprintf("access-%04d", i))
		g.objects.AccessPolicies = append(g.objects.AccessPolicies, object(p))
	}
}

func (g *generator) gatewayToFrontends() networkingv1.AccessPolicySpec {
	return networkingv1.AccessPolicySpec{
		SourceSelector:      accounts(core.ClusterObjectRef{Name: gatewayName, Namespace: istioNamespace}),
		DestinationSelector: matching(map[string]string{"tier": "frontend"}, nil),
	}
}

func (g *generator) teamToTeam() networkingv1.AccessPolicySpec {
	return networkingv1.AccessPolicySpec{
		SourceSelector: []core.IdentitySelector{{KubeIdentityMatcher: &core.KubeIdentityMatcher{
			Namespaces: []string{g.anyTeam()}, Clusters: []string{g.anyCluster()},
		}}},
		DestinationSelector: matching(nil, []string{g.anyTeam()}),
	}
}

// readers allows a team to read from one Service.
func (g *generator) readers(number int) networkingv1.AccessPolicySpec {
	return networkingv1.AccessPolicySpec{
		SourceSelector:      []core.IdentitySelector{{KubeIdentityMatcher: &core.KubeIdentityMatcher{Namespaces: []string{g.anyTeam()}}}},
		DestinationSelector: exactly(g.spread(number)),
		AllowedMethods:      []string{"GET"}, AllowedPaths: []string{"/api/*"}, AllowedPorts: []uint32{8080},
	}
}

func (g *generator) accountToService(number int) networkingv1.AccessPolicySpec {
	caller := g.anyService()
	return networkingv1.AccessPolicySpec{
		SourceSelector: accounts(core.ClusterObjectRef{
			Name: caller.name(), Namespace: caller.namespace(), ClusterName: caller.clusterName(),
		}),
		DestinationSelector: exactly(g.spread(number)),
	}
}

func accounts(refs ...core.ClusterObjectRef) []core.IdentitySelector {
	return []core.IdentitySelector{{KubeServiceAccountRefs: &core.KubeServiceAccountRefs{ServiceAccounts: refs}}}
}

func exactly(s service) []core.DestinationSelector {
	return []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{
		{Name: s.name(), Namespace: s.namespace(), ClusterName: s.clusterName()},
	}}}}
}

func matching(labels map[string]string, namespaces []string) []core.DestinationSelector {
	return []core.DestinationSelector{{KubeServiceMatcher: &core.KubeServiceMatcher{
		Labels: labels, Namespaces: namespaces,
	}}}
}
