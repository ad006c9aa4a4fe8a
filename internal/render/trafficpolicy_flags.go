package render

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func shiftFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		spread(Field[input]{
			Name: "shift", Value: "REF[:PORT][@KEY=VALUE,...][=WEIGHT]", Group: groupRouting, Names: ServiceNames, Keys: usages(shiftKeys()),
			Usage: "send requests to this Service instead, or to a subset of its pods; several weights sum to 100",
		}, func(in *input) *[]networkingv1.WeightedDestination { return &in.Shift }, readShift, writeShift),
	}
}

func mirrorFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		{
			Name: "mirror", Value: "REF[:PORT]", Group: groupRouting, Names: ServiceNames,
			Usage: "send a copy of the requests to this Service too",
			set: func(in *input, text string, names Names) error {
				service, port, err := readServicePort(whole(text), names)
				if err == nil {
					in.Mirror.KubeService, in.Mirror.Port = &service, port
				}
				return err
			},
			get: func(in *input) []string {
				if in.Mirror.KubeService == nil {
					return nil
				}
				return []string{writeServicePort(*in.Mirror.KubeService, in.Mirror.Port)}
			},
		},
		single(Field[input]{
			Name: "mirror-percentage", Value: "PERCENT", Group: groupRouting,
			Usage: "part of the requests to copy to --mirror; 100 if not given",
		}, func(in *input) **float64 { return &in.Mirror.Percentage }, readDecimal(100), writeDecimal),
	}
}

func timeoutFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		durationField(Field[input]{
			Name: "timeout", Group: groupResilience, Usage: "time after which a request fails",
		}, func(in *input) **core.Duration { return &in.Timeout }),
	}
}

func retryFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		limitField(Field[input]{
			Name: "retries", Group: groupResilience, Usage: "number of retries of a failed request",
		}, func(in *input) **int32 { return &in.RetryAttempts }),
		durationField(Field[input]{
			Name: "retry-timeout", Group: groupResilience, Usage: "time after which one attempt fails",
		}, func(in *input) **core.Duration { return &in.RetryTimeout }),
	}
}

func faultFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		durationField(Field[input]{
			Name: "fault-delay", Group: groupResilience, Usage: "delay requests by this time, as a test",
		}, func(in *input) **core.Duration { return &in.Fault.Delay }),
		single(Field[input]{
			Name: "fault-abort", Value: "STATUS", Group: groupResilience, Usage: "answer requests with this HTTP status, as a test",
		}, func(in *input) **int32 { return &in.Fault.AbortStatus }, readNumber[int32](200, 599), writeNumber[int32]),
		single(Field[input]{
			Name: "fault-percentage", Value: "PERCENT", Group: groupResilience,
			Usage: "part of the requests to delay or abort; 100 if not given",
		}, func(in *input) **float64 { return &in.Fault.Percentage }, readDecimal(100), writeDecimal),
	}
}

func headerFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		table(Field[input]{
			Name: "add-request-header", Value: "NAME=VALUE", Group: groupHeaders, Usage: "add a header to requests",
		}, func(in *input) *map[string]string { return &in.Headers.AppendRequestHeaders }, readHeader),
		table(Field[input]{
			Name: "add-response-header", Value: "NAME=VALUE", Group: groupHeaders, Usage: "add a header to responses",
		}, func(in *input) *map[string]string { return &in.Headers.AppendResponseHeaders }, readHeader),
		many(Field[input]{
			Name: "remove-request-header", Value: "NAME", Group: groupHeaders, Usage: "remove a header from requests",
		}, func(in *input) *[]string { return &in.Headers.RemoveRequestHeaders }, readHeaderName, writeText),
		many(Field[input]{
			Name: "remove-response-header", Value: "NAME", Group: groupHeaders, Usage: "remove a header from responses",
		}, func(in *input) *[]string { return &in.Headers.RemoveResponseHeaders }, readHeaderName, writeText),
	}
}

func corsFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		many(Field[input]{
			Name: "cors-origin", Value: "HOW:TEXT", Group: groupCORS,
			Usage: "origins that browsers may call from: exact:, prefix:, suffix: or regex: and a text; -ignore-case may follow exact and prefix",
		}, func(in *input) *[]core.StringMatch { return &in.CORS.AllowOrigins }, readStringMatch, writeStringMatch),
		many(Field[input]{
			Name: "cors-method", Value: "METHOD", Group: groupCORS, Usage: "a method that is allowed",
		}, func(in *input) *[]string { return &in.CORS.AllowMethods }, readMethod, writeText),
		many(Field[input]{
			Name: "cors-header", Value: "NAME", Group: groupCORS, Usage: "a request header that is allowed",
		}, func(in *input) *[]string { return &in.CORS.AllowHeaders }, readHeaderName, writeText),
		many(Field[input]{
			Name: "cors-expose-header", Value: "NAME", Group: groupCORS, Usage: "a response header that scripts may read",
		}, func(in *input) *[]string { return &in.CORS.ExposeHeaders }, readHeaderName, writeText),
		durationField(Field[input]{
			Name: "cors-max-age", Group: groupCORS, Usage: "how long browsers may cache the answer",
		}, func(in *input) **core.Duration { return &in.CORS.MaxAge }),
		toggle(Field[input]{
			Name: "cors-credentials", Group: groupCORS, Usage: "whether requests may carry credentials",
		}, func(in *input) **bool { return &in.CORS.AllowCredentials }),
	}
}

// readMethod reads an HTTP method, as it is: methods distinguish case.
func readMethod(p piece, _ Names) (string, error) { return p.text, checkToken(p, "method") }

func outlierFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		single(Field[input]{
			Name: "outlier-errors", Value: "NUMBER", Group: groupConnections,
			Usage: "consecutive errors before an endpoint is ejected; 0 for the default, 5",
		}, func(in *input) **uint32 { return &in.Outlier.Errors }, readNumber[uint32](0, maxUint32), writeNumber[uint32]),
		durationField(Field[input]{
			Name: "outlier-interval", Group: groupConnections, Usage: "interval between checks of the endpoints (default 10s)",
		}, func(in *input) **core.Duration { return &in.Outlier.Interval }),
		durationField(Field[input]{
			Name: "outlier-ejection-time", Group: groupConnections, Usage: "minimum ejection time of an endpoint (default 30s)",
		}, func(in *input) **core.Duration { return &in.Outlier.EjectionTime }),
		single(Field[input]{
			Name: "outlier-max-ejection", Value: "PERCENT", Group: groupConnections,
			Usage: "maximum percentage of ejected endpoints (default 100)",
		}, func(in *input) **uint32 { return &in.Outlier.MaxEjection }, readNumber[uint32](0, 100), writeNumber[uint32]),
	}
}

func tlsFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		choice(Field[input]{
			Name: "tls-mode", Value: "MODE", Group: groupConnections,
			Usage: "how clients connect: without TLS (DISABLE), with TLS (SIMPLE), with the mesh's mutual TLS (ISTIO_MUTUAL)",
		}, func(in *input) **networkingv1.TLSMode { return &in.TLSMode },
			networkingv1.TLSModeDisable, networkingv1.TLSModeSimple, networkingv1.TLSModeIstioMutual),
	}
}

func connectionPoolFlags() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	pool := func(in *input) *ConnectionPoolInput { return &in.ConnectionPool }
	return []Field[input]{
		limitField(Field[input]{
			Name: "max-connections", Group: groupConnections, Usage: "most TCP connections; 0 for the default",
		}, func(in *input) **int32 { return &pool(in).MaxConnections }),
		durationField(Field[input]{
			Name: "connect-timeout", Group: groupConnections, Usage: "time after which connecting fails",
		}, func(in *input) **core.Duration { return &pool(in).ConnectTimeout }),
		single(Field[input]{
			Name: "keepalive", Value: "TERMS", Group: groupConnections, Keys: usages(keepaliveKeys()),
			Usage: "TCP keepalive: probes=NUMBER, time=DURATION, interval=DURATION",
		}, func(in *input) **core.TCPKeepalive { return &pool(in).Keepalive }, readKeepalive, writeKeepalive),
		limitField(Field[input]{
			Name: "max-pending-requests", Group: groupConnections, Usage: "most HTTP/1.1 requests that wait for a connection; 0 for the default",
		}, func(in *input) **int32 { return &pool(in).MaxPendingRequests }),
		limitField(Field[input]{
			Name: "max-requests", Group: groupConnections, Usage: "most HTTP/2 requests at a time; 0 for the default",
		}, func(in *input) **int32 { return &pool(in).MaxRequests }),
		limitField(Field[input]{
			Name: "max-requests-per-connection", Group: groupConnections, Usage: "most requests on one connection; 0 for the default",
		}, func(in *input) **int32 { return &pool(in).MaxRequestsPerConnection }),
		limitField(Field[input]{
			Name: "max-retries", Group: groupConnections, Usage: "most retries at a time; 0 for the default",
		}, func(in *input) **int32 { return &pool(in).MaxRetries }),
		durationField(Field[input]{
			Name: "idle-timeout", Group: groupConnections, Usage: "time after which an idle connection is closed",
		}, func(in *input) **core.Duration { return &pool(in).IdleTimeout }),
		choice(Field[input]{
			Name: "h2-upgrade", Value: "POLICY", Group: groupConnections, Usage: "whether HTTP/1.1 connections become HTTP/2",
		}, func(in *input) **networkingv1.H2UpgradePolicy { return &pool(in).H2Upgrade },
			networkingv1.H2UpgradePolicyDefault, networkingv1.H2UpgradePolicyDoNotUpgrade, networkingv1.H2UpgradePolicyUpgrade),
		toggle(Field[input]{
			Name: "use-client-protocol", Group: groupConnections, Usage: "use the protocol that the client uses; excludes --h2-upgrade",
		}, func(in *input) **bool { return &pool(in).UseClientProtocol }),
	}
}
