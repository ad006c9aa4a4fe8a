package policy

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/conversion"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Feature is one setting of a TrafficPolicy with its effective value: defaults
// are filled in, so that equal effects have equal values.
type Feature struct {
	// Field is the name in the manifest, such as requestTimeout.
	Field string
	// Value is a value of the API's type; it marshals to what the manifest would
	// say if it said everything.
	Value any
}

// The features by where they take effect. Route features belong to the requests
// that a policy matches; connection features to all connections from a cluster
// to a Destination (semantics 4).
const (
	fieldTrafficShift     = "trafficShift"
	fieldFaultInjection   = "faultInjection"
	fieldRequestTimeout   = "requestTimeout"
	fieldRetries          = "retries"
	fieldCORSPolicy       = "corsPolicy"
	fieldMirror           = "mirror"
	fieldHeaders          = "headerManipulation"
	fieldOutlierDetection = "outlierDetection"
	fieldConnectionPool   = "connectionPoolSettings"
	fieldTCPKeepalive     = "tcpKeepalive"

	// FieldMTLS is the TLS mode of connections.
	FieldMTLS = "mtls"
)

// unsupported returns the names of the fields that are read and kept but have
// no effect on Istio (semantics D29), sorted.
func unsupported(spec *networkingv1.TrafficPolicySpec) []string {
	var fields []string
	if len(spec.RouteSelector) > 0 {
		fields = append(fields, "spec.routeSelector")
	}
	p := spec.Policy
	if p == nil {
		return fields
	}
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"csrf", p.CSRF != nil},
		{"extauth", p.Extauth != nil},
		{"extauthSettings", p.ExtauthSettings != nil},
		{"rateLimit", p.RateLimit != nil},
		{"rateLimitSettings", p.RateLimitSettings != nil},
		{"transformations", p.Transformations != nil},
	} {
		if f.set {
			fields = append(fields, "spec.policy."+f.name)
		}
	}
	return fields
}

// routeFeatures returns the route features of a policy, sorted by field.
// Ports of targets are filled in by the caller's resolver, which returns 0 if
// it cannot tell.
func routeFeatures(p *networkingv1.TrafficPolicyPolicy, port func(core.ClusterObjectRef) uint32) []Feature {
	if p == nil {
		return nil
	}
	var features []Feature
	add := func(field string, value any, present bool) {
		if present {
			features = append(features, Feature{field, value})
		}
	}
	add(fieldCORSPolicy, p.CORSPolicy, p.CORSPolicy != nil)
	add(fieldFaultInjection, effectiveFault(p.FaultInjection), p.FaultInjection != nil)
	add(fieldHeaders, p.HeaderManipulation, p.HeaderManipulation != nil)
	add(fieldMirror, effectiveMirror(p.Mirror, port), p.Mirror != nil)
	add(fieldRequestTimeout, p.RequestTimeout, p.RequestTimeout != nil)
	add(fieldRetries, p.Retries, p.Retries != nil)
	add(fieldTrafficShift, effectiveShift(p.TrafficShift, port), p.TrafficShift != nil && len(p.TrafficShift.Destinations) > 0)
	return features
}

// connectionFeatures returns the connection features of a policy, sorted by
// field. A TLS mode that is the default anyway claims nothing (semantics 4).
func connectionFeatures(p *networkingv1.TrafficPolicyPolicy, defaultMode networkingv1.TLSMode) []Feature {
	if p == nil {
		return nil
	}
	var features []Feature
	if p.ConnectionPoolSettings != nil {
		features = append(features, Feature{fieldConnectionPool, p.ConnectionPoolSettings})
	}
	if mode := tlsFeature(p); mode != nil && mode.Value.(*networkingv1.MTLS).Istio.TLSMode != defaultMode {
		features = append(features, *mode)
	}
	if p.OutlierDetection != nil {
		features = append(features, Feature{fieldOutlierDetection, effectiveOutliers(p.OutlierDetection)})
	}
	return features
}

// tlsFeature returns the TLS mode that a policy asks for, nil if it asks for
// none.
func tlsFeature(p *networkingv1.TrafficPolicyPolicy) *Feature {
	if p == nil || p.MTLS == nil || p.MTLS.Istio == nil {
		return nil
	}
	return &Feature{FieldMTLS, &networkingv1.MTLS{Istio: &networkingv1.IstioMTLS{TLSMode: p.MTLS.Istio.TLSMode.OrDefault()}}}
}

// percent returns a percentage with its default: omitted means all (semantics
// D24).
func percent(p *float64) *float64 {
	if p != nil {
		return p
	}
	all := 100.0
	return &all
}

func effectiveFault(f *networkingv1.FaultInjection) *networkingv1.FaultInjection {
	if f == nil {
		return nil
	}
	effective := *f
	effective.Percentage = percent(f.Percentage)
	return &effective
}

func effectiveMirror(m *networkingv1.Mirror, port func(core.ClusterObjectRef) uint32) *networkingv1.Mirror {
	if m == nil {
		return nil
	}
	effective := *m
	effective.Percentage = percent(m.Percentage)
	if m.KubeService != nil && m.Port == 0 {
		effective.Port = port(*m.KubeService)
	}
	return &effective
}

func effectiveShift(s *networkingv1.MultiDestination, port func(core.ClusterObjectRef) uint32) *networkingv1.MultiDestination {
	if s == nil {
		return nil
	}
	effective := &networkingv1.MultiDestination{Destinations: slices.Clone(s.Destinations)}
	for i := range effective.Destinations {
		d := &effective.Destinations[i]
		if d.Weight == nil {
			weight := uint32(0)
			if len(effective.Destinations) == 1 { // all of it (semantics D25)
				weight = 100
			}
			d.Weight = &weight
		}
		if d.KubeService != nil && d.KubeService.Port == 0 {
			target := *d.KubeService
			target.Port = port(shiftTarget(&target))
			d.KubeService = &target
		}
	}
	return effective
}

func shiftTarget(d *networkingv1.KubeDestination) core.ClusterObjectRef {
	return core.ClusterObjectRef{Name: d.Name, Namespace: d.Namespace, ClusterName: d.ClusterName}
}

// The defaults of outlier detection (semantics 5.2).
const (
	defaultConsecutiveErrors  = 5
	defaultOutlierInterval    = 10 * time.Second
	defaultBaseEjectionTime   = 30 * time.Second
	defaultMaxEjectionPercent = 100
)

func effectiveOutliers(o *networkingv1.OutlierDetection) *networkingv1.OutlierDetection {
	return &networkingv1.OutlierDetection{
		ConsecutiveErrors:  cmp.Or(o.ConsecutiveErrors, defaultConsecutiveErrors),
		Interval:           orDuration(o.Interval, defaultOutlierInterval),
		BaseEjectionTime:   orDuration(o.BaseEjectionTime, defaultBaseEjectionTime),
		MaxEjectionPercent: cmp.Or(o.MaxEjectionPercent, defaultMaxEjectionPercent),
	}
}

func orDuration(d *core.Duration, fallback time.Duration) *core.Duration {
	if d.Std() == 0 {
		return core.NewDuration(fallback)
	}
	return d
}

// valueEqualities compares effective values by their effect: absent and empty
// are equal, and so are durations written differently.
func valueEqualities() conversion.Equalities {
	return conversion.EqualitiesOrDie(func(x, y core.Duration) bool { return x.Std() == y.Std() })
}

// SameValue reports whether two effective values have the same effect.
func (r *Result) SameValue(a, b any) bool { return r.equalities.DeepEqual(a, b) }
