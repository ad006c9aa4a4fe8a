package limits

import (
	"fmt"
	"slices"
	"time"

	"github.com/meshctl/meshctl/internal/policy/selector"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// settingChecks rejects feature values that Istio rejects.
type settingChecks struct{ *valueChecks }

// HeaderManipulation rejects invalid header names and values.
func (c settingChecks) HeaderManipulation(h *networkingv1.HeaderManipulation) {
	c.headers("spec.policy.headerManipulation", h)
}

// CORSPolicy rejects invalid origins, methods and headers.
func (c settingChecks) CORSPolicy(p *networkingv1.CORSPolicy) {
	const at = "spec.policy.corsPolicy"
	for i, o := range p.AllowOrigins {
		field := fmt.Sprintf("%s.allowOrigins[%d]", at, i)
		for _, text := range []*string{o.Exact, o.Prefix, o.Suffix} {
			if text != nil && *text == "" {
				c.reject("%s: the origin is empty", field)
			}
		}
		if o.Exact == nil && o.Prefix == nil && o.Suffix == nil && o.Regex == nil {
			c.reject("%s: one of exact, prefix, suffix and regex is required", field)
		}
		if pattern := selector.OriginPattern(&p.AllowOrigins[i]); len(pattern) > maxPattern {
			c.reject("%s: the origin is too long", field)
		}
		c.regex(field, o.Regex)
	}
	c.duration(at+".maxAge", p.MaxAge, time.Second)
	for _, method := range p.AllowMethods {
		if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"}, method) {
			c.reject("%s.allowMethods: %q is not an HTTP method", at, method)
		}
	}
	for _, names := range [][]string{p.AllowHeaders, p.ExposeHeaders} {
		c.headerNames(at, slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "*" })...)
	}
}

// FaultInjection rejects percentages that are too small to take effect.
func (c settingChecks) FaultInjection(f *networkingv1.FaultInjection) {
	c.duration("spec.policy.faultInjection.fixedDelay", f.FixedDelay, time.Millisecond)
	if f.Percentage != nil && *f.Percentage > 0 && *f.Percentage < leastPercentage {
		c.reject("spec.policy.faultInjection.percentage: %v is neither 0 nor at least %v", *f.Percentage, leastPercentage)
	}
}

// TrafficShift rejects invalid pod labels and headers of targets.
func (c settingChecks) TrafficShift(s *networkingv1.MultiDestination) {
	for i, d := range s.Destinations {
		at := fmt.Sprintf("spec.policy.trafficShift.destinations[%d]", i)
		if d.KubeService != nil {
			c.labels(at+".kubeService.subset", d.KubeService.Subset)
		}
		if d.Options != nil {
			c.headers(at+".options.headerManipulation", d.Options.HeaderManipulation)
		}
	}
}

// ConnectionPoolSettings rejects settings that cannot be combined.
func (c settingChecks) ConnectionPoolSettings(pool *networkingv1.ConnectionPoolSettings) {
	const at = "spec.policy.connectionPoolSettings"
	if pool.TCP != nil {
		c.duration(at+".tcp.connectTimeout", pool.TCP.ConnectTimeout, time.Millisecond)
		c.keepalive(at+".tcp.tcpKeepalive", pool.TCP.TCPKeepalive)
	}
	if pool.HTTP != nil {
		c.duration(at+".http.idleTimeout", pool.HTTP.IdleTimeout, time.Millisecond)
	}
	if pool.HTTP != nil && pool.HTTP.UseClientProtocol && pool.HTTP.H2UpgradePolicy == networkingv1.H2UpgradePolicyUpgrade {
		c.reject(at + ".http: useClientProtocol conflicts with h2UpgradePolicy UPGRADE")
	}
}

// Mirror accepts what the schema accepts.
func (settingChecks) Mirror(*networkingv1.Mirror) {}

// RequestTimeout rejects durations that Istio cannot represent.
func (c settingChecks) RequestTimeout(d *core.Duration) {
	c.duration("spec.policy.requestTimeout", d, time.Millisecond)
}

// Retries rejects durations that Istio cannot represent.
func (c settingChecks) Retries(r *networkingv1.RetryPolicy) {
	c.duration("spec.policy.retries.perTryTimeout", r.PerTryTimeout, time.Millisecond)
}

// MTLS accepts what the schema accepts.
func (settingChecks) MTLS(*networkingv1.MTLS) {}

// OutlierDetection rejects durations that Istio cannot represent.
func (c settingChecks) OutlierDetection(o *networkingv1.OutlierDetection) {
	c.duration("spec.policy.outlierDetection.interval", o.Interval, time.Millisecond)
	c.duration("spec.policy.outlierDetection.baseEjectionTime", o.BaseEjectionTime, time.Millisecond)
}

// TCPKeepalive rejects durations that Istio cannot represent.
func (c settingChecks) TCPKeepalive(k *core.TCPKeepalive) {
	c.keepalive("spec.federation.tcpKeepalive", k)
}

func (c *valueChecks) keepalive(at string, k *core.TCPKeepalive) {
	if k != nil {
		c.duration(at+".time", k.Time, time.Second)
		c.duration(at+".interval", k.Interval, time.Second)
	}
}

// duration rejects a duration that is not a whole number of units, because
// nothing is rounded (D58).
func (c *valueChecks) duration(at string, d *core.Duration, unit time.Duration) {
	if d.Std()%unit != 0 {
		name := "seconds"
		if unit == time.Millisecond {
			name = "milliseconds"
		}
		c.reject("%s: %s is not a whole number of %s", at, d, name)
	}
}
