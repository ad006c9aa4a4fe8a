package randomworld

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func (g *generator) addTrafficPolicy(number int) {
	p := &networkingv1.TrafficPolicy{ObjectMeta: g.meta(fmt.Sprintf("tp-%d", number))}
	p.Spec.DestinationSelector = g.destinations()
	if g.chance(2) {
		p.Spec.SourceSelector = g.workloads()
	}
	if g.chance(3) {
		p.Spec.HTTPRequestMatchers = g.matchers()
	}
	if g.chance(5) {
		p.Spec.DestinationPorts = some[uint32](g, 8080, 9090, 7070, 1)
	}
	if g.chance(30) {
		p.Spec.RouteSelector = []networkingv1.RouteSelector{{}}
	}
	if !g.chance(20) {
		p.Spec.Policy = g.settings()
	}
	for range pick(g, 0, 0, 2, 6) {
		if p.Status.Destinations == nil {
			p.Status.Destinations = map[string]core.ApprovalStatus{}
		}
		d := pick(g, g.objects.Destinations...).Resource
		p.Status.Destinations[d.Name+"."+d.Namespace+"."] = core.ApprovalStatus{
			State: pick(g, core.ApprovalStateAccepted, core.ApprovalStateInvalid, ""), AcceptanceOrder: uint32(g.below(3)), //nolint:gosec // at most 2
		}
	}
	g.objects.TrafficPolicies = append(g.objects.TrafficPolicies, world.Object[networkingv1.TrafficPolicy]{Resource: p, Errors: g.errors()})
}

func (g *generator) workloads() []core.WorkloadSelector {
	var selectors []core.WorkloadSelector
	for range pick(g, 0, 1, 1, 2) {
		var s core.WorkloadSelector
		if !g.chance(8) {
			s.KubeWorkloadMatcher = &core.KubeWorkloadMatcher{}
			if g.chance(2) {
				s.KubeWorkloadMatcher.Labels = g.labels()
			}
			if g.chance(2) {
				s.KubeWorkloadMatcher.Namespaces = []string{g.anyNamespace(), g.anyNamespace()}
			}
			if g.chance(3) {
				s.KubeWorkloadMatcher.Clusters = []string{g.cluster(), g.cluster()}
			}
		}
		selectors = append(selectors, s)
	}
	return selectors
}

func (g *generator) matchers() []core.HTTPMatcher {
	var matchers []core.HTTPMatcher
	for range g.below(4) {
		if g.chance(2) { // so that matchers overlap
			matchers = append(matchers, core.HTTPMatcher{URI: &core.StringMatch{Prefix: ptr(pick(g, "/api", "/cart"))}})
			continue
		}
		m := core.HTTPMatcher{Method: pick(g, "", "", "GET", "POST")}
		switch g.below(8) {
		case 0:
			m.Prefix = ptr("/api")
		case 1:
			m.Exact = ptr("/api")
		case 2:
			m.Regex = ptr("/api/.*")
		case 3, 4, 5:
			m.URI = &core.StringMatch{
				Exact: maybe(g, 3, "/api"), Prefix: maybe(g, 3, pick(g, "/", "/api")), Suffix: maybe(g, 4, ".png"),
				Regex: maybe(g, 5, "["), IgnoreCase: g.chance(4),
			}
		}
		for range g.below(3) {
			m.Headers = append(m.Headers, core.HeaderMatcher{
				Name: pick(g, "x-plan", "X-Plan", "x-user"), Value: pick(g, "", "gold"), Regex: g.chance(4), InvertMatch: g.chance(4),
			})
		}
		for range g.below(2) {
			m.QueryParameters = append(m.QueryParameters, core.QueryParameterMatcher{Name: pick(g, "q", "debug"), Value: pick(g, "", "1"), Regex: g.chance(4)})
		}
		matchers = append(matchers, m)
	}
	return matchers
}

// settings returns a few settings from a small set of values, so that policies agree and
// conflict.
func (g *generator) settings() *networkingv1.TrafficPolicyPolicy {
	p := &networkingv1.TrafficPolicyPolicy{}
	for range 1 + g.below(3) {
		switch g.below(12) {
		case 0, 1:
			p.RequestTimeout = core.NewDuration(time.Duration(g.below(3)) * time.Second)
		case 2:
			p.Retries = &networkingv1.RetryPolicy{Attempts: int32(g.below(3)), PerTryTimeout: maybe(g, 2, *core.NewDuration(time.Second))} //nolint:gosec // at most 2
		case 3:
			p.FaultInjection = &networkingv1.FaultInjection{
				Abort: maybe(g, 2, networkingv1.Abort{HTTPStatus: 503}), FixedDelay: maybe(g, 2, *core.NewDuration(time.Second)), Percentage: g.percentage(),
			}
		case 4:
			p.CORSPolicy = &networkingv1.CORSPolicy{AllowOrigins: []core.StringMatch{{Exact: maybe(g, 2, "https://example.com"), Suffix: maybe(g, 4, "com")}}}
		case 5:
			p.Mirror = &networkingv1.Mirror{KubeService: maybe(g, 1+g.below(2), g.service()), Percentage: g.percentage(), Port: pick[uint32](g, 0, 0, 8080, 1)}
		case 6:
			p.HeaderManipulation = &networkingv1.HeaderManipulation{RemoveRequestHeaders: some(g, "a", "b"), AppendResponseHeaders: g.labels()}
		case 7:
			p.OutlierDetection = &networkingv1.OutlierDetection{ConsecutiveErrors: pick[uint32](g, 0, 5, 7), Interval: maybe(g, 2, *core.NewDuration(10 * time.Second))}
		case 8:
			p.MTLS = &networkingv1.MTLS{Istio: maybe(g, 1+g.below(2), networkingv1.IstioMTLS{TLSMode: g.tlsMode()})}
		case 9:
			p.ConnectionPoolSettings = &networkingv1.ConnectionPoolSettings{
				TCP: maybe(g, 2, networkingv1.TCPSettings{MaxConnections: 10, TCPKeepalive: maybe(g, 2, core.TCPKeepalive{Probes: 1})}),
			}
		case 10:
			p.TrafficShift = g.shift()
		case 11:
			// These types exist only in pkg/api, so decode a manifest.
			if err := json.Unmarshal([]byte(`{"csrf":{},"rateLimit":{},"extauth":{},"transformations":{}}`), p); err != nil {
				panic(err) // a constant that always decodes
			}
		}
	}
	return p
}

func (g *generator) percentage() *float64 { return pick(g, nil, ptr(0.0), ptr(100.0), ptr(12.5)) }

// shift returns a traffic shift, possibly to the Destination itself, with weights that may not
// add up.
func (g *generator) shift() *networkingv1.MultiDestination {
	shift := &networkingv1.MultiDestination{}
	for range g.below(4) {
		d := networkingv1.WeightedDestination{Weight: pick(g, nil, ptr(uint32(0)), ptr(uint32(50)), ptr(uint32(100)))}
		switch g.below(12) {
		case 0:
			d.VirtualDestination = &networkingv1.VirtualDestination{Name: "vd"}
		case 1:
			d.StaticDestination = &core.ObjectRef{Name: "sd"}
		case 2:
			d.ClusterHeader = ptr("x-cluster")
		case 3:
		default:
			to := g.service()
			d.KubeService = &networkingv1.KubeDestination{
				Name: to.Name, Namespace: to.Namespace, ClusterName: to.ClusterName, Port: pick[uint32](g, 0, 0, 8080, 9090),
			}
			if g.chance(2) {
				d.KubeService.Subset = g.labels()
			}
		}
		shift.Destinations = append(shift.Destinations, d)
	}
	return shift
}
