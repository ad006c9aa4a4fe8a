package feature

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// The fields of features in the spelling of manifests.
const (
	HeaderManipulation     = "headerManipulation"
	CORSPolicy             = "corsPolicy"
	FaultInjection         = "faultInjection"
	TrafficShift           = "trafficShift"
	Mirror                 = "mirror"
	RequestTimeout         = "requestTimeout"
	Retries                = "retries"
	ConnectionPoolSettings = "connectionPoolSettings"
	MTLS                   = "mtls"
	OutlierDetection       = "outlierDetection"
	// TCPKeepalive is the keepalive of a VirtualMesh, for connections from other
	// clusters; that of a policy is part of ConnectionPoolSettings.
	TCPKeepalive = "tcpKeepalive"
)

// policy is an alias for the settings of a TrafficPolicy.
type policy = networkingv1.TrafficPolicyPolicy

// All returns the table: a row for every field of TrafficPolicyPolicy, and one
// for the connection settings of a VirtualMesh. Problems of a policy are reported
// in this order.
func All() Features {
	return Features{
		requests(Feature{
			Field: HeaderManipulation, Title: "Headers", About: "add and remove headers of requests and responses",
			lines: lines(headerLines),
		}, func(p *policy) *networkingv1.HeaderManipulation { return p.HeaderManipulation }, nil, Requests.HeaderManipulation),
		requests(Feature{
			Field: CORSPolicy, Title: "CORS", About: "allow cross-origin requests of browsers",
		}, func(p *policy) *networkingv1.CORSPolicy { return p.CORSPolicy }, nil, Requests.CORSPolicy),
		requests(Feature{
			Field: FaultInjection, Title: "Fault", About: "inject delays or errors for tests",
			lines: text(faultText),
		}, func(p *policy) *networkingv1.FaultInjection { return p.FaultInjection }, effectiveFault, Requests.FaultInjection),
		requests(Feature{
			Field: TrafficShift, Title: "Shift", About: "send requests to other services or versions, by weight",
			lines: lines(shiftLines), targets: targets(shiftTargets),
		}, func(p *policy) *networkingv1.MultiDestination { return p.TrafficShift }, effectiveShift, Requests.TrafficShift),
		requests(Feature{
			Field: Mirror, Title: "Mirror", About: "mirror requests to another service",
			lines: text(mirrorText), targets: targets(mirrorTargets),
		}, func(p *policy) *networkingv1.Mirror { return p.Mirror }, effectiveMirror, Requests.Mirror),
		requests(Feature{
			Field: RequestTimeout, Title: "Timeout", About: "fail requests that take too long",
			lines: text(durationText),
		}, func(p *policy) *core.Duration { return p.RequestTimeout }, nil, Requests.RequestTimeout),
		requests(Feature{
			Field: Retries, Title: "Retries", About: "retry failed requests",
			lines: text(retryText), notes: lines(retryNotes),
		}, func(p *policy) *networkingv1.RetryPolicy { return p.Retries }, nil, Requests.Retries),

		connections(Feature{
			Field: ConnectionPoolSettings, Title: "Connection pool", About: "limit the connections to the destinations",
		}, func(p *policy) *networkingv1.ConnectionPoolSettings { return p.ConnectionPoolSettings }, nil, Connections.ConnectionPoolSettings),
		connections(Feature{
			Field: MTLS, Title: "TLS", About: "how clients connect to the destinations",
			lines: text(tlsText),
		}, func(p *policy) *networkingv1.MTLS { return p.MTLS }, effectiveTLS, Connections.MTLS),
		connections(Feature{
			Field: OutlierDetection, Title: "Outlier detection", About: "eject failing endpoints (for all sources only)",
			lines: text(outlierText),
		}, func(p *policy) *networkingv1.OutlierDetection { return p.OutlierDetection }, effectiveOutliers, Connections.OutlierDetection),
		connections[core.TCPKeepalive](Feature{Field: TCPKeepalive}, nil, nil, Connections.TCPKeepalive),

		unsupported("csrf", func(p *policy) *apiextensionsv1.JSON { return p.CSRF }),
		unsupported("extauth", func(p *policy) *apiextensionsv1.JSON { return p.Extauth }),
		unsupported("extauthSettings", func(p *policy) *apiextensionsv1.JSON { return p.ExtauthSettings }),
		unsupported("rateLimit", func(p *policy) *apiextensionsv1.JSON { return p.RateLimit }),
		unsupported("rateLimitSettings", func(p *policy) *apiextensionsv1.JSON { return p.RateLimitSettings }),
		unsupported("transformations", func(p *policy) *apiextensionsv1.JSON { return p.Transformations }),
	}
}

// requests completes the row of a request feature: how to read a policy's value,
// how to compute its effect (nil: the value itself), and its method of Requests.
func requests[V any](f Feature, at func(*policy) *V, effective func(*V, PortResolver) *V, visit func(Requests, *V)) Feature {
	f.Scope, f.visitRequests = ScopeRequests, func(v Requests, value any) {
		if typed, ok := value.(*V); ok {
			visit(v, typed)
		}
	}
	return read(f, at, effective)
}

// connections is requests for connection features. If at is nil, policies do not
// have the field.
func connections[V any](f Feature, at func(*policy) *V, effective func(*V, PortResolver) *V, visit func(Connections, *V)) Feature {
	f.Scope, f.visitConnections = ScopeConnections, func(v Connections, value any) {
		if typed, ok := value.(*V); ok {
			visit(v, typed)
		}
	}
	if at == nil {
		return f
	}
	return read(f, at, effective)
}

// unsupported returns the row of a field that is only preserved.
func unsupported(field string, at func(*policy) *apiextensionsv1.JSON) Feature {
	return read(Feature{Field: field, Scope: ScopeUnsupported}, at, nil)
}

func read[V any](f Feature, at func(*policy) *V, effective func(*V, PortResolver) *V) Feature {
	f.said = func(p *policy) bool { return at(p) != nil }
	f.effective = func(p *policy, ports PortResolver) any {
		value := at(p)
		if effective != nil {
			value = effective(value, ports)
		}
		if value == nil {
			return nil
		}
		return value
	}
	return f
}

// lines adapts a formatter for the feature's type.
func lines[V any](show func(*V) []string) func(any) []string {
	return func(value any) []string {
		if typed, ok := value.(*V); ok {
			return show(typed)
		}
		return nil
	}
}

// text is lines for a formatter with a single text.
func text[V any](show func(*V) string) func(any) []string {
	return lines(func(value *V) []string { return []string{show(value)} })
}

func targets[V any](named func(*V) []Target) func(any) []Target {
	return func(value any) []Target {
		if typed, ok := value.(*V); ok {
			return named(typed)
		}
		return nil
	}
}
