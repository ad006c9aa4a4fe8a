package render_test

import (
	"github.com/meshctl/meshctl/internal/render"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func (g generator) trafficPolicy() *render.TrafficPolicyInput {
	in := &render.TrafficPolicyInput{
		Destinations: list(g, g.destination), Ports: list(g, func() uint32 { return uint32(1 + g.below(65535)) }), Matchers: list(g, g.matcher),
		Shift: g.shift(), Timeout: maybe(g, 3, g.duration),
		Headers: networkingv1.HeaderManipulation{AppendRequestHeaders: g.headers(), AppendResponseHeaders: g.headers(), RemoveRequestHeaders: list(g, g.name), RemoveResponseHeaders: list(g, g.name)},
	}
	percentage := func() float64 { return float64(g.below(1001)) / 10 }
	if g.chance(3) {
		in.RetryAttempts, in.RetryTimeout = pointer(int32(g.below(4))), maybe(g, 2, g.duration)
	}
	switch g.below(4) {
	case 0:
		in.Fault = render.FaultInput{Delay: pointer(g.duration()), Percentage: maybe(g, 2, percentage)}
	case 1:
		in.Fault = render.FaultInput{AbortStatus: pointer(int32(200 + g.below(400))), Percentage: maybe(g, 2, percentage)}
	}
	if g.chance(3) {
		in.Mirror = networkingv1.Mirror{KubeService: pointer(g.service()), Port: uint32(g.below(2) * 80), Percentage: maybe(g, 2, percentage)}
	}
	if g.chance(3) {
		in.CORS = networkingv1.CORSPolicy{
			AllowOrigins: list(g, func() core.StringMatch { return *g.match() }), AllowMethods: list(g, always("GET")), AllowHeaders: list(g, g.name), ExposeHeaders: list(g, g.name),
			MaxAge: maybe(g, 2, g.duration), AllowCredentials: maybe(g, 2, func() bool { return g.chance(2) }),
		}
	}
	if g.chance(4) {
		small := func() uint32 { return uint32(g.below(101)) }
		in.Outlier = render.OutlierInput{Errors: maybe(g, 2, small), Interval: maybe(g, 2, g.duration), EjectionTime: maybe(g, 2, g.duration), MaxEjection: maybe(g, 2, small)}
	} else {
		in.Sources = list(g, func() core.KubeWorkloadMatcher {
			return core.KubeWorkloadMatcher{Labels: g.labels(), Namespaces: list(g, g.name), Clusters: list(g, g.dotted)}
		})
	}
	in.TLSMode = maybe(g, 3, func() networkingv1.TLSMode {
		return pick(g, networkingv1.TLSModeDisable, networkingv1.TLSModeSimple, networkingv1.TLSModeIstioMutual)
	})
	if g.chance(3) {
		in.ConnectionPool = g.connectionPool()
	}
	return in
}

func (g generator) connectionPool() render.ConnectionPoolInput {
	limit := func() int32 { return int32(g.below(1 << 30)) }
	return render.ConnectionPoolInput{
		MaxConnections: maybe(g, 2, limit), ConnectTimeout: maybe(g, 2, g.duration), Keepalive: maybe(g, 2, g.keepalive),
		MaxPendingRequests: maybe(g, 2, limit), MaxRequests: maybe(g, 2, limit), MaxRequestsPerConnection: maybe(g, 2, limit),
		MaxRetries: maybe(g, 2, limit), IdleTimeout: maybe(g, 2, g.duration),
		H2Upgrade: maybe(g, 2, func() networkingv1.H2UpgradePolicy {
			return pick(g, networkingv1.H2UpgradePolicyDefault, networkingv1.H2UpgradePolicyDoNotUpgrade)
		}),
		UseClientProtocol: maybe(g, 2, func() bool { return g.chance(2) }),
	}
}

func (g generator) match() *core.StringMatch {
	switch g.below(4) {
	case 0:
		return &core.StringMatch{Exact: pointer(g.text()), IgnoreCase: g.chance(2)}
	case 1:
		return &core.StringMatch{Prefix: pointer(g.text()), IgnoreCase: g.chance(2)}
	case 2:
		return &core.StringMatch{Suffix: pointer(g.text())}
	default:
		return &core.StringMatch{Regex: pointer(g.regex())}
	}
}

func (g generator) regex() string { return pick(g, "a{1,2}", `\d+,"`, "^/a=b~c$", ".*", " x ") }

func (g generator) matcher() core.HTTPMatcher {
	m := core.HTTPMatcher{Name: pick(g, "", "", g.text()), Method: pick(g, "", "GET")}
	if g.chance(2) {
		m.URI = g.match()
	}
	for _, name := range []string{"x-a", "a~b", "!c"} {
		if g.chance(3) {
			m.Headers = append(m.Headers, core.HeaderMatcher{Name: name, Value: pick(g, "", g.text()), InvertMatch: g.chance(2)})
		}
		if g.chance(4) {
			q := core.QueryParameterMatcher{Name: name + pick(g, "", "=", ","), Value: g.regex(), Regex: true}
			m.QueryParameters = append(m.QueryParameters, q)
		}
	}
	return m
}

func (g generator) shift() []networkingv1.WeightedDestination {
	var shift []networkingv1.WeightedDestination
	target := func() networkingv1.WeightedDestination {
		ref := g.service()
		d := networkingv1.WeightedDestination{KubeService: &networkingv1.KubeDestination{
			Name: ref.Name, Namespace: ref.Namespace, ClusterName: ref.ClusterName, Subset: g.labels(), Port: uint32(g.below(2) * 9080),
		}}
		h := networkingv1.HeaderManipulation{
			AppendRequestHeaders: g.headers(), AppendResponseHeaders: g.headers(), RemoveRequestHeaders: list(g, g.name), RemoveResponseHeaders: list(g, g.name),
		}
		if len(h.AppendRequestHeaders)+len(h.AppendResponseHeaders)+len(h.RemoveRequestHeaders)+len(h.RemoveResponseHeaders) > 0 && g.chance(2) {
			d.Options = &networkingv1.DestinationOptions{HeaderManipulation: &h}
		}
		return d
	}
	switch g.below(3) {
	case 0:
		d := target()
		d.Weight = maybe(g, 2, always(uint32(100)))
		shift = append(shift, d)
	case 1:
		first := uint32(g.below(101))
		for _, weight := range []uint32{first, 100 - first} {
			d := target()
			d.Weight = &weight
			shift = append(shift, d)
		}
	}
	return shift
}
