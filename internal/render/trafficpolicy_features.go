package render

import (
	"github.com/meshctl/meshctl/internal/policy/feature"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// authored is how one feature of TrafficPolicies is authored.
type authored struct {
	// field is that of the table of features.
	field string
	flags []Field[TrafficPolicyInput]
	// apply sets on a policy what the input gives, and leaves the rest.
	apply func(in *TrafficPolicyInput, p *networkingv1.TrafficPolicyPolicy)
	// read fills in what recreates the policy.
	read func(p *networkingv1.TrafficPolicyPolicy, in *TrafficPolicyInput)
}

// authoredFeatures has a row for every feature that a policy can ask for with an
// effect, in the order of the flags in help.
func authoredFeatures() []authored {
	type (
		input  = TrafficPolicyInput
		policy = networkingv1.TrafficPolicyPolicy
	)
	return []authored{
		{
			feature.TrafficShift, shiftFlags(),
			func(in *input, p *policy) {
				change(&p.TrafficShift, func(m *networkingv1.MultiDestination) { setList(&m.Destinations, in.Shift) })
			},
			func(p *policy, in *input) {
				if p.TrafficShift != nil {
					in.Shift = p.TrafficShift.Destinations
				}
			},
		},
		{
			feature.Mirror, mirrorFlags(),
			func(in *input, p *policy) {
				change(&p.Mirror, func(m *networkingv1.Mirror) { applyMirror(&in.Mirror, m) })
			},
			func(p *policy, in *input) { set(&in.Mirror, p.Mirror) },
		},
		{
			feature.RequestTimeout, timeoutFlags(),
			func(in *input, p *policy) {
				if in.Timeout != nil {
					p.RequestTimeout = in.Timeout
				}
			},
			func(p *policy, in *input) { in.Timeout = p.RequestTimeout },
		},
		{feature.Retries, retryFlags(), applyRetries, readRetries},
		{
			feature.FaultInjection, faultFlags(),
			func(in *input, p *policy) { change(&p.FaultInjection, in.Fault.apply) },
			func(p *policy, in *input) { in.Fault = faultInput(p.FaultInjection) },
		},
		{
			feature.HeaderManipulation, headerFlags(),
			func(in *input, p *policy) {
				change(&p.HeaderManipulation, func(h *networkingv1.HeaderManipulation) { applyHeaders(&in.Headers, h) })
			},
			func(p *policy, in *input) { set(&in.Headers, p.HeaderManipulation) },
		},
		{
			feature.CORSPolicy, corsFlags(),
			func(in *input, p *policy) {
				change(&p.CORSPolicy, func(c *networkingv1.CORSPolicy) { applyCORS(&in.CORS, c) })
			},
			func(p *policy, in *input) { set(&in.CORS, p.CORSPolicy) },
		},
		{
			feature.OutlierDetection, outlierFlags(),
			applyOutliers,
			func(p *policy, in *input) { in.Outlier = outlierInput(p.OutlierDetection) },
		},
		{feature.MTLS, tlsFlags(), applyTLS, readTLS},
		{
			feature.ConnectionPoolSettings, connectionPoolFlags(),
			func(in *input, p *policy) { change(&p.ConnectionPoolSettings, in.ConnectionPool.apply) },
			func(p *policy, in *input) { in.ConnectionPool = connectionPoolInput(p.ConnectionPoolSettings) },
		},
	}
}

func applyRetries(in *TrafficPolicyInput, p *networkingv1.TrafficPolicyPolicy) {
	if in.RetryAttempts != nil && p.Retries == nil {
		p.Retries = &networkingv1.RetryPolicy{} // without content it asks for no retries
	}
	if p.Retries == nil {
		return
	}
	retries := *p.Retries
	set(&retries.Attempts, in.RetryAttempts)
	if in.RetryTimeout != nil {
		retries.PerTryTimeout = in.RetryTimeout
	}
	p.Retries = &retries
}

func readRetries(p *networkingv1.TrafficPolicyPolicy, in *TrafficPolicyInput) {
	if p.Retries != nil {
		in.RetryAttempts, in.RetryTimeout = pointer(p.Retries.Attempts), p.Retries.PerTryTimeout
	}
}

func applyOutliers(in *TrafficPolicyInput, p *networkingv1.TrafficPolicyPolicy) {
	if in.Outlier != (OutlierInput{}) && p.OutlierDetection == nil {
		p.OutlierDetection = &networkingv1.OutlierDetection{} // without content it asks for the defaults
	}
	if p.OutlierDetection != nil {
		outlier := *p.OutlierDetection
		in.Outlier.apply(&outlier)
		p.OutlierDetection = &outlier
	}
}

func applyTLS(in *TrafficPolicyInput, p *networkingv1.TrafficPolicyPolicy) {
	if in.TLSMode != nil {
		p.MTLS = &networkingv1.MTLS{Istio: &networkingv1.IstioMTLS{TLSMode: *in.TLSMode}}
	}
}

func readTLS(p *networkingv1.TrafficPolicyPolicy, in *TrafficPolicyInput) {
	if p.MTLS != nil && p.MTLS.Istio != nil {
		in.TLSMode = pointer(p.MTLS.Istio.TLSMode.OrDefault())
	}
}
