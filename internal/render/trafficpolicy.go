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
		unrestricted: unrestrictedTraffic(),
		check:        checkTrafficPolicy,
		apply:        func(in *TrafficPolicyInput, p *networkingv1.TrafficPolicy) { applyTrafficPolicy(in, &p.Spec) },
		read:         func(p *networkingv1.TrafficPolicy) *TrafficPolicyInput { return trafficPolicyInput(&p.Spec) },
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
	)
	for _, f := range authoredFeatures() {
		for _, flag := range f.flags {
			flag.Feature = f.field
			fields = append(fields, flag)
		}
	}
	return fields
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
