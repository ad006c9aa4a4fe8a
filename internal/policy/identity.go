package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Identity is what a workload proves to be with its certificate.
type Identity struct{ TrustDomain, Namespace, ServiceAccount string }

// IdentityOf returns the SPIFFE identity of a workload; false if it belongs to
// no Istio mesh and so has none that could be recognised.
func IdentityOf(w *world.Workload) (Identity, bool) {
	if w.Mesh == nil || w.Mesh.Type != world.MeshIstio {
		return Identity{}, false
	}
	return Identity{w.Mesh.TrustDomain, w.Namespace, w.ServiceAccount}, true
}

// principal returns the identity in the form Istio compares, without scheme.
func (i Identity) principal() string {
	return fmt.Sprintf("%s/ns/%s/sa/%s", i.TrustDomain, i.Namespace, i.ServiceAccount)
}

// String returns the SPIFFE URI.
func (i Identity) String() string { return "spiffe://" + i.principal() }

// account is a set of identities: an empty field stands for any value
// (semantics D9).
type account struct {
	trustDomain, namespace, name string
	// principal is the set as an Istio principal pattern.
	principal string
}

func (a account) includes(id Identity) bool {
	return a.trustDomain == id.TrustDomain &&
		(a.namespace == "" || a.namespace == id.Namespace) &&
		(a.name == "" || a.name == id.ServiceAccount)
}

// newAccount returns the accounts of a trust domain in a namespace, or in any
// if that is empty, with a name, or with any if that is empty; a name needs a
// namespace.
func newAccount(trustDomain, namespace, name string) account {
	a := account{trustDomain: trustDomain, namespace: namespace, name: name}
	switch {
	case namespace == "" && name == "":
		a.principal = trustDomain + "/ns/*"
	case name == "":
		a.principal = trustDomain + "/ns/" + namespace + "/sa/*"
	default:
		a.principal = Identity{trustDomain, namespace, name}.principal()
	}
	return a
}

// defaultTrustDomain is that of a mesh which names none (semantics D30).
const defaultTrustDomain = "cluster.local"

// isAmbiguous reports whether Istio takes the account for one of the trust
// domain of whichever mesh reads it. It does so with the default trust domain,
// where a principal names a namespace and an account.
func (a account) isAmbiguous() bool { return a.trustDomain == defaultTrustDomain && a.namespace != "" }

// wholeTrustDomain is every identity of a trust domain (semantics D31).
func wholeTrustDomain(trustDomain string) account {
	return account{trustDomain: trustDomain, principal: trustDomain + "/*"}
}

// RequestCondition is what a caller's request must satisfy beyond the
// workload's identity; an empty list does not restrict.
type RequestCondition struct {
	RequestPrincipals, NotRequestPrincipals []string
	ForwardedIPs, NotForwardedIPs           []string
}

// IsZero reports whether nothing is asked of the request.
func (c RequestCondition) IsZero() bool {
	return len(c.RequestPrincipals)+len(c.NotRequestPrincipals)+len(c.ForwardedIPs)+len(c.NotForwardedIPs) == 0
}

// Grant is one alternative of who may call: any source, or one of the
// accounts, or one of the namespaces in whatever mesh; and the request must
// satisfy the condition. A Grant without any of the three admits nobody.
type Grant struct {
	AnySource  bool
	accounts   []account
	Namespaces []string
	Request    RequestCondition
}

// Principals returns the accounts as sorted Istio principal patterns.
func (g Grant) Principals() []string {
	principals := make([]string, 0, len(g.accounts))
	for _, a := range g.accounts {
		principals = append(principals, a.principal)
	}
	slices.Sort(principals)
	return slices.Compact(principals)
}

func (g Grant) isAmbiguous() bool { return slices.ContainsFunc(g.accounts, account.isAmbiguous) }

// readBy returns grants the way a mesh of another than the default trust domain
// reads them. Their principals stay what they are.
func readBy(trustDomain string, grants []Grant) []Grant {
	read := slices.Clone(grants)
	for i := range read {
		read[i].accounts = slices.Clone(read[i].accounts)
		for k := range read[i].accounts {
			if a := &read[i].accounts[k]; a.isAmbiguous() {
				a.trustDomain = trustDomain
			}
		}
	}
	return read
}

// Admits reports whether the identity is one of the grant's; known is false
// for a source without identity, which only an any-source grant admits.
func (g Grant) Admits(id Identity, known bool) bool {
	if g.AnySource {
		return true
	}
	if !known {
		return false
	}
	return slices.Contains(g.Namespaces, id.Namespace) ||
		slices.ContainsFunc(g.accounts, func(a account) bool { return a.includes(id) })
}

// trustDomains knows which trust domains identify which clusters, and in which
// namespaces a service account is known.
type trustDomains struct {
	// homes are the namespaces by trust domain and account name, sorted.
	homes map[[2]string][]string

	all       []string
	byCluster map[string][]string
	clusters  map[string][]string
}

func newTrustDomains(w *world.World) trustDomains {
	t := trustDomains{byCluster: map[string][]string{}, clusters: map[string][]string{}, homes: map[[2]string][]string{}}
	for i := range w.Workloads { // in the order of namespaces
		if id, known := IdentityOf(&w.Workloads[i]); known {
			home := [2]string{id.TrustDomain, id.ServiceAccount}
			t.homes[home] = appendNew(t.homes[home], id.Namespace)
		}
	}
	for i := range w.Meshes {
		m := &w.Meshes[i]
		if m.Type != world.MeshIstio {
			continue
		}
		t.all = appendNew(t.all, m.TrustDomain)
		t.byCluster[m.Cluster] = appendNew(t.byCluster[m.Cluster], m.TrustDomain)
		t.clusters[m.TrustDomain] = appendNew(t.clusters[m.TrustDomain], m.Cluster)
	}
	return t
}

func appendNew(list []string, value string) []string {
	if slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}

// sharedWith returns the clusters outside the given ones that use one of their
// trust domains, so that identities do not tell them apart (semantics D30).
func (t trustDomains) sharedWith(clusters []string) []string {
	var others []string
	for _, c := range clusters {
		for _, domain := range t.byCluster[c] {
			for _, other := range t.clusters[domain] {
				if !slices.Contains(clusters, other) {
					others = appendNew(others, other)
				}
			}
		}
	}
	slices.Sort(others)
	return others
}

// compileIdentities turns a sourceSelector into grants, one per element:
// elements are alternatives, the set fields of one element must all hold, and
// an empty field is a wildcard (semantics D9). It is not called for an empty
// list, which means the destination's own mesh (D31).
func compileIdentities(trust trustDomains, selectors []core.IdentitySelector) ([]Grant, []problem) {
	var grants []Grant
	var problems []problem
	for i, s := range selectors {
		at := fmt.Sprintf("spec.sourceSelector[%d]", i)
		grant := Grant{Request: requestCondition(s)}
		matcher, refs := matcherOf(s), accountRefs(s)
		problems = append(problems, checkClusters(trust, at, matcher, refs)...)
		switch {
		case len(refs) > 0:
			grant.accounts = refAccounts(trust, refs, matcher)
			if contradicts(refs, matcher) {
				problems = append(problems, problem{CodeContradiction, at + ": kubeIdentityMatcher excludes every account of kubeServiceAccountRefs, so no caller is allowed"})
			}
		case len(matcher.Clusters) > 0:
			grant.accounts = matcherAccounts(trust, matcher)
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

func requestCondition(s core.IdentitySelector) RequestCondition {
	var c RequestCondition
	if m := s.RequestIdentityMatcher; m != nil {
		c.RequestPrincipals, c.NotRequestPrincipals = m.RequestPrincipals, m.NotRequestPrincipals
	}
	if m := s.RequestIPMatcher; m != nil {
		c.ForwardedIPs, c.NotForwardedIPs = m.ForwardedIPs, m.NotForwardedIPs
	}
	return c
}

// checkClusters returns an error for every cluster that has no Istio mesh and
// so no trust domain to recognise its workloads by (semantics 5.4).
func checkClusters(trust trustDomains, at string, matcher core.KubeIdentityMatcher, refs []core.ClusterObjectRef) []problem {
	clusters := slices.Clone(matcher.Clusters)
	for _, ref := range refs {
		if ref.ClusterName != "" {
			clusters = append(clusters, ref.ClusterName)
		}
	}
	slices.Sort(clusters)
	var problems []problem
	for _, c := range slices.Compact(clusters) {
		if len(trust.byCluster[c]) == 0 && !strings.Contains(c, "*") { // a wildcard is reported as such
			problems = append(problems, problem{CodeClusterWithoutMesh, fmt.Sprintf("%s: no Istio mesh is known in cluster %q", at, c)})
		}
	}
	return problems
}

func matcherAccounts(trust trustDomains, m core.KubeIdentityMatcher) []account {
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

// refAccounts resolves service account references within the limits of the
// matcher of the same element.
func refAccounts(trust trustDomains, refs []core.ClusterObjectRef, limits core.KubeIdentityMatcher) []account {
	var accounts []account
	for _, ref := range refs {
		for _, domain := range refTrustDomains(trust, ref.ClusterName, limits.Clusters) {
			namespaces := within(ref.Namespace, limits.Namespaces)
			if ref.Name != "" && slices.Equal(namespaces, []string{""}) {
				// No principal says "this name in any namespace", and one for the
				// whole trust domain would admit too many: the known ones it is.
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

func refTrustDomains(trust trustDomains, cluster string, limits []string) []string {
	var domains []string
	for _, c := range within(cluster, limits) {
		if c == "" {
			return trust.all
		}
		for _, domain := range trust.byCluster[c] {
			domains = appendNew(domains, domain)
		}
	}
	return domains
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
