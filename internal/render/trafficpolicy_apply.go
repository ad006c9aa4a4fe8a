package render

import (
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func applyTrafficPolicy(in *TrafficPolicyInput, spec *networkingv1.TrafficPolicySpec) {
	if in.Sources != nil {
		spec.SourceSelector = nil
		for _, m := range in.Sources {
			spec.SourceSelector = append(spec.SourceSelector, core.WorkloadSelector{KubeWorkloadMatcher: pointer(m)})
		}
	}
	setList(&spec.DestinationSelector, in.Destinations)
	setList(&spec.DestinationPorts, in.Ports)
	setList(&spec.HTTPRequestMatchers, in.Matchers)
	change(&spec.Policy, func(p *networkingv1.TrafficPolicyPolicy) {
		for _, f := range authoredFeatures() {
			f.apply(in, p)
		}
	})
}

func (f FaultInput) apply(to *networkingv1.FaultInjection) {
	if f.Delay != nil {
		to.FixedDelay, to.Abort = f.Delay, nil
	}
	if f.AbortStatus != nil {
		to.FixedDelay, to.Abort = nil, &networkingv1.Abort{HTTPStatus: *f.AbortStatus}
	}
	if f.Percentage != nil {
		to.Percentage = f.Percentage
	}
}

func applyMirror(from, to *networkingv1.Mirror) {
	if from.KubeService != nil {
		to.KubeService, to.Port = from.KubeService, from.Port
	}
	if from.Percentage != nil {
		to.Percentage = from.Percentage
	}
}

func applyHeaders(from, to *networkingv1.HeaderManipulation) {
	setTable(&to.AppendRequestHeaders, from.AppendRequestHeaders)
	setTable(&to.AppendResponseHeaders, from.AppendResponseHeaders)
	setList(&to.RemoveRequestHeaders, from.RemoveRequestHeaders)
	setList(&to.RemoveResponseHeaders, from.RemoveResponseHeaders)
}

func applyCORS(from, to *networkingv1.CORSPolicy) {
	setList(&to.AllowOrigins, from.AllowOrigins)
	setList(&to.AllowMethods, from.AllowMethods)
	setList(&to.AllowHeaders, from.AllowHeaders)
	setList(&to.ExposeHeaders, from.ExposeHeaders)
	if from.MaxAge != nil {
		to.MaxAge = from.MaxAge
	}
	if from.AllowCredentials != nil {
		to.AllowCredentials = from.AllowCredentials
	}
}

func (o OutlierInput) apply(to *networkingv1.OutlierDetection) {
	set(&to.ConsecutiveErrors, o.Errors)
	if o.Interval != nil {
		to.Interval = o.Interval
	}
	if o.EjectionTime != nil {
		to.BaseEjectionTime = o.EjectionTime
	}
	set(&to.MaxEjectionPercent, o.MaxEjection)
}

func (c ConnectionPoolInput) apply(to *networkingv1.ConnectionPoolSettings) {
	change(&to.TCP, func(tcp *networkingv1.TCPSettings) {
		set(&tcp.MaxConnections, c.MaxConnections)
		if c.ConnectTimeout != nil {
			tcp.ConnectTimeout = c.ConnectTimeout
		}
		if c.Keepalive != nil {
			tcp.TCPKeepalive = c.Keepalive
		}
	})
	change(&to.HTTP, func(http *networkingv1.HTTPSettings) {
		set(&http.HTTP1MaxPendingRequests, c.MaxPendingRequests)
		set(&http.HTTP2MaxRequests, c.MaxRequests)
		set(&http.MaxRequestsPerConnection, c.MaxRequestsPerConnection)
		set(&http.MaxRetries, c.MaxRetries)
		if c.IdleTimeout != nil {
			http.IdleTimeout = c.IdleTimeout
		}
		set(&http.H2UpgradePolicy, c.H2Upgrade)
		set(&http.UseClientProtocol, c.UseClientProtocol)
	})
}

// trafficPolicyInput returns the input that recreates a TrafficPolicy.
func trafficPolicyInput(spec *networkingv1.TrafficPolicySpec) *TrafficPolicyInput {
	in := &TrafficPolicyInput{Destinations: spec.DestinationSelector, Ports: spec.DestinationPorts}
	for _, s := range spec.SourceSelector {
		m := core.KubeWorkloadMatcher{}
		set(&m, s.KubeWorkloadMatcher)
		in.Sources = append(in.Sources, m)
	}
	for _, m := range spec.HTTPRequestMatchers {
		in.Matchers = append(in.Matchers, modernMatcher(m))
	}
	if spec.Policy != nil {
		for _, f := range authoredFeatures() {
			f.read(spec.Policy, in)
		}
	}
	return in
}

// modernMatcher writes the deprecated fields of a matcher as its uri.
func modernMatcher(m core.HTTPMatcher) core.HTTPMatcher {
	if m.URI == nil && (m.Exact != nil || m.Prefix != nil || m.Regex != nil) {
		m.URI = &core.StringMatch{Exact: m.Exact, Prefix: m.Prefix, Regex: m.Regex}
	}
	m.Exact, m.Prefix, m.Regex = nil, nil, nil
	return m
}

func faultInput(f *networkingv1.FaultInjection) FaultInput {
	if f == nil {
		return FaultInput{}
	}
	in := FaultInput{Delay: f.FixedDelay, Percentage: f.Percentage}
	if f.Abort != nil {
		in.AbortStatus = &f.Abort.HTTPStatus
	}
	return in
}

func outlierInput(o *networkingv1.OutlierDetection) OutlierInput {
	if o == nil {
		return OutlierInput{}
	}
	in := OutlierInput{
		Errors: nonZero(o.ConsecutiveErrors), Interval: o.Interval, EjectionTime: o.BaseEjectionTime, MaxEjection: nonZero(o.MaxEjectionPercent),
	}
	if in == (OutlierInput{}) {
		in.Errors = pointer[uint32](0)
	}
	return in
}

func connectionPoolInput(c *networkingv1.ConnectionPoolSettings) ConnectionPoolInput {
	var in ConnectionPoolInput
	if c == nil {
		return in
	}
	if tcp := c.TCP; tcp != nil {
		in.MaxConnections, in.ConnectTimeout, in.Keepalive = nonZero(tcp.MaxConnections), tcp.ConnectTimeout, tcp.TCPKeepalive
	}
	if http := c.HTTP; http != nil {
		in.MaxPendingRequests, in.MaxRequests = nonZero(http.HTTP1MaxPendingRequests), nonZero(http.HTTP2MaxRequests)
		in.MaxRequestsPerConnection, in.MaxRetries = nonZero(http.MaxRequestsPerConnection), nonZero(http.MaxRetries)
		in.IdleTimeout, in.H2Upgrade = http.IdleTimeout, nonZero(http.H2UpgradePolicy)
		in.UseClientProtocol = nonZero(http.UseClientProtocol)
	}
	return in
}
