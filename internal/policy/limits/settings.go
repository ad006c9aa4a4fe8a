package limits

import (
	"fmt"
	"slices"

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
		for _, text := range []*string{o.Exact, o.Prefix} {
			if text != nil && *text == "" {
				c.reject("%s: the origin is empty", field)
			}
		}
		c.regex(field, o.Regex)
	}
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
	if pool.HTTP != nil && pool.HTTP.UseClientProtocol && pool.HTTP.H2UpgradePolicy == networkingv1.H2UpgradePolicyUpgrade {
		c.reject("spec.policy.connectionPoolSettings.http: useClientProtocol conflicts with h2UpgradePolicy UPGRADE")
	}
}

// Mirror accepts what the schema accepts.
func (settingChecks) Mirror(*networkingv1.Mirror) {}

// RequestTimeout accepts what the schema accepts.
func (settingChecks) RequestTimeout(*core.Duration) {}

// Retries accepts what the schema accepts.
func (settingChecks) Retries(*networkingv1.RetryPolicy) {}

// MTLS accepts what the schema accepts.
func (settingChecks) MTLS(*networkingv1.MTLS) {}

// OutlierDetection accepts what the schema accepts.
func (settingChecks) OutlierDetection(*networkingv1.OutlierDetection) {}

// TCPKeepalive accepts what the schema accepts.
func (settingChecks) TCPKeepalive(*core.TCPKeepalive) {}
