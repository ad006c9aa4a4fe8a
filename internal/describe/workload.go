package describe

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

// WorkloadOptions configure the level of detail.
type WorkloadOptions struct {
	// Details adds the outbound section and the Destinations of every policy.
	Details bool
	// AllDestinations lists every reachable Destination, even without a policy;
	// it implies Details.
	AllDestinations bool
	// WholeWorld is true if the workloads are all of the world, so that all
	// findings are included.
	WholeWorld bool
}

// Workloads describes the given workloads, in their order.
func Workloads(result *policy.Result, workloads []*world.Workload, opts WorkloadOptions) WorkloadDescriptionList {
	b := workloadBuilder{viewer: newViewer(result), opts: opts, effects: map[*policy.Effect]*PolicyEffect{}}
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
	list.Findings = b.findings(related, opts.WholeWorld)
	return list
}

type workloadBuilder struct {
	viewer
	opts WorkloadOptions
	// effects caches the views of effects that workloads share.
	effects map[*policy.Effect]*PolicyEffect
}

func (b *workloadBuilder) detailed() bool { return b.opts.Details || b.opts.AllDestinations }

func (b *workloadBuilder) describe(w *world.Workload) (WorkloadDescription, []int) {
	effects := b.result.Effects(w, b.detailed())
	findings := b.result.FindingsAbout(w, effects)
	item := WorkloadDescription{
		Name: w.Name, Namespace: w.Namespace, Cluster: w.Cluster, Kind: w.Kind,
		ServiceAccount: w.ServiceAccount, Labels: w.Labels,
		Mesh: viewMesh(w.Mesh), VirtualMesh: b.virtualMesh(w.Mesh), Facts: w.Facts,
		detailed: b.detailed(),
	}
	if identity, known := selector.IdentityOf(w); known {
		item.Identity = identity.String()
	}
	item.unwritten = b.unwritten(w, effects)
	item.Policies = make([]*PolicyEffect, 0, len(effects))
	for _, e := range effects {
		item.Policies = append(item.Policies, b.effect(e))
	}
	if b.detailed() {
		calls, unlisted := b.calls.Outbound(w, b.opts.AllDestinations)
		for _, call := range calls {
			item.Outbound = append(item.Outbound, b.outbound(w, call))
			if call.Access.Decision == reach.Unreachable || call.Access.Decision == reach.Unknown {
				findings = append(findings, b.result.FindingsOn(world.DestinationID(&b.world.Destinations[call.Destination]))...)
			}
		}
		item.DeniedByDefaultCount, item.AllowedByDefaultCount = unlisted[reach.Denied], unlisted[reach.Allowed]
		item.UnreachableCount, item.ConditionalCount = unlisted[reach.Unreachable], unlisted[reach.Conditional]
		item.UnknownCount = unlisted[reach.Unknown]
	}
	for _, served := range b.result.Inbound(w) {
		item.Inbound = append(item.Inbound, b.inbound(served))
	}
	slices.Sort(findings)
	findings = slices.Compact(findings)
	item.findings = len(findings)
	return item, findings
}

// effect returns the view of one effect; workloads with equal effects share it.
func (b *workloadBuilder) effect(e *policy.Effect) *PolicyEffect {
	if view, known := b.effects[e]; known {
		return view
	}
	view := b.newEffect(e)
	b.effects[e] = view
	return view
}

func (b *workloadBuilder) newEffect(e *policy.Effect) *PolicyEffect {
	meta := b.result.Meta(e.Policy)
	view := &PolicyEffect{
		Kind: string(e.Policy.Kind), Namespace: meta.Namespace, Name: meta.Name,
		Role: e.Role, State: e.State, Fields: b.result.FieldsOf(e), Errors: e.Errors,
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

func (b *workloadBuilder) outbound(w *world.Workload, call reach.Outbound) OutboundDestination {
	view := OutboundDestination{
		Destination: viewService(&b.world.Destinations[call.Destination]),
		Hostname:    call.Hostname, Via: call.Via,
		Access: AccessOf(b.result, call.Access),
	}
	if call.Access.Unrouted {
		return view
	}
	routes := b.result.RoutesFor(w, call.Destination)
	view.Routes, view.Targets = b.routes(routes), b.targets(w, call.Destination, routes)
	view.Connection = b.connection(b.result.Connection(w, call.Destination))
	view.Rejected = b.rejected(b.result.RejectedFor(w, call.Destination))
	view.meshRetries = meshRetries(w.Mesh)
	return view
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
			view.FederatedTo = append(view.FederatedTo, ObjectOf(b.world.Meshes[m].Ref))
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
