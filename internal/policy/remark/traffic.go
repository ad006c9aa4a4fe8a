// Package remark finds values of policies that are valid but probably a mistake:
// of one policy alone, and of the settings that meet on one route; and what facts
// about Services and meshes mean for calls between clusters. What else needs other
// objects is a matter of the engine.
package remark

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/operation"
	"github.com/meshctl/meshctl/internal/policy/selector"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// remarks collects remarks about a policy.
type remarks []finding.Problem

func (r *remarks) add(code finding.Code, format string, args ...any) {
	*r = append(*r, finding.Problem{Code: code, Message: fmt.Sprintf(format, args...)})
}

// AboutTraffic returns remarks about a TrafficPolicy.
func AboutTraffic(spec *networkingv1.TrafficPolicySpec) []finding.Problem {
	var r remarks
	r.deprecatedMatchers(spec)
	r.matchers(spec)
	if p := spec.Policy; p != nil && p.Retries != nil && p.Retries.Attempts == 0 {
		r.add(finding.CodeRetriesOff, "spec.policy.retries has no attempts, which switches retries off, also those that Istio makes by default")
	}
	return r
}

func (r *remarks) deprecatedMatchers(spec *networkingv1.TrafficPolicySpec) {
	for i, m := range spec.HTTPRequestMatchers {
		for _, f := range []struct {
			name string
			used bool
		}{{"prefix", m.Prefix != nil}, {"exact", m.Exact != nil}, {"regex", m.Regex != nil}} {
			if f.used {
				r.add(finding.CodeDeprecatedField, "spec.httpRequestMatchers[%d].%s was renamed to uri.%s", i, f.name, f.name)
			}
		}
	}
}

// matchers reports request matchers that no request can match.
func (r *remarks) matchers(spec *networkingv1.TrafficPolicySpec) {
	for i, m := range spec.HTTPRequestMatchers {
		at := fmt.Sprintf("spec.httpRequestMatchers[%d]", i)
		path := at
		if m.URI != nil {
			path += ".uri"
		}
		if kind, text, reason := selector.NeverMatches(selector.EffectiveURI(m)); reason != "" {
			r.add(finding.CodeNeverMatches, "%s.%s: %q matches no request, because %s", path, kind, text, reason)
		}
		reason := operation.NeverHasMethod(m.Method)
		if strings.Contains(m.Method, "*") { // matchers have no wildcards
			reason = "it is not an HTTP method"
		}
		if reason != "" {
			r.add(finding.CodeNeverMatches, "%s.method: %q matches no request, because %s", at, m.Method, reason)
		}
	}
}
