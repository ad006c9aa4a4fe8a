// Package limits checks values of policies that match the schema but that Istio
// or Envoy rejects.
package limits

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/trust"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// valueChecks collects values that match the schema but that Istio or Envoy
// rejects, together with the whole object or all routes of a port. A policy with
// such a value is INVALID, so that it does not affect other policies.
type valueChecks struct{ problems []finding.Problem }

func (c *valueChecks) reject(format string, args ...any) {
	c.problems = append(c.problems, finding.Problem{Code: finding.CodeRejectedValue, Message: fmt.Sprintf(format, args...)})
}

// Limits of Istio and Envoy.
const (
	// maxPattern is the maximum length of a regular expression in bytes.
	maxPattern = 1024
	// leastPercentage is the smallest effective percentage of requests to fail.
	leastPercentage = 0.0001
)

// CheckTrafficPolicy returns the values of a TrafficPolicy that Istio or Envoy
// rejects.
func CheckTrafficPolicy(features feature.Features, spec *networkingv1.TrafficPolicySpec) []finding.Problem {
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
	for _, f := range features {
		if value := f.Value(spec.Policy, feature.NoPorts); value != nil {
			f.VisitRequests(settingChecks{c}, value)
			f.VisitConnections(settingChecks{c}, value)
		}
	}
	return c.problems
}

func (c *valueChecks) matcher(at string, m core.HTTPMatcher) {
	if uri := selector.EffectiveURI(m); uri != nil {
		c.regex(at+".uri", uri.Regex)
		if uri.Suffix != nil && len(selector.SuffixPattern(*uri.Suffix)) > maxPattern {
			c.reject("%s.uri: the suffix is too long", at)
		}
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

func (c *valueChecks) headers(at string, h *networkingv1.HeaderManipulation) {
	if h == nil {
		return
	}
	c.headerNames(at, slices.DeleteFunc(slices.Sorted(maps.Keys(h.AppendRequestHeaders)), func(n string) bool { return n == authorityHeader })...)
	c.headerNames(at, slices.Sorted(maps.Keys(h.AppendResponseHeaders))...)
	c.headerNames(at, h.RemoveRequestHeaders...)
	c.headerNames(at, h.RemoveResponseHeaders...)
	c.headerValues(at, h.AppendRequestHeaders)
	c.headerValues(at, h.AppendResponseHeaders)
	c.hostHeaders(at, h)
}

func (c *valueChecks) headerValues(at string, headers map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if flaw := headerValueProblem(headers[name]); flaw != "" {
			c.reject("%s: invalid value %q of header %s: %s", at, headers[name], name, flaw)
		}
	}
}

// hostHeaders rejects unsupported changes of the Host header: it can only be
// replaced, once.
func (c *valueChecks) hostHeaders(at string, h *networkingv1.HeaderManipulation) {
	isHost := func(name string) bool { return strings.EqualFold(name, "host") }
	written := slices.DeleteFunc(slices.Sorted(maps.Keys(h.AppendRequestHeaders)), func(n string) bool { return n != authorityHeader && !isHost(n) })
	if len(written) > 1 {
		c.reject("%s.appendRequestHeaders: %s name the same header", at, strings.Join(written, " and "))
	}
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(h.AppendResponseHeaders)), h.RemoveRequestHeaders, h.RemoveResponseHeaders) {
		if isHost(name) {
			c.reject("%s: header %s can only be appended to requests", at, name)
		}
	}
}

// authorityHeader is the only pseudo-header that settings may write.
const authorityHeader = ":authority"

// isPseudoHeader reports whether a name is not a real header: an HTTP/2
// pseudo-header or a claim of the token.
func isPseudoHeader(name string) bool {
	return slices.Contains([]string{":method", ":scheme", authorityHeader, ":path", ":status"}, name) ||
		strings.HasPrefix(name, "@request.auth.claims")
}

func (c *valueChecks) headerNames(at string, names ...string) {
	for _, name := range names {
		bad := func(r rune) bool {
			return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}
		switch {
		case name == "" || strings.ContainsFunc(name, bad):
			c.reject("%s: %q is not a valid header name", at, name)
		case len(name) > maxHeader:
			c.reject("%s: the name of a header is longer than %d bytes", at, maxHeader)
		}
	}
}

func (c *valueChecks) regex(at string, pattern *string) {
	if pattern == nil {
		return
	}
	switch {
	case *pattern == "":
		c.reject("%s: the regular expression is empty", at)
		return
	case len(*pattern) > maxPattern:
		c.reject("%s: the regular expression is longer than %d bytes", at, maxPattern)
		return
	}
	if _, err := regexp.Compile(*pattern); err != nil {
		c.reject("%s: %v", at, err)
	}
}

func (c *valueChecks) labels(at string, labels map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		value := labels[key]
		if strings.Contains(key+value, "*") {
			continue // wildcards are reported separately
		}
		if len(validation.IsQualifiedName(key)) > 0 || len(validation.IsValidLabelValue(value)) > 0 {
			c.reject("%s: %s=%s is not a valid label", at, key, value)
		}
	}
}

func (c *valueChecks) namespaces(at string, namespaces []string) {
	for _, n := range namespaces {
		if !strings.Contains(n, "*") && len(validation.IsDNS1123Label(n)) > 0 {
			c.reject("%s: %q is not a valid namespace name", at, n)
		}
	}
}

// CheckVirtualMesh returns the values of a VirtualMesh that Istio rejects, and the
// options of certificates that cannot be issued.
func CheckVirtualMesh(spec *networkingv1.VirtualMeshSpec) []finding.Problem {
	c := &valueChecks{}
	if spec.Federation != nil {
		settingChecks{c}.TCPKeepalive(spec.Federation.TCPKeepalive)
	}
	if spec.MTLSConfig == nil || spec.MTLSConfig.Shared == nil {
		return c.problems
	}
	shared := spec.MTLSConfig.Shared
	if root := shared.RootCertificateAuthority; root != nil {
		if _, err := trust.RootOptions(root.Generated); err != nil {
			c.reject("spec.mtlsConfig.shared.rootCertificateAuthority.generated: %v", err)
		}
	}
	if _, err := trust.IntermediateOptions(shared.IntermediateCertOptions); err != nil {
		c.reject("spec.mtlsConfig.shared.intermediateCertOptions: %v", err)
	}
	return c.problems
}

// CheckAccessPolicy returns the values of an AccessPolicy that Istio rejects.
func CheckAccessPolicy(spec *networkingv1.AccessPolicySpec) []finding.Problem {
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
	c.paths("spec.allowedPaths", spec.AllowedPaths)
	c.texts("spec.allowedMethods", spec.AllowedMethods)
	return c.problems
}

func (c *valueChecks) texts(at string, lists ...[]string) {
	for _, list := range lists {
		if slices.Contains(list, "") {
			c.reject("%s: empty value", at)
		}
	}
}

// paths rejects paths with invalid templates. Valid are a placeholder for a
// segment and, once and last, one for any number of segments.
func (c *valueChecks) paths(at string, paths []string) {
	const one, several = "{*}", "{**}"
	for _, path := range paths {
		isTemplate, ended := strings.Contains(path, one) || strings.Contains(path, several), false
		for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
			switch {
			case (segment == one || segment == several) && !ended:
				ended = segment == several
			case strings.ContainsAny(segment, "{}"):
				c.reject("%s: in %q braces only stand for a segment, %s, or at the end for several, %s", at, path, one, several)
			case isTemplate && !isPathLiteral(segment):
				c.reject("%s: %q cannot stand next to %s and %s in %q", at, segment, one, several, path)
			}
		}
	}
}

// isPathLiteral reports whether a text may be part of a path template.
func isPathLiteral(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~%!$&'()+,;:@=", r)
	})
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
