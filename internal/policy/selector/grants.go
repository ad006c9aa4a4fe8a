package selector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/finding"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// CheckIdentities returns why a sourceSelector list of an AccessPolicy
// is INVALID (D6).
func CheckIdentities(field string, selectors []core.IdentitySelector) []finding.Problem {
	var problems []finding.Problem
	for i, s := range selectors {
		if m := s.KubeIdentityMatcher; m != nil {
			at := fmt.Sprintf("%s[%d].kubeIdentityMatcher", field, i)
			problems = append(problems, checkWildcards(at+".namespaces", m.Namespaces)...)
			problems = append(problems, checkWildcards(at+".clusters", m.Clusters)...)
		}
		if r := s.KubeServiceAccountRefs; r != nil {
			for k, ref := range r.ServiceAccounts {
				at := fmt.Sprintf("%s[%d].kubeServiceAccountRefs.serviceAccounts[%d]", field, i, k)
				problems = append(problems, checkWildcards(at, []string{ref.Name, ref.Namespace, ref.ClusterName})...)
			}
		}
	}
	return problems
}

// Grant is one alternative of allowed callers: any source, one of the accounts,
// or one of the namespaces in any mesh. The request must also satisfy the
// condition. A Grant with none of the three allows no caller.
type Grant struct {
	AnySource bool
	accounts  []account
	// included indexes the accounts of a long list; empty fields stand for any
	// value.
	included map[Identity]bool
	// Namespaces are sorted.
	Namespaces []string
	Request    RequestCondition
}

// fewAccounts is the number of accounts up to which they are not indexed.
const fewAccounts = 8

func (g *Grant) setAccounts(accounts []account) {
	g.accounts, g.included = accounts, nil
	if len(accounts) <= fewAccounts {
		return
	}
	g.included = make(map[Identity]bool, len(accounts))
	for _, a := range accounts {
		g.included[Identity{a.trustDomain, a.namespace, a.name}] = true
	}
}

func (g *Grant) includes(id Identity) bool {
	if g.included == nil {
		return slices.ContainsFunc(g.accounts, func(a account) bool { return a.includes(id) })
	}
	for _, namespace := range []string{id.Namespace, ""} {
		for _, account := range []string{id.ServiceAccount, ""} {
			if g.included[Identity{id.TrustDomain, namespace, account}] {
				return true
			}
		}
	}
	return false
}

// Principals returns the accounts as sorted Istio principal patterns, as they are
// written in policies.
func (g Grant) Principals() []string {
	principals := make([]string, 0, len(g.accounts))
	for _, a := range g.accounts {
		principals = append(principals, a.principal)
	}
	return distinct(principals)
}

// Identities returns the accounts as sorted Istio principal patterns, as the mesh that
// evaluates the grant reads them (see ReadBy).
func (g Grant) Identities() []string {
	patterns := make([]string, 0, len(g.accounts))
	for _, a := range g.accounts {
		_, path, _ := strings.Cut(a.principal, "/")
		patterns = append(patterns, a.trustDomain+"/"+path)
	}
	return distinct(patterns)
}

// NamespacesOf returns the namespaces of all callers that the grants allow,
// sorted; anywhere is true if one of them does not restrict the namespace.
func NamespacesOf(grants []Grant) (namespaces []string, anywhere bool) {
	for _, g := range grants {
		if g.AnySource {
			return nil, true
		}
		namespaces = append(namespaces, g.Namespaces...)
		for _, a := range g.accounts {
			if a.namespace == "" {
				return nil, true
			}
			namespaces = append(namespaces, a.namespace)
		}
	}
	return distinct(namespaces), false
}

// AdmitsNobody reports whether the grant has no source at all, such as one whose
// clusters have no mesh.
func (g Grant) AdmitsNobody() bool { return !g.AnySource && len(g.accounts)+len(g.Namespaces) == 0 }

// Admits reports whether the grant allows the identity. known is false for a
// source without identity, which only an any-source grant allows.
func (g Grant) Admits(id Identity, known bool) bool {
	if g.AnySource {
		return true
	}
	if !known {
		return false
	}
	_, named := slices.BinarySearch(g.Namespaces, id.Namespace)
	return named || g.includes(id)
}

// RequestCondition is a requirement for a caller's request beyond the workload's
// identity; an empty list does not restrict.
type RequestCondition struct {
	RequestPrincipals, NotRequestPrincipals []string
	ForwardedIPs, NotForwardedIPs           []string
}

// IsZero reports whether there is no requirement.
func (c RequestCondition) IsZero() bool {
	return len(c.RequestPrincipals)+len(c.NotRequestPrincipals)+len(c.ForwardedIPs)+len(c.NotForwardedIPs) == 0
}

// Grants converts a sourceSelector into grants, one per element: elements are
// alternatives, the set fields of one element must all match, and an empty field
// matches any value (D9). Do not call it for an empty list, which means
// the destination's own mesh (D31).
func Grants(trust TrustDomains, selectors []core.IdentitySelector) ([]Grant, []finding.Problem) {
	var grants []Grant
	var problems []finding.Problem
	for i, s := range selectors {
		at := fmt.Sprintf("spec.sourceSelector[%d]", i)
		grant := Grant{Request: RequestConditionOf(s)}
		matcher, refs := matcherOf(s), accountRefs(s)
		problems = append(problems, checkClusters(trust, at, s)...)
		switch {
		case len(refs) > 0:
			grant.setAccounts(refAccounts(trust, refs, matcher))
			if contradicts(refs, matcher) {
				problems = append(problems, finding.Problem{Code: finding.CodeContradiction, Message: at + ": kubeIdentityMatcher excludes every account of kubeServiceAccountRefs, so no caller is allowed"})
			}
		case len(matcher.Clusters) > 0:
			grant.setAccounts(matcherAccounts(trust, matcher))
		case len(matcher.Namespaces) > 0:
			grant.Namespaces = slices.Compact(slices.Sorted(slices.Values(matcher.Namespaces)))
		default:
			grant.AnySource = true
		}
		grants = append(grants, grant)
	}
	return grants, problems
}

func matcherOf(s core.IdentitySelector) core.KubeIdentityMatcher {
	if s.KubeIdentityMatcher == nil {
		return core.KubeIdentityMatcher{}
	}
	return *s.KubeIdentityMatcher
}

func accountRefs(s core.IdentitySelector) []core.ClusterObjectRef {
	if s.KubeServiceAccountRefs == nil {
		return nil
	}
	return s.KubeServiceAccountRefs.ServiceAccounts
}

// NamedClusters returns the clusters that one element of a sourceSelector names,
// sorted.
func NamedClusters(s core.IdentitySelector) []string {
	clusters := slices.Clone(matcherOf(s).Clusters)
	for _, ref := range accountRefs(s) {
		if ref.ClusterName != "" {
			clusters = append(clusters, ref.ClusterName)
		}
	}
	return distinct(clusters)
}

// RequestConditionOf returns what a selector asks of requests.
func RequestConditionOf(s core.IdentitySelector) RequestCondition {
	var c RequestCondition
	if m := s.RequestIdentityMatcher; m != nil {
		c.RequestPrincipals, c.NotRequestPrincipals = m.RequestPrincipals, m.NotRequestPrincipals
	}
	if m := s.RequestIPMatcher; m != nil {
		c.ForwardedIPs, c.NotForwardedIPs = m.ForwardedIPs, m.NotForwardedIPs
	}
	return c
}

// checkClusters returns a problem for every cluster without an Istio mesh, which
// has no trust domain to identify its workloads.
func checkClusters(trust TrustDomains, at string, s core.IdentitySelector) []finding.Problem {
	var problems []finding.Problem
	for _, c := range NamedClusters(s) {
		if len(trust.byCluster[c]) == 0 && !strings.Contains(c, "*") { // wildcards are reported separately
			problems = append(problems, finding.Problem{Code: finding.CodeClusterWithoutMesh, Message: fmt.Sprintf("%s: no Istio mesh is known in cluster %q", at, c)})
		}
	}
	return problems
}

func matcherAccounts(trust TrustDomains, m core.KubeIdentityMatcher) []account {
	var accounts []account
	for _, cluster := range m.Clusters {
		for _, domain := range trust.byCluster[cluster] {
			if len(m.Namespaces) == 0 {
				accounts = append(accounts, newAccount(domain, "", ""))
			}
			for _, namespace := range m.Namespaces {
				accounts = append(accounts, newAccount(domain, namespace, ""))
			}
		}
	}
	return accounts
}

// refAccounts resolves service account references, restricted by the matcher of
// the same element.
func refAccounts(trust TrustDomains, refs []core.ClusterObjectRef, limits core.KubeIdentityMatcher) []account {
	var accounts []account
	for _, ref := range refs {
		for _, domain := range refTrustDomains(trust, ref.ClusterName, limits.Clusters) {
			namespaces := within(ref.Namespace, limits.Namespaces)
			if ref.Name != "" && slices.Equal(namespaces, []string{""}) {
				// A principal cannot match a name in any namespace, and one for
				// the whole trust domain would allow too many callers. Therefore
				// the known namespaces are used.
				namespaces = trust.homes[[2]string{domain, ref.Name}]
			}
			for _, namespace := range namespaces {
				accounts = append(accounts, newAccount(domain, namespace, ref.Name))
			}
		}
	}
	return accounts
}

// contradicts reports whether the matcher of an element excludes all of its
// references.
func contradicts(refs []core.ClusterObjectRef, limits core.KubeIdentityMatcher) bool {
	return !slices.ContainsFunc(refs, func(ref core.ClusterObjectRef) bool {
		return len(within(ref.Namespace, limits.Namespaces)) > 0 && len(within(ref.ClusterName, limits.Clusters)) > 0
	})
}

func refTrustDomains(trust TrustDomains, cluster string, limits []string) []string {
	var domains []string
	for _, c := range within(cluster, limits) {
		if c == "" {
			return trust.all
		}
		domains = append(domains, trust.byCluster[c]...)
	}
	return distinct(domains)
}

// within intersects a value, where "" stands for any, with a list of allowed
// values, where an empty list allows any.
func within(value string, limits []string) []string {
	switch {
	case len(limits) == 0 || slices.Contains(limits, value):
		return []string{value}
	case value == "":
		return limits
	default:
		return nil
	}
}
