package describe

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// viewer converts results of the engine into the parts that several views share.
type viewer struct {
	result   *policy.Result
	calls    *reach.Calls
	world    *world.World
	features feature.Features
}

func newViewer(result *policy.Result) viewer {
	return viewer{result: result, calls: reach.In(result), world: result.World, features: feature.All()}
}

// findings returns the findings at the given positions, or all. Findings about
// unusable input are always included, because it is not known what they hide.
func (v viewer) findings(related []int, wholeWorld bool) []Finding {
	slices.Sort(related)
	related = slices.Compact(related)
	var findings []Finding
	for i, f := range v.result.Findings {
		_, concerned := slices.BinarySearch(related, i)
		if wholeWorld || concerned || f.HidesInput {
			findings = append(findings, FindingOf(f))
		}
	}
	return findings
}

func viewMesh(m *world.Mesh) *MeshSummary {
	if m == nil {
		return nil
	}
	summary := &MeshSummary{Name: m.Ref.Name, Namespace: m.Ref.Namespace, Type: string(m.Type), Version: m.Version}
	if m.Type == world.MeshIstio {
		summary.TrustDomain = m.TrustDomain
	}
	return summary
}

func (v viewer) virtualMesh(m *world.Mesh) *VirtualMeshSummary {
	if m == nil {
		return nil
	}
	vm := v.result.VirtualMeshOf(m)
	if vm == nil {
		return nil
	}
	return &VirtualMeshSummary{
		Name: vm.Resource.Name, Namespace: vm.Resource.Namespace, State: string(vm.State), Trust: vm.Trust(),
		GlobalAccessPolicy: string(vm.GlobalAccessPolicy()), TLSEnforcement: string(vm.TLSEnforcement()),
	}
}

// routes returns the view of routes, in the order in which they are tried.
func (v viewer) routes(routes []*policy.Route) []Route {
	var views []Route
	for _, route := range routes {
		views = append(views, v.route(route))
	}
	return views
}

func (v viewer) route(route *policy.Route) Route {
	view := Route{Match: MatchOf(route.Match), Ports: route.Ports}
	for _, s := range route.Settings {
		view.Settings = append(view.Settings, Setting{Field: s.Field, Value: s.Value, Policy: v.trafficPolicy(s.Policy), Inherited: s.Inherited})
	}
	return view
}

// MatchOf returns the view of a request match; nil for all requests.
func MatchOf(m *selector.RequestMatch) *RequestMatch {
	if m == nil {
		return nil
	}
	return &RequestMatch{URI: m.URI, Method: m.Method, Headers: m.Headers, QueryParameters: m.QueryParameters}
}

func (v viewer) connection(settings []policy.ConnectionSetting) []ConnectionSetting {
	var views []ConnectionSetting
	for _, s := range settings {
		c := ConnectionSetting{Field: s.Field, Value: s.Value, Ports: s.Ports}
		if s.VirtualMesh != nil {
			c.Policy = ObjectRef{Namespace: s.VirtualMesh.Resource.Namespace, Name: s.VirtualMesh.Resource.Name}
		} else {
			c.Policy = v.trafficPolicy(s.Policy)
		}
		views = append(views, c)
	}
	return views
}

func (v viewer) rejected(rejections []policy.Rejection) []RejectedSetting {
	var views []RejectedSetting
	for _, rejected := range rejections {
		r := RejectedSetting{Policy: v.trafficPolicy(rejected.Policy), Field: rejected.Field, Reason: rejected.Reason}
		if rejected.Winner >= 0 {
			winner := v.trafficPolicy(rejected.Winner)
			r.Winner = &winner
		}
		views = append(views, r)
	}
	return views
}

func (v viewer) trafficPolicy(i int) ObjectRef {
	p := v.result.TrafficPolicies[i].Resource
	return ObjectRef{Namespace: p.Namespace, Name: p.Name}
}

func accessPolicies(result *policy.Result, ids []int) []ObjectRef {
	var refs []ObjectRef
	for _, i := range ids {
		meta := result.AccessPolicies[i].Resource
		refs = append(refs, ObjectRef{Namespace: meta.Namespace, Name: meta.Name})
	}
	return refs
}

// accessRules returns one policy as one rule, or as several if sources have
// different request conditions.
func (v viewer) accessRules(destination int, rule policy.AccessRule) []AccessRule {
	p := &v.result.AccessPolicies[rule.Policy]
	owner := &v.world.Destinations[rule.Destination]
	base := AccessRule{
		Policy: ObjectOf(core.ObjectRef{Name: p.Resource.Name, Namespace: p.Resource.Namespace}),
		To:     viewOperation(p.Operation()),
	}
	if rule.Destination != destination {
		ref := viewService(owner)
		base.Destination = &ref
	}
	return alternatives(base, p.Grants(owner))
}

// alternatives returns grants as one rule, and one more for each grant with
// conditions on the request. Grants that resolve to no identity allow nobody
// (D55).
func alternatives(base AccessRule, grants []selector.Grant) []AccessRule {
	var rules []AccessRule
	plain, hasPlain, anySource := AccessSource{}, false, false
	for _, grant := range grants {
		if !grant.Request.IsZero() {
			conditional := base
			conditional.From = &AccessSource{
				Principals: grant.Identities(), Namespaces: grant.Namespaces,
				RequestCondition: RequestCondition(grant.Request), Nobody: grant.AdmitsNobody(),
			}
			rules = append(rules, conditional)
			continue
		}
		hasPlain, anySource = true, anySource || grant.AnySource
		plain.Principals = append(plain.Principals, grant.Identities()...)
		plain.Namespaces = append(plain.Namespaces, grant.Namespaces...)
	}
	switch {
	case anySource: // every caller is allowed, so other alternatives do not matter (D30)
		return []AccessRule{base}
	case hasPlain:
		slices.Sort(plain.Principals)
		slices.Sort(plain.Namespaces)
		plain.Principals, plain.Namespaces = slices.Compact(plain.Principals), slices.Compact(plain.Namespaces)
		plain.Nobody = len(plain.Principals)+len(plain.Namespaces) == 0
		base.From = &plain
		rules = append([]AccessRule{base}, rules...)
	case len(rules) == 0:
		base.From = &AccessSource{Nobody: true}
		rules = []AccessRule{base}
	}
	return rules
}

func viewOperation(c policy.Condition) *AccessOperation {
	if len(c.Paths)+len(c.Methods)+len(c.Ports) == 0 {
		return nil
	}
	return &AccessOperation{Paths: c.Paths, Methods: c.Methods, Ports: c.Ports}
}
