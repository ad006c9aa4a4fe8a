package istiocheck

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	rbac "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// request is a request as a proxy sees it.
type request struct {
	path, method string
	headers      map[string]string
	query        map[string]string
	// principal is who asks, without scheme; empty if not known. port is where
	// the pod listens.
	principal string
	port      uint32
}

func (r request) header(name string) (string, bool) {
	if name == ":method" {
		return r.method, true
	}
	value, present := r.headers[strings.ToLower(name)]
	return value, present
}

func fullMatch(pattern, text string) bool {
	return regexp.MustCompile("^(?:" + pattern + ")$").MatchString(text)
}

// matchedRoute returns the first route that takes a request.
func matchedRoute(host *route.VirtualHost, r request) *route.Route {
	for _, candidate := range host.Routes {
		if routeMatches(candidate.Match, r) {
			return candidate
		}
	}
	return nil
}

func routeMatches(m *route.RouteMatch, r request) bool {
	path := r.path
	fold := func(text string) string {
		if m.CaseSensitive != nil && !m.CaseSensitive.Value {
			return strings.ToLower(text)
		}
		return text
	}
	switch p := m.PathSpecifier.(type) {
	case *route.RouteMatch_Prefix:
		if !strings.HasPrefix(fold(path), fold(p.Prefix)) {
			return false
		}
	case *route.RouteMatch_Path:
		if fold(path) != fold(p.Path) {
			return false
		}
	case *route.RouteMatch_SafeRegex:
		if !fullMatch(p.SafeRegex.Regex, path) {
			return false
		}
	default:
		panic(fmt.Sprintf("%T", p))
	}
	for _, h := range m.Headers {
		if !headerMatches(h, r) {
			return false
		}
	}
	for _, q := range m.QueryParameters {
		value, present := r.query[q.Name]
		switch s := q.QueryParameterMatchSpecifier.(type) {
		case *route.QueryParameterMatcher_PresentMatch:
			if !present {
				return false
			}
		case *route.QueryParameterMatcher_StringMatch:
			if !present || !stringMatches(s.StringMatch, value) {
				return false
			}
		default:
			panic(fmt.Sprintf("%T", s))
		}
	}
	if len(m.DynamicMetadata) > 0 {
		panic("dynamic metadata")
	}
	return true
}

func headerMatches(h *route.HeaderMatcher, r request) bool {
	value, present := r.header(h.Name)
	matches := false
	switch s := h.HeaderMatchSpecifier.(type) {
	case *route.HeaderMatcher_PresentMatch:
		matches = present == s.PresentMatch
	case *route.HeaderMatcher_StringMatch:
		switch {
		case present || h.TreatMissingHeaderAsEmpty:
			matches = stringMatches(s.StringMatch, value)
		default:
			return false // inverted or not
		}
	case nil:
		matches = present
	default:
		panic(fmt.Sprintf("%T", s))
	}
	return matches != h.InvertMatch
}

func stringMatches(m *matcher.StringMatcher, text string) bool {
	fold := func(s string) string {
		if m.IgnoreCase {
			return strings.ToLower(s)
		}
		return s
	}
	switch p := m.MatchPattern.(type) {
	case *matcher.StringMatcher_Exact:
		return fold(text) == fold(p.Exact)
	case *matcher.StringMatcher_Prefix:
		return strings.HasPrefix(fold(text), fold(p.Prefix))
	case *matcher.StringMatcher_Suffix:
		return strings.HasSuffix(fold(text), fold(p.Suffix))
	case *matcher.StringMatcher_Contains:
		return strings.Contains(fold(text), fold(p.Contains))
	case *matcher.StringMatcher_SafeRegex:
		return fullMatch(p.SafeRegex.Regex, text)
	default:
		panic(fmt.Sprintf("%T", p))
	}
}

// admits reports whether a filter lets a request pass.
func admits(rules *rbac.RBAC, r request) bool {
	if rules == nil {
		return true
	}
	matched := false
	for _, p := range rules.Policies {
		allowed, who := false, false
		for _, permission := range p.Permissions {
			allowed = allowed || permits(permission, r)
		}
		for _, principal := range p.Principals {
			who = who || isOne(principal, r)
		}
		matched = matched || (allowed && who)
	}
	return matched == (rules.Action == rbac.RBAC_ALLOW)
}

func permits(p *rbac.Permission, r request) bool {
	switch rule := p.Rule.(type) {
	case *rbac.Permission_Any:
		return rule.Any
	case *rbac.Permission_AndRules:
		for _, each := range rule.AndRules.Rules {
			if !permits(each, r) {
				return false
			}
		}
		return true
	case *rbac.Permission_OrRules:
		for _, each := range rule.OrRules.Rules {
			if permits(each, r) {
				return true
			}
		}
		return false
	case *rbac.Permission_NotRule:
		return !permits(rule.NotRule, r)
	case *rbac.Permission_DestinationPort:
		return rule.DestinationPort == r.port
	case *rbac.Permission_Header:
		return headerMatches(rule.Header, r)
	case *rbac.Permission_UrlPath:
		return stringMatches(rule.UrlPath.GetPath(), r.path)
	default:
		panic(fmt.Sprintf("%T", rule))
	}
}

func isOne(p *rbac.Principal, r request) bool {
	switch id := p.Identifier.(type) {
	case *rbac.Principal_Any:
		return id.Any
	case *rbac.Principal_AndIds:
		for _, each := range id.AndIds.Ids {
			if !isOne(each, r) {
				return false
			}
		}
		return true
	case *rbac.Principal_OrIds:
		for _, each := range id.OrIds.Ids {
			if isOne(each, r) {
				return true
			}
		}
		return false
	case *rbac.Principal_NotId:
		return !isOne(id.NotId, r)
	case *rbac.Principal_Authenticated_:
		return r.principal != "" && (id.Authenticated.PrincipalName == nil || stringMatches(id.Authenticated.PrincipalName, "spiffe://"+r.principal))
	case *rbac.Principal_FilterState:
		return r.principal != "" && stringMatches(id.FilterState.GetStringMatch(), "spiffe://"+r.principal)
	case *rbac.Principal_RemoteIp:
		return within(id.RemoteIp.AddressPrefix, id.RemoteIp.PrefixLen.GetValue())
	case *rbac.Principal_DirectRemoteIp:
		return within(id.DirectRemoteIp.AddressPrefix, id.DirectRemoteIp.PrefixLen.GetValue())
	case *rbac.Principal_Metadata:
		return false // requests of this check carry no tokens
	default:
		panic(fmt.Sprintf("%T", id))
	}
}

// callerAddress is where all requests come from.
const callerAddress = "192.0.2.7"

func within(prefix string, bits uint32) bool {
	return netip.PrefixFrom(netip.MustParseAddr(prefix), int(bits)).Contains(netip.MustParseAddr(callerAddress))
}
