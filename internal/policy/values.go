package policy

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// valueChecks collects values that fit the schema but that Istio rejects
// together with everything around them. A policy with any is INVALID, so that
// it does not take others down with it.
type valueChecks struct{ problems []problem }

func (c *valueChecks) reject(format string, args ...any) {
	c.problems = append(c.problems, problem{CodeUnrealisable, fmt.Sprintf(format, args...)})
}

// checkTrafficValues returns which values of a TrafficPolicy Istio rejects.
func checkTrafficValues(spec *networkingv1.TrafficPolicySpec) []problem {
	c := &valueChecks{}
	for i, s := range spec.SourceSelector {
		if m := s.KubeWorkloadMatcher; m != nil {
			at := fmt.Sprintf("spec.sourceSelector[%d].kubeWorkloadMatcher", i)
			c.labels(at+".labels", m.Labels)
			c.namespaces(at+".namespaces", m.Namespaces)
		}
	}
	for i := range spec.HTTPRequestMatchers {
		c.matcher(fmt.Sprintf("spec.httpRequestMatchers[%d]", i), spec.HTTPRequestMatchers[i])
	}
	if spec.Policy != nil {
		c.settings(spec.Policy)
	}
	return c.problems
}

func (c *valueChecks) matcher(at string, m core.HTTPMatcher) {
	if uri := effectiveURI(m); uri != nil {
		c.regex(at+".uri", uri.Regex)
	}
	for k, h := range m.Headers {
		field := fmt.Sprintf("%s.headers[%d]", at, k)
		if !isPseudoHeader(h.Name) {
			c.headerNames(field, h.Name)
		}
		if h.Regex && h.Value != "" {
			c.regex(field, &h.Value)
		}
	}
	for k, q := range m.QueryParameters {
		if q.Regex && q.Value != "" {
			c.regex(fmt.Sprintf("%s.queryParameters[%d]", at, k), &q.Value)
		}
	}
}

func (c *valueChecks) settings(p *networkingv1.TrafficPolicyPolicy) {
	c.headers("spec.policy.headerManipulation", p.HeaderManipulation)
	if p.CORSPolicy != nil {
		c.cors(p.CORSPolicy)
	}
	if p.TrafficShift != nil {
		for i, d := range p.TrafficShift.Destinations {
			at := fmt.Sprintf("spec.policy.trafficShift.destinations[%d]", i)
			if d.KubeService != nil {
				c.labels(at+".kubeService.subset", d.KubeService.Subset)
			}
			if d.Options != nil {
				c.headers(at+".options.headerManipulation", d.Options.HeaderManipulation)
			}
		}
	}
	if pool := p.ConnectionPoolSettings; pool != nil && pool.HTTP != nil &&
		pool.HTTP.UseClientProtocol && pool.HTTP.H2UpgradePolicy == networkingv1.H2UpgradePolicyUpgrade {
		c.reject("spec.policy.connectionPoolSettings.http: useClientProtocol contradicts h2UpgradePolicy UPGRADE")
	}
}

func (c *valueChecks) cors(p *networkingv1.CORSPolicy) {
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
			c.reject("%s.allowMethods: %q is no HTTP method", at, method)
		}
	}
	for _, names := range [][]string{p.AllowHeaders, p.ExposeHeaders} {
		c.headerNames(at, slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "*" })...)
	}
}

func (c *valueChecks) headers(at string, h *networkingv1.HeaderManipulation) {
	if h == nil {
		return
	}
	c.headerNames(at, slices.DeleteFunc(slices.Sorted(maps.Keys(h.AppendRequestHeaders)), func(n string) bool { return n == authorityHeader })...)
	c.headerNames(at, slices.Sorted(maps.Keys(h.AppendResponseHeaders))...)
	c.headerNames(at, h.RemoveRequestHeaders...)
	c.headerNames(at, h.RemoveResponseHeaders...)
}

// authorityHeader is the one pseudo header that settings may write.
const authorityHeader = ":authority"

// isPseudoHeader reports whether a name stands for something else of the
// request: its parts in HTTP/2, or a claim of its token.
func isPseudoHeader(name string) bool {
	return slices.Contains([]string{":method", ":scheme", authorityHeader, ":path", ":status"}, name) ||
		strings.HasPrefix(name, "@request.auth.claims")
}

func (c *valueChecks) headerNames(at string, names ...string) {
	for _, name := range names {
		bad := func(r rune) bool {
			return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}
		if name == "" || strings.ContainsFunc(name, bad) {
			c.reject("%s: %q is no name of a header", at, name)
		}
	}
}

func (c *valueChecks) regex(at string, pattern *string) {
	if pattern == nil {
		return
	}
	if *pattern == "" {
		c.reject("%s: the regular expression is empty", at)
	} else if _, err := regexp.Compile(*pattern); err != nil {
		c.reject("%s: %v", at, err)
	}
}

func (c *valueChecks) labels(at string, labels map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		value := labels[key]
		if strings.Contains(key+value, "*") {
			continue // a wildcard is reported as such
		}
		if len(validation.IsQualifiedName(key)) > 0 || len(validation.IsValidLabelValue(value)) > 0 {
			c.reject("%s: no pod can be labelled %s=%s", at, key, value)
		}
	}
}

func (c *valueChecks) namespaces(at string, namespaces []string) {
	for _, n := range namespaces {
		if !strings.Contains(n, "*") && len(validation.IsDNS1123Label(n)) > 0 {
			c.reject("%s: %q is no name of a namespace", at, n)
		}
	}
}

// checkAccessValues returns which values of an AccessPolicy Istio rejects.
func checkAccessValues(spec *networkingv1.AccessPolicySpec) []problem {
	c := &valueChecks{}
	for i, s := range spec.SourceSelector {
		at := fmt.Sprintf("spec.sourceSelector[%d]", i)
		if m := s.KubeIdentityMatcher; m != nil {
			c.namespaces(at+".kubeIdentityMatcher.namespaces", m.Namespaces)
		}
		if m := s.RequestIdentityMatcher; m != nil {
			c.texts(at+".requestIdentityMatcher", m.RequestPrincipals, m.NotRequestPrincipals)
		}
		if m := s.RequestIPMatcher; m != nil {
			c.addresses(at+".requestIpMatcher", m.ForwardedIPs, m.NotForwardedIPs)
		}
	}
	c.texts("spec.allowedPaths", spec.AllowedPaths)
	c.texts("spec.allowedMethods", spec.AllowedMethods)
	return c.problems
}

func (c *valueChecks) texts(at string, lists ...[]string) {
	for _, list := range lists {
		if slices.Contains(list, "") {
			c.reject("%s: a value is empty", at)
		}
	}
}

func (c *valueChecks) addresses(at string, lists ...[]string) {
	for _, address := range slices.Concat(lists...) {
		_, errAddress := netip.ParseAddr(address)
		_, errPrefix := netip.ParsePrefix(address)
		if errAddress != nil && errPrefix != nil {
			c.reject("%s: %q is neither an IP address nor a range of them, such as 10.0.0.0/8", at, address)
		}
	}
}
