package describe

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/snapshot"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// WorkloadOptions says how much to tell about workloads.
type WorkloadOptions struct {
	// Details adds the outbound section and the Destinations of every policy.
	Details bool
	// AllDestinations lists every reachable Destination, touched by a policy
	// or not; it implies Details.
	AllDestinations bool
	// WholeWorld says that the workloads are all there are, so that every
	// finding of the world belongs to the answer.
	WholeWorld bool
}

// Workloads describes the given workloads, in their order.
func Workloads(result *policy.Result, workloads []*snapshot.Workload, opts WorkloadOptions) WorkloadDescriptionList {
	b := workloadBuilder{result: result, world: result.World, opts: opts}
	list := WorkloadDescriptionList{
		APIVersion: APIVersion, Kind: "WorkloadDescriptionList",
		Items: make([]WorkloadDescription, 0, len(workloads)),
	}
	var related []int
	for _, w := range workloads {
		item, findings := b.describe(w)
		list.Items = append(list.Items, item)
		related = append(related, findings...)
	}
	list.Findings = b.findings(related)
	return list
}

type workloadBuilder struct {
	result *policy.Result
	world  *snapshot.World
	opts   WorkloadOptions
}

func (b *workloadBuilder) detailed() bool { return b.opts.Details || b.opts.AllDestinations }

func (b *workloadBuilder) describe(w *snapshot.Workload) (WorkloadDescription, []int) {
	effects := b.result.Effects(w, b.detailed())
	findings := b.result.FindingsAbout(w, effects)
	item := WorkloadDescription{
		Name: w.Name, Namespace: w.Namespace, Cluster: w.Cluster, Kind: w.Kind,
		ServiceAccount: w.ServiceAccount, Labels: w.Labels,
		Mesh: viewMesh(w.Mesh), VirtualMesh: b.virtualMesh(w.Mesh),
		findings: len(findings), detailed: b.detailed(),
	}
	if identity, known := policy.IdentityOf(w); known {
		item.Identity = identity.String()
	}
	for _, e := range effects {
		item.Policies = append(item.Policies, b.effect(e))
	}
	if b.detailed() {
		for _, call := range b.result.Outbound(w, b.opts.AllDestinations) {
			item.Outbound = append(item.Outbound, b.outbound(w, call))
		}
	}
	for _, served := range b.result.Inbound(w) {
		item.Inbound = append(item.Inbound, b.inbound(served))
	}
	return item, findings
}

// findings returns those at the given positions, or all of the world. Findings
// about input that could not be used always belong to the answer, since
// nobody knows what they hide.
func (b *workloadBuilder) findings(related []int) []Finding {
	slices.Sort(related)
	related = slices.Compact(related)
	var findings []Finding
	for i, f := range b.result.Findings {
		_, concerned := slices.BinarySearch(related, i)
		if b.opts.WholeWorld || concerned || f.Code.HidesInput() {
			findings = append(findings, viewFinding(f))
		}
	}
	return findings
}

func viewMesh(m *snapshot.Mesh) *MeshSummary {
	if m == nil {
		return nil
	}
	summary := &MeshSummary{Name: m.Ref.Name, Namespace: m.Ref.Namespace, Type: string(m.Type), Version: m.Version}
	if m.Type == snapshot.MeshIstio {
		summary.TrustDomain = m.TrustDomain
	}
	return summary
}

func (b *workloadBuilder) virtualMesh(m *snapshot.Mesh) *VirtualMeshSummary {
	if m == nil {
		return nil
	}
	vm := b.result.VirtualMeshOf(m)
	if vm == nil {
		return nil
	}
	return &VirtualMeshSummary{
		Name: vm.Resource.Name, Namespace: vm.Resource.Namespace, State: string(vm.State), Trust: vm.Trust(),
		GlobalAccessPolicy: string(vm.GlobalAccessPolicy()), TLSEnforcement: string(vm.TLSEnforcement()),
	}
}

func (b *workloadBuilder) effect(e policy.Effect) PolicyEffect {
	meta := b.result.Meta(e.Policy)
	view := PolicyEffect{
		Kind: string(e.Policy.Kind), Namespace: meta.Namespace, Name: meta.Name,
		Role: e.Role, State: e.State, Fields: b.result.Fields(e.Policy), Errors: e.Errors,
	}
	if !b.detailed() {
		view.DestinationCount = &e.Count
		return view
	}
	for _, id := range e.Destinations {
		view.Destinations = append(view.Destinations, b.world.Destinations[id].Key())
	}
	slices.Sort(view.Destinations)
	return view
}

func (b *workloadBuilder) outbound(w *snapshot.Workload, call policy.Outbound) OutboundDestination {
	view := OutboundDestination{
		Destination: viewService(&b.world.Destinations[call.Destination]),
		Hostname:    call.Hostname, Via: call.Via,
		Access: Access{
			Verdict: call.Access.Decision, Reason: call.Access.Reason,
			Policies: b.accessPolicies(call.Access.Policies),
		},
	}
	for _, c := range call.Access.Conditions {
		view.Access.Conditions = append(view.Access.Conditions, Condition{
			Paths: c.Paths, Methods: c.Methods, Ports: c.Ports, RequestCondition: RequestCondition(c.Request),
		})
	}
	b.addTraffic(&view, w, call.Destination)
	return view
}

// addTraffic fills in what happens to the requests.
func (b *workloadBuilder) addTraffic(view *OutboundDestination, w *snapshot.Workload, destination int) {
	for _, route := range b.result.RoutesFor(w, destination) {
		r := Route{Ports: route.Ports}
		if m := route.Match; m != nil {
			r.Match = &RequestMatch{URI: m.URI, Method: m.Method, Headers: m.Headers, QueryParameters: m.QueryParameters}
		}
		for _, s := range route.Settings {
			r.Settings = append(r.Settings, Setting{Field: s.Field, Value: s.Value, Policy: b.trafficPolicy(s.Policy), Inherited: s.Inherited})
		}
		view.Routes = append(view.Routes, r)
	}
	for _, s := range b.result.Connection(w, destination) {
		c := ConnectionSetting{Field: s.Field, Value: s.Value, Ports: s.Ports}
		if s.VirtualMesh != nil {
			c.Policy = ObjectRef{Namespace: s.VirtualMesh.Resource.Namespace, Name: s.VirtualMesh.Resource.Name}
		} else {
			c.Policy = b.trafficPolicy(s.Policy)
		}
		view.Connection = append(view.Connection, c)
	}
	for _, rejected := range b.result.RejectedFor(w, destination) {
		r := RejectedSetting{Policy: b.trafficPolicy(rejected.Policy), Field: rejected.Field, Reason: rejected.Reason}
		if rejected.Winner >= 0 {
			winner := b.trafficPolicy(rejected.Winner)
			r.Winner = &winner
		}
		view.Rejected = append(view.Rejected, r)
	}
}

func (b *workloadBuilder) trafficPolicy(i int) ObjectRef {
	p := b.result.TrafficPolicies[i].Resource
	return ObjectRef{Namespace: p.Namespace, Name: p.Name}
}

func (b *workloadBuilder) accessPolicies(ids []int) []ObjectRef {
	var refs []ObjectRef
	for _, i := range ids {
		meta := b.result.AccessPolicies[i].Resource
		refs = append(refs, ObjectRef{Namespace: meta.Namespace, Name: meta.Name})
	}
	return refs
}

func (b *workloadBuilder) inbound(served policy.Inbound) InboundDestination {
	d := &b.world.Destinations[served.Destination]
	decided := &b.result.Destinations[served.Destination]
	view := InboundDestination{
		Destination: viewService(d), Hostname: d.Hostname,
		Access: InboundAccess{Default: "ALLOW"},
	}
	if served.DeniesOthers {
		view.Access.Default = "DENY"
	}
	if f := decided.Federation; f != nil {
		view.FederatedHostname = f.FederatedHostname(d)
		for _, m := range f.Meshes {
			view.FederatedTo = append(view.FederatedTo, viewObject(b.world.Meshes[m].Ref))
		}
	}
	for _, i := range decided.Traffic {
		p := &b.result.TrafficPolicies[i]
		state := policy.StateApplied
		if _, rejected := p.Rejected[served.Destination]; rejected {
			state = policy.StateInvalid
		}
		view.TrafficPolicies = append(view.TrafficPolicies, AppliedPolicy{
			Namespace: p.Resource.Namespace, Name: p.Resource.Name, State: state, Fields: p.Fields,
		})
	}
	for _, rule := range served.Rules {
		view.Access.Rules = append(view.Access.Rules, b.accessRules(served.Destination, rule)...)
	}
	return view
}

// accessRules shows one policy as one rule, or as several if it attaches
// different request conditions to different sources.
func (b *workloadBuilder) accessRules(destination int, rule policy.AccessRule) []AccessRule {
	p := &b.result.AccessPolicies[rule.Policy]
	owner := &b.world.Destinations[rule.Destination]
	base := AccessRule{
		Policy: viewObject(core.ObjectRef{Name: p.Resource.Name, Namespace: p.Resource.Namespace}),
		To:     viewOperation(p.Operation()),
	}
	if rule.Destination != destination {
		ref := viewService(owner)
		base.Destination = &ref
	}
	var rules []AccessRule
	plain, hasPlain, anySource := AccessSource{}, false, false
	for _, grant := range p.Grants(owner) {
		if !grant.Request.IsZero() {
			conditional := base
			conditional.From = &AccessSource{
				Principals: grant.Principals(), Namespaces: grant.Namespaces,
				RequestCondition: RequestCondition(grant.Request),
			}
			rules = append(rules, conditional)
			continue
		}
		hasPlain, anySource = true, anySource || grant.AnySource
		plain.Principals = append(plain.Principals, grant.Principals()...)
		plain.Namespaces = append(plain.Namespaces, grant.Namespaces...)
	}
	switch {
	case anySource: // everybody is admitted, whatever the other alternatives are (semantics D30)
		return []AccessRule{base}
	case hasPlain:
		slices.Sort(plain.Principals)
		slices.Sort(plain.Namespaces)
		plain.Principals, plain.Namespaces = slices.Compact(plain.Principals), slices.Compact(plain.Namespaces)
		base.From = &plain
		rules = append([]AccessRule{base}, rules...)
	}
	return rules
}

func viewOperation(c policy.Condition) *AccessOperation {
	if len(c.Paths)+len(c.Methods)+len(c.Ports) == 0 {
		return nil
	}
	return &AccessOperation{Paths: c.Paths, Methods: c.Methods, Ports: c.Ports}
}
