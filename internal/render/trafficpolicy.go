package render

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TrafficPolicy returns how TrafficPolicies are authored.
func TrafficPolicy() Kind[TrafficPolicyInput, *networkingv1.TrafficPolicy] {
	gvk := networkingv1.GroupVersion().WithKind("TrafficPolicy")
	return Kind[TrafficPolicyInput, *networkingv1.TrafficPolicy]{
		GVK: gvk, Noun: "trafficpolicy", Fields: trafficPolicyFields(),
		check: checkTrafficPolicy,
		apply: func(in *TrafficPolicyInput, p *networkingv1.TrafficPolicy) { applyTrafficPolicy(in, &p.Spec) },
		read:  func(p *networkingv1.TrafficPolicy) *TrafficPolicyInput { return trafficPolicyInput(&p.Spec) },
		empty: func() *networkingv1.TrafficPolicy {
			p := &networkingv1.TrafficPolicy{}
			p.SetGroupVersionKind(gvk)
			return p
		},
		copy:   (*networkingv1.TrafficPolicy).DeepCopy,
		absent: func(o *networkingv1.TrafficPolicy) bool { return o == nil },
	}
}

// The sections of help.
const (
	groupApplies     = "What it applies to"
	groupRouting     = "Where requests go"
	groupResilience  = "Timeouts, retries and faults"
	groupHeaders     = "Headers"
	groupCORS        = "Cross-origin requests"
	groupConnections = "Connections"
)

func trafficPolicyFields() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	fields := []Field[input]{many(Field[input]{
		Name: "source", Value: "TERMS", Group: groupApplies, Names: NamespaceNames, Keys: append([]string{everyWorkload}, usages(workloadKeys())...),
		Usage: "workloads whose requests it applies to: `all`, or namespace=NAME, cluster=NAME, label:KEY=VALUE; all if not given",
	}, func(in *input) *[]core.KubeWorkloadMatcher { return &in.Sources }, readWorkloads, writeWorkloads)}
	fields = append(fields, destinationFields(groupApplies, func(in *input) *[]core.DestinationSelector { return &in.Destinations })...)
	fields = append(fields,
		many(Field[input]{
			Name: "port", Value: "PORT", Group: groupApplies,
			Usage: "port of the destinations that it applies to; all if not given",
		}, func(in *input) *[]uint32 { return &in.Ports }, readPort, writeNumber[uint32]),
		many(Field[input]{
			Name: "match", Value: "TERMS", Group: groupApplies, Keys: append([]string{everyRequest}, usages(matcherKeys())...),
			Usage: "requests that it applies to: exact=PATH, prefix=PATH, suffix=PATH, regex=REGEX, method=METHOD, header:NAME=VALUE, query:NAME=VALUE and others",
		}, func(in *input) *[]core.HTTPMatcher { return &in.Matchers }, readMatcher, writeHTTPMatcher),
		spread(Field[input]{
			Name: "shift", Value: "REF[:PORT][@KEY=VALUE,...][=WEIGHT]", Group: groupRouting, Names: ServiceNames, Keys: usages(shiftKeys()),
			Usage: "send requests to this Service instead, or to a subset of its pods; several weights sum to 100",
		}, func(in *input) *[]networkingv1.WeightedDestination { return &in.Shift }, readShift, writeShift),
		mirrorField(),
		single(Field[input]{
			Name: "mirror-percentage", Value: "PERCENT", Group: groupRouting,
			Usage: "part of the requests to copy to --mirror; 100 if not given",
		}, func(in *input) **float64 { return &in.Mirror.Percentage }, readDecimal(100), writeDecimal),
	)
	fields = append(fields, resilienceFields()...)
	fields = append(fields, headerFields()...)
	fields = append(fields, corsFields()...)
	return append(fields, connectionFields()...)
}

func mirrorField() Field[TrafficPolicyInput] {
	return Field[TrafficPolicyInput]{
		Name: "mirror", Value: "REF[:PORT]", Group: groupRouting, Names: ServiceNames,
		Usage: "send a copy of the requests to this Service too",
		set: func(in *TrafficPolicyInput, text string, names Names) error {
			service, port, err := readServicePort(whole(text), names)
			if err == nil {
				in.Mirror.Service, in.Mirror.Port = &service, port
			}
			return err
		},
		get: func(in *TrafficPolicyInput) []string {
			if in.Mirror.Service == nil {
				return nil
			}
			return []string{writeServicePort(*in.Mirror.Service, in.Mirror.Port)}
		},
	}
}

// durationField completes a flag that gives a duration.
func durationField[I any](f Field[I], at func(*I) **core.Duration) Field[I] {
	f.Value = "DURATION"
	return single(f, at, readDuration, writeDuration)
}

// limitField completes a flag that gives a limit; 0 is the API's way to say the
// default.
func limitField[I any](f Field[I], at func(*I) **int32) Field[I] {
	f.Value = "NUMBER"
	return single(f, at, readNumber[int32](0, maxInt32), writeNumber[int32])
}

func resilienceFields() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		durationField(Field[input]{
			Name: "timeout", Group: groupResilience, Usage: "time after which a request fails",
		}, func(in *input) **core.Duration { return &in.Timeout }),
		limitField(Field[input]{
			Name: "retries", Group: groupResilience, Usage: "how often a failed request is repeated",
		}, func(in *input) **int32 { return &in.RetryAttempts }),
		durationField(Field[input]{
			Name: "retry-timeout", Group: groupResilience, Usage: "time after which one attempt fails",
		}, func(in *input) **core.Duration { return &in.RetryTimeout }),
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

func headerFields() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		table(Field[input]{
			Name: "add-request-header", Value: "NAME=VALUE", Group: groupHeaders, Usage: "add a header to requests",
		}, func(in *input) *map[string]string { return &in.Headers.AddRequest }, readHeader),
		table(Field[input]{
			Name: "add-response-header", Value: "NAME=VALUE", Group: groupHeaders, Usage: "add a header to responses",
		}, func(in *input) *map[string]string { return &in.Headers.AddResponse }, readHeader),
		many(Field[input]{
			Name: "remove-request-header", Value: "NAME", Group: groupHeaders, Usage: "remove a header from requests",
		}, func(in *input) *[]string { return &in.Headers.RemoveRequest }, readHeaderName, writeText),
		many(Field[input]{
			Name: "remove-response-header", Value: "NAME", Group: groupHeaders, Usage: "remove a header from responses",
		}, func(in *input) *[]string { return &in.Headers.RemoveResponse }, readHeaderName, writeText),
	}
}

func corsFields() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	return []Field[input]{
		many(Field[input]{
			Name: "cors-origin", Value: "HOW:TEXT", Group: groupCORS,
			Usage: "origins that browsers may call from: exact:, prefix:, suffix: or regex: and a text; -ignore-case may follow exact and prefix",
		}, func(in *input) *[]core.StringMatch { return &in.CORS.Origins }, readStringMatch, writeStringMatch),
		many(Field[input]{
			Name: "cors-method", Value: "METHOD", Group: groupCORS, Usage: "a method that is allowed",
		}, func(in *input) *[]string { return &in.CORS.Methods }, readMethod, writeText),
		many(Field[input]{
			Name: "cors-header", Value: "NAME", Group: groupCORS, Usage: "a request header that is allowed",
		}, func(in *input) *[]string { return &in.CORS.Headers }, readHeaderName, writeText),
		many(Field[input]{
			Name: "cors-expose-header", Value: "NAME", Group: groupCORS, Usage: "a response header that scripts may read",
		}, func(in *input) *[]string { return &in.CORS.ExposeHeaders }, readHeaderName, writeText),
		durationField(Field[input]{
			Name: "cors-max-age", Group: groupCORS, Usage: "how long browsers may remember the answer",
		}, func(in *input) **core.Duration { return &in.CORS.MaxAge }),
		toggle(Field[input]{
			Name: "cors-credentials", Group: groupCORS, Usage: "whether requests may carry credentials",
		}, func(in *input) **bool { return &in.CORS.Credentials }),
	}
}

// readMethod reads an HTTP method, as it is: methods distinguish case.
func readMethod(p piece, _ Names) (string, error) { return p.text, checkToken(p, "method") }

func connectionFields() []Field[TrafficPolicyInput] {
	type input = TrafficPolicyInput
	pool := func(in *input) *ConnectionPoolInput { return &in.ConnectionPool }
	return []Field[input]{
		single(Field[input]{
			Name: "outlier-errors", Value: "NUMBER", Group: groupConnections,
			Usage: "failures in a row after which an endpoint is not used for a while; 0 for the default, 5",
		}, func(in *input) **uint32 { return &in.Outlier.Errors }, readNumber[uint32](0, maxUint32), writeNumber[uint32]),
		durationField(Field[input]{
			Name: "outlier-interval", Group: groupConnections, Usage: "time between looks at the endpoints; 10s if not given",
		}, func(in *input) **core.Duration { return &in.Outlier.Interval }),
		durationField(Field[input]{
			Name: "outlier-ejection-time", Group: groupConnections, Usage: "how long an endpoint is not used at least; 30s if not given",
		}, func(in *input) **core.Duration { return &in.Outlier.EjectionTime }),
		single(Field[input]{
			Name: "outlier-max-ejection", Value: "PERCENT", Group: groupConnections,
			Usage: "part of the endpoints that may be out of use, in whole percent; 100 if not given",
		}, func(in *input) **uint32 { return &in.Outlier.MaxEjection }, readNumber[uint32](0, 100), writeNumber[uint32]),
		choice(Field[input]{
			Name: "tls-mode", Value: "MODE", Group: groupConnections,
			Usage: "how clients connect: without TLS (DISABLE), with TLS (SIMPLE), with the mesh's mutual TLS (ISTIO_MUTUAL)",
		}, func(in *input) **networkingv1.TLSMode { return &in.TLSMode },
			networkingv1.TLSModeDisable, networkingv1.TLSModeSimple, networkingv1.TLSModeIstioMutual),
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
