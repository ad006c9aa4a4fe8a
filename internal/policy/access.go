package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/limits"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// AccessPolicy is the result of evaluating one AccessPolicy.
type AccessPolicy struct {
	Resource *networkingv1.AccessPolicy
	Application

	// grants are the allowed callers; nil if they depend on the Destination's
	// mesh (D31).
	grants []selector.Grant
	// domains are the trust domains of grants that meshes may read differently.
	domains []string
	// sources are the callers that the policy allows on some of its Destinations.
	sources []selector.Grant
	// unknownClusters are the clusters of referenced Services about which nothing
	// is known.
	unknownClusters []string
}

// UnknownClusters returns the clusters of referenced Services about which nothing
// is known, sorted.
func (p *AccessPolicy) UnknownClusters() []string { return p.unknownClusters }

// ID returns the ID of the policy, as used in findings.
func (p *AccessPolicy) ID() world.ObjectID {
	return world.ObjectID{Kind: "AccessPolicy", Namespace: p.Resource.Namespace, Name: p.Resource.Name}
}

// ownMeshOnly reports whether the policy has no sourceSelector and therefore
// allows the workloads of each Destination's own mesh (D31).
func (p *AccessPolicy) ownMeshOnly() bool { return len(p.Resource.Spec.SourceSelector) == 0 }

// Grants returns the callers that the policy allows on the Destination, as its
// mesh reads identities; for nil, as they are written. An absent sourceSelector
// allows the workloads of the Destination's own mesh (D31), so d must
// not be nil then.
func (p *AccessPolicy) Grants(d *world.Destination) []selector.Grant {
	if !p.ownMeshOnly() {
		if d != nil && p.AsReadBy(d.Mesh) {
			return selector.ReadBy(selector.NewReader(d.Mesh), p.grants)
		}
		return p.grants
	}
	if d.Mesh == nil {
		return nil
	}
	return []selector.Grant{selector.WholeTrustDomain(d.Mesh.TrustDomain)}
}

// AsReadBy reports whether a mesh reads identities of the policy differently from
// how they are written (D30, D48; see selector.Reader).
func (p *AccessPolicy) AsReadBy(m *world.Mesh) bool {
	return len(p.domains) > 0 && slices.ContainsFunc(p.domains, selector.NewReader(m).ReadsDifferently)
}

// Condition is a requirement for requests to be allowed; empty lists do not
// restrict.
type Condition struct {
	Paths, Methods []string
	Ports          []uint32
	Request        selector.RequestCondition
}

// IsZero reports whether the condition allows every request.
func (c Condition) IsZero() bool {
	return len(c.Paths)+len(c.Methods)+len(c.Ports) == 0 && c.Request.IsZero()
}

// Operation returns the operations that the policy allows.
func (p *AccessPolicy) Operation() Condition {
	spec := &p.Resource.Spec
	return Condition{Paths: sorted(spec.AllowedPaths), Methods: sorted(spec.AllowedMethods), Ports: sorted(spec.AllowedPorts)}
}

// AccessRule is one effective access policy on the pods of a workload, through
// one Destination.
type AccessRule struct {
	// Policy and Destination are positions in the world.
	Policy, Destination int
}

// evaluateAccessPolicies validates every policy and attaches it to the
// Destinations it selects. Access policies never conflict; what they allow is
// combined.
func (e *evaluator) evaluateAccessPolicies() {
	e.result.AccessPolicies = make([]AccessPolicy, len(e.world.AccessPolicies))
	trust, callers := selector.NewTrustDomains(e.world), selector.NewCallers(e.world)
	for i, object := range e.world.AccessPolicies {
		p := &e.result.AccessPolicies[i]
		spec := &object.Resource.Spec
		p.Resource, p.Fields = object.Resource, accessFields(spec)

		if object.Outside {
			p.Errors = slices.Clone(object.Errors)
			continue
		}
		problems := selector.CheckDestinations(e.world, "spec.destinationSelector", spec.DestinationSelector)
		problems = append(problems, selector.CheckIdentities("spec.sourceSelector", spec.SourceSelector)...)
		problems = append(problems, limits.CheckAccessPolicy(spec)...)
		grants, unknown := selector.Grants(trust, spec.SourceSelector)
		p.grants, p.domains = grants, selector.SpecificDomains(grants)
		p.Errors, p.Unresolved = e.reportInvalid(p.ID(), object.Errors, append(problems, unknown...))

		p.Destinations = selector.Destinations(e.world, e.services, spec.DestinationSelector)
		p.unknownClusters = selector.UnknownClusters(e.world, spec.DestinationSelector)
		if p.Valid() {
			e.attachAccess(i, p)
		}
		p.sources = e.sourcesOf(p)
		if p.Valid() {
			e.reportAccess(p, trust, callers)
		}
	}
	orderPolicies(e.world, e.result.AccessPolicies, func(d *Destination) []int { return d.Access }, e.result.Destinations)
	e.result.accessSources = selector.IndexIdentities(len(e.result.AccessPolicies), func(i int) []selector.Grant { return e.result.AccessPolicies[i].sources })
}

func (e *evaluator) attachAccess(i int, p *AccessPolicy) {
	for _, id := range p.Destinations {
		d := &e.world.Destinations[id]
		switch {
		case len(d.Selector) == 0:
			// The rule would apply to the whole namespace (D32).
			reason := fmt.Sprintf("Service %s selects no pods; a rule for it would cover its whole namespace", d.Key())
			p.reject(id, reason)
			e.report(finding.New(finding.CodeEmptySelector, p.ID(), reason))
		case d.Mesh == nil:
			p.reject(id, fmt.Sprintf("Destination %s does not belong to a known mesh that could enforce the policy", d.Key()))
		}
		e.result.Destinations[id].Access = append(e.result.Destinations[id].Access, i)
	}
}

func (e *evaluator) reportAccess(p *AccessPolicy, trust selector.TrustDomains, callers selector.Callers) {
	if len(p.Destinations) == 0 && len(p.Unresolved) == 0 { // an unresolved reference already explains it
		e.report(finding.New(finding.CodeSelectsNothing, p.ID(), "spec.destinationSelector matches no known Service"))
	}
	if len(p.grants) > 0 && len(p.Unresolved) == 0 && !callers.AreAdmitted(p.sources) {
		e.report(finding.New(finding.CodeNoSource, p.ID(), "spec.sourceSelector matches no known workload"))
	}
	if domains := e.misreadIn(p); len(domains) > 0 {
		e.report(finding.New(finding.CodeDefaultTrustDomain, p.ID(), fmt.Sprintf(
			"spec.sourceSelector selects identities of the trust domain %s, but Istio reads them as identities of the called mesh with %s",
			selector.DefaultTrustDomain, text.Named("trust domain", domains))))
	}
	for i, s := range p.Resource.Spec.SourceSelector {
		clusters := selector.NamedClusters(s)
		if others := trust.SharedWith(clusters); len(others) > 0 {
			e.report(finding.New(finding.CodeSharedTrustDomain, p.ID(), fmt.Sprintf(
				"spec.sourceSelector[%d] is restricted to %s, but the meshes in %s use the same trust domain and are allowed as well",
				i, text.Named("cluster", clusters), text.Named("cluster", others))))
		}
	}
	e.reportAliases(p, trust)
}

// sourcesOf returns the callers that the policy allows on some of its Destinations,
// or would if it were read as it is written.
func (e *evaluator) sourcesOf(p *AccessPolicy) []selector.Grant {
	sources := p.grants
	if len(p.domains) == 0 {
		return sources
	}
	seen := map[string]bool{}
	for _, id := range p.Destinations {
		m := e.world.Destinations[id].Mesh
		if !p.AsReadBy(m) {
			continue
		}
		reader := selector.NewReader(m)
		if key := strings.Join(reader.Domains(), " "); !seen[key] {
			seen[key] = true
			sources = append(slices.Clip(sources), selector.ReadBy(reader, p.grants)...)
		}
	}
	return sources
}

// isReadDifferently reports whether some Destination's mesh reads the policy
// differently from how it is written.
func (p *AccessPolicy) isReadDifferently() bool { return len(p.sources) > len(p.grants) }

// reportAliases reports restrictions to clusters that meshes cannot enforce, because
// they take the trust domains of other clusters for the same (D30, D48).
func (e *evaluator) reportAliases(p *AccessPolicy, trust selector.TrustDomains) {
	if len(p.domains) == 0 {
		return
	}
	for i, s := range p.Resource.Spec.SourceSelector {
		clusters := selector.NamedClusters(s)
		if len(clusters) == 0 || len(selector.SpecificDomains(p.grants[i:i+1])) == 0 {
			continue
		}
		var meshes, others []string
		for _, id := range p.EffectiveDestinations() {
			m := e.world.Destinations[id].Mesh
			reader := selector.NewReader(m)
			if more := trust.TakenFor(clusters, reader); len(more) > 0 {
				meshes, others = append(meshes, m.Ref.Name+"."+m.Ref.Namespace), append(others, more...)
			}
		}
		if meshes, others = sorted(meshes), sorted(others); len(meshes) > 0 {
			f := finding.New(finding.CodeSharedTrustDomain, p.ID(), fmt.Sprintf(
				"spec.sourceSelector[%d] is restricted to %s, but %s %s the trust domains of other clusters as the same (trustDomainAliases), so that the meshes in %s are allowed as well",
				i, text.Named("cluster", clusters), text.Named("mesh", meshes), text.Choose(len(meshes), "treats", "treat"), text.Named("cluster", others)))
			f.Hint = "select namespaces or service accounts that exist only in the cluster of the callers, or accept the other trust domains by meshConfig.caCertificates[].trustDomains instead of trustDomainAliases"
			e.report(f)
		}
	}
}

// misreadIn returns the trust domains of the meshes in which the policy is
// effective and which read identities of the default trust domain as their own,
// sorted.
func (e *evaluator) misreadIn(p *AccessPolicy) []string {
	if !slices.Contains(p.domains, selector.DefaultTrustDomain) {
		return nil
	}
	var domains []string
	for _, id := range p.EffectiveDestinations() {
		m := e.world.Destinations[id].Mesh
		if reader := selector.NewReader(m); reader.ReadsDifferently(selector.DefaultTrustDomain) && !reader.Includes(selector.DefaultTrustDomain) {
			domains = append(domains, m.TrustDomain)
		}
	}
	return sorted(domains)
}

// sorted returns the distinct values in ascending order.
func sorted[T cmp.Ordered](values []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

func accessFields(spec *networkingv1.AccessPolicySpec) []string {
	var fields []string
	if len(spec.AllowedMethods) > 0 {
		fields = append(fields, "allowedMethods")
	}
	if len(spec.AllowedPaths) > 0 {
		fields = append(fields, "allowedPaths")
	}
	if len(spec.AllowedPorts) > 0 {
		fields = append(fields, "allowedPorts")
	}
	return fields
}

// RulesFor returns every access rule effective on the pods of a workload: those
// of all Destinations that select them are combined (D33). The order is
// by Destination, then by policy.
func (r *Result) RulesFor(w *world.Workload) []AccessRule {
	if rules, known := r.podRules[w.ID]; known {
		return rules
	}
	var rules []AccessRule
	for _, id := range w.Backs {
		rules = append(rules, r.RulesOf(id)...)
	}
	r.podRules[w.ID] = rules
	return rules
}

// RulesOf returns the access rules of the Destination itself.
func (r *Result) RulesOf(destination int) []AccessRule {
	var rules []AccessRule
	for _, i := range r.Destinations[destination].Access {
		if _, rejected := r.AccessPolicies[i].Rejected[destination]; !rejected {
			rules = append(rules, AccessRule{Policy: i, Destination: destination})
		}
	}
	return rules
}

// deniesByDefault reports whether requests to the pods of a mesh are denied that no
// AccessPolicy allows.
func (r *Result) deniesByDefault(m *world.Mesh) bool { return r.DenyingByDefault(m) != nil }

// Key is equal for equal conditions.
func (c Condition) Key() string {
	return fmt.Sprintf("%q %q %v %q %q %q %q", c.Paths, c.Methods, c.Ports,
		c.Request.RequestPrincipals, c.Request.NotRequestPrincipals, c.Request.ForwardedIPs, c.Request.NotForwardedIPs)
}

// MissingRules returns why no rule is effective on a Destination: there is no
// policy, or the policies are INVALID.
func (r *Result) MissingRules(d *world.Destination) string {
	if r.missing[d.ID] == "" {
		switch broken := r.invalidAccess(d); len(broken) {
		case 0:
			r.missing[d.ID] = "no AccessPolicy selects " + d.Key()
		case 1:
			r.missing[d.ID] = fmt.Sprintf("AccessPolicy %s, which selects %s, is INVALID", broken[0], d.Key())
		default:
			r.missing[d.ID] = fmt.Sprintf("AccessPolicies %s, which select %s, are INVALID", text.Bounded(broken, listedNames), d.Key())
		}
	}
	return r.missing[d.ID]
}

// invalidAccess returns the AccessPolicies that select a Destination and are
// INVALID there.
func (r *Result) invalidAccess(d *world.Destination) []string {
	var invalid []string
	note := func(ref PolicyRef) {
		meta := r.Meta(ref)
		invalid = append(invalid, meta.Name+"."+meta.Namespace)
	}
	for _, i := range r.Destinations[d.ID].Access {
		if len(r.AccessPolicies[i].Rejected[d.ID]) > 0 {
			note(PolicyRef{KindAccessPolicy, i})
		}
	}
	for _, ref := range r.InvalidOn(d.ID) {
		if ref.Kind == KindAccessPolicy {
			note(ref)
		}
	}
	return invalid
}
