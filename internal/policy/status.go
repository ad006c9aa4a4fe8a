package policy

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// StatusKey returns the key of a resource in status maps and lists,
// NAME.NAMESPACE and a dot: resources of the management cluster have no cluster
// name to append (semantics, conventions).
func StatusKey(meta *metav1.ObjectMeta) string { return meta.Name + "." + meta.Namespace + "." }

func refOf(meta *metav1.ObjectMeta) *core.ObjectRef {
	return &core.ObjectRef{Name: meta.Name, Namespace: meta.Namespace}
}

// TrafficPolicyStatus returns the status that the policy at a position would
// get (semantics 3.8, 3.9).
func (r *Result) TrafficPolicyStatus(i int) networkingv1.TrafficPolicyStatus {
	p := &r.TrafficPolicies[i]
	ref := PolicyRef{KindTrafficPolicy, i}
	status := networkingv1.TrafficPolicyStatus{
		ObservedGeneration: core.Int64(p.Resource.Generation), Errors: p.AllErrors(),
		Destinations: r.approvals(ref), Workloads: r.affectedWorkloads(ref),
	}
	status.State = overallState(status.Errors, status.Destinations)
	return status
}

// AccessPolicyStatus returns the status that the policy at a position would
// get (semantics 3.8, 3.9).
func (r *Result) AccessPolicyStatus(i int) networkingv1.AccessPolicyStatus {
	p := &r.AccessPolicies[i]
	ref := PolicyRef{KindAccessPolicy, i}
	status := networkingv1.AccessPolicyStatus{
		ObservedGeneration: core.Int64(p.Resource.Generation), Errors: p.AllErrors(),
		Destinations: r.approvals(ref), Workloads: r.affectedWorkloads(ref),
	}
	status.State = overallState(status.Errors, status.Destinations)
	return status
}

// overallState returns INVALID if the object is INVALID on any target.
func overallState(errors []string, targets ...map[string]core.ApprovalStatus) core.ApprovalState {
	if len(errors) > 0 {
		return core.ApprovalStateInvalid
	}
	for _, approvals := range targets {
		for _, a := range approvals {
			if a.State == core.ApprovalStateInvalid {
				return core.ApprovalStateInvalid
			}
		}
	}
	return core.ApprovalStateAccepted
}

// approvals returns the status of a policy on every selected Destination; none
// for a policy that is INVALID as a whole.
func (r *Result) approvals(ref PolicyRef) map[string]core.ApprovalStatus {
	app := r.application(ref)
	if !app.Valid() || len(app.Destinations) == 0 {
		return nil
	}
	approvals := make(map[string]core.ApprovalStatus, len(app.Destinations))
	for _, id := range app.Destinations {
		approval := core.ApprovalStatus{State: core.ApprovalStateAccepted, AcceptanceOrder: r.acceptanceOrders(ref.Kind, id)[ref.Index]}
		if errors, rejected := app.Rejected[id]; rejected {
			approval = core.ApprovalStatus{State: core.ApprovalStateInvalid, Errors: errors}
		}
		approvals[StatusKey(&r.World.Destinations[id].Resource.ObjectMeta)] = approval
	}
	return approvals
}

// acceptanceOrders returns, by the position of each policy of a kind on a
// Destination, how many accepted policies precede it. It is computed once.
func (r *Result) acceptanceOrders(kind PolicyKind, destination int) map[int]uint32 {
	key := acceptedOn{kind, destination}
	if orders, known := r.acceptance[key]; known {
		return orders
	}
	policies := r.Destinations[destination].Traffic
	if kind == KindAccessPolicy {
		policies = r.Destinations[destination].Access
	}
	orders := make(map[int]uint32, len(policies))
	order := uint32(0)
	for _, i := range policies {
		orders[i] = order
		if _, rejected := r.application(PolicyRef{kind, i}).Rejected[destination]; !rejected {
			order++
		}
	}
	r.acceptance[key] = orders
	return orders
}

type acceptedOn struct {
	kind        PolicyKind
	destination int
}

// affectedWorkloads returns the keys of the source workloads of a policy whose
// mesh is a mesh of its Destinations or in a VirtualMesh with one (semantics
// 3.9).
func (r *Result) affectedWorkloads(ref PolicyRef) []string {
	app := r.application(ref)
	if !app.Valid() {
		return nil
	}
	meshes := map[*world.Mesh]bool{}
	groups := map[*VirtualMesh]bool{}
	for _, id := range app.Destinations {
		if m := r.World.Destinations[id].Mesh; m != nil {
			meshes[m] = true
			if vm := r.Meshes[m.ID].VirtualMesh; vm != nil {
				groups[vm] = true
			}
		}
	}
	var keys []string
	for i := range r.World.Workloads {
		w := &r.World.Workloads[i]
		if w.Mesh == nil || (!meshes[w.Mesh] && !groups[r.Meshes[w.Mesh.ID].VirtualMesh]) || !r.hasSource(ref, w) {
			continue
		}
		keys = append(keys, StatusKey(&w.Resource.ObjectMeta))
	}
	slices.Sort(keys)
	return keys
}

// hasSource reports whether a workload is a source of requests that a policy
// selects, for any of its Destinations.
func (r *Result) hasSource(ref PolicyRef, w *world.Workload) bool {
	if ref.Kind == KindTrafficPolicy {
		return selector.MatchesWorkload(r.TrafficPolicies[ref.Index].Resource.Spec.SourceSelector, w)
	}
	identity, known := selector.IdentityOf(w)
	p := &r.AccessPolicies[ref.Index]
	if !p.ownMeshOnly() {
		return slices.ContainsFunc(p.grants, func(g selector.Grant) bool { return g.Admits(identity, known) })
	}
	return slices.ContainsFunc(p.Destinations, func(id int) bool { return r.mayConcern(ref, w, id) })
}

// VirtualMeshStatus returns the status that the VirtualMesh at a position would
// get. Problems that only prevent federation are reported on the Destinations, so
// that the mesh keeps trust and access control (semantics D15). Rotation
// conditions and the deployed trust are copied from the previous status, because
// the engine does not decide them.
func (r *Result) VirtualMeshStatus(i int) networkingv1.VirtualMeshStatus {
	vm := &r.VirtualMeshes[i]
	previous := vm.Resource.Status
	status := networkingv1.VirtualMeshStatus{
		ObservedGeneration: core.Int64(vm.Resource.Generation), Errors: vm.Errors,
		Conditions: previous.Conditions, DeployedSharedTrust: previous.DeployedSharedTrust,
	}
	if vm.Effective {
		status.Meshes = map[string]core.ApprovalStatus{}
		for _, missing := range vm.Missing {
			key := StatusKey(&metav1.ObjectMeta{Name: missing.Ref.Name, Namespace: missing.Ref.Namespace})
			status.Meshes[key] = core.ApprovalStatus{State: core.ApprovalStateInvalid, Errors: []string{missing.Reason}}
		}
		status.Destinations = map[string]core.ApprovalStatus{}
		for _, m := range vm.Meshes {
			r.addMember(&status, m)
		}
		for id := range r.Destinations {
			if f := r.Destinations[id].Federation; f != nil && f.VirtualMesh == vm {
				key := StatusKey(&r.World.Destinations[id].Resource.ObjectMeta)
				status.Destinations[key] = core.ApprovalStatus{State: core.ApprovalStateAccepted}
			}
		}
	}
	status.State = overallState(vm.Errors, status.Meshes, status.Destinations)
	return status
}

func (r *Result) addMember(status *networkingv1.VirtualMeshStatus, m int) {
	mesh := &r.Meshes[m]
	approval := core.ApprovalStatus{State: core.ApprovalStateAccepted, Warnings: mesh.Warnings}
	if mesh.VirtualMesh.Trust() == TrustLimited { // semantics D42
		approval.State, approval.Errors = core.ApprovalStateInvalid, []string{limitedTrust}
	}
	status.Meshes[StatusKey(&r.World.Meshes[m].Resource.ObjectMeta)] = approval
	for _, id := range mesh.Unexported {
		status.Destinations[StatusKey(&r.World.Destinations[id].Resource.ObjectMeta)] = core.ApprovalStatus{
			State: core.ApprovalStateInvalid, Errors: mesh.Errors,
		}
	}
}

// MeshStatus returns the status that the mesh at a position would get
// (semantics 3.6).
func (r *Result) MeshStatus(i int) discoveryv1.MeshStatus {
	world, mesh := &r.World.Meshes[i], &r.Meshes[i]
	status := discoveryv1.MeshStatus{ObservedGeneration: core.Int64(world.Resource.Generation)}
	if vm := mesh.VirtualMesh; vm != nil {
		status.AppliedVirtualMesh = &discoveryv1.AppliedVirtualMesh{
			Ref: refOf(&vm.Resource.ObjectMeta), ObservedGeneration: core.Int64(vm.Resource.Generation), Spec: newerSpelling(&vm.Resource.Spec),
		}
	}
	for _, g := range mesh.Gateways {
		status.AppliedEastWestIngressGateways = append(status.AppliedEastWestIngressGateways, core.AppliedIngressGateway{
			DestinationRef:    refOf(&r.World.Destinations[g.Destination].Resource.ObjectMeta),
			ExternalAddresses: g.Addresses, Port: g.ContainerPort, ExternalPort: g.ExternalPort,
		})
	}
	return status
}

// newerSpelling returns a specification with renamed fields in their newer
// spelling, as in everything that is written (semantics D16).
func newerSpelling(spec *networkingv1.VirtualMeshSpec) *networkingv1.VirtualMeshSpec {
	if spec.Federation == nil || len(spec.Federation.EastWestIngressGatewaySelectors) == 0 {
		return spec
	}
	written, federation := *spec, *spec.Federation
	federation.IngressGatewaySelectors, federation.EastWestIngressGatewaySelectors = spec.Federation.GatewaySelectors(), nil
	written.Federation = &federation
	return &written
}

// DestinationStatus returns the status that the Destination at a position
// would get (semantics 3.1 to 3.7).
func (r *Result) DestinationStatus(i int) discoveryv1.DestinationStatus {
	d, decided := &r.World.Destinations[i], &r.Destinations[i]
	status := discoveryv1.DestinationStatus{
		ObservedGeneration: core.Int64(d.Resource.Generation), LocalFQDN: d.Hostname, RequiredSubsets: r.requiredSubsets(d),
	}
	for _, p := range decided.Traffic {
		if policy := &r.TrafficPolicies[p]; !policy.RejectedOn(i) {
			status.AppliedTrafficPolicies = append(status.AppliedTrafficPolicies, networkingv1.AppliedTrafficPolicy{
				Ref: refOf(&policy.Resource.ObjectMeta), ObservedGeneration: core.Int64(policy.Resource.Generation), Spec: &policy.Resource.Spec,
			})
		}
	}
	for _, rule := range r.RulesOf(i) {
		policy := r.AccessPolicies[rule.Policy].Resource
		status.AppliedAccessPolicies = append(status.AppliedAccessPolicies, discoveryv1.AppliedAccessPolicy{
			Ref: refOf(&policy.ObjectMeta), ObservedGeneration: core.Int64(policy.Generation), Spec: &policy.Spec,
		})
	}
	if f := decided.Federation; f != nil {
		status.AppliedFederation = r.appliedFederation(f, d)
	}
	return status
}

func (r *Result) appliedFederation(f *Federation, d *world.Destination) *discoveryv1.AppliedFederation {
	applied := &discoveryv1.AppliedFederation{
		FederatedHostname: f.FederatedHostname(d), FlatNetwork: f.Flat,
		VirtualMeshRef: refOf(&f.VirtualMesh.Resource.ObjectMeta), TCPKeepalive: f.VirtualMesh.Resource.Spec.Federation.TCPKeepalive,
	}
	for _, m := range f.Meshes {
		applied.FederatedToMeshes = append(applied.FederatedToMeshes, r.World.Meshes[m].Ref)
	}
	return applied
}

// requiredSubsets lists the accepted policies that shift requests to a subset of
// the Destination (semantics 3.7, D17). Of each shift only the part for this
// Destination is kept (D28). All Destinations must be judged before.
func (r *Result) requiredSubsets(d *world.Destination) []discoveryv1.RequiredSubsets {
	var required []discoveryv1.RequiredSubsets
	for _, i := range r.shiftsTo()[d.ID] {
		p := &r.TrafficPolicies[i]
		shift := &networkingv1.MultiDestination{}
		for _, w := range p.Resource.Spec.Policy.TrafficShift.Destinations {
			if w.KubeService != nil && len(w.KubeService.Subset) > 0 && feature.ShiftTarget(w.KubeService) == d.Ref {
				shift.Destinations = append(shift.Destinations, w)
			}
		}
		required = append(required, discoveryv1.RequiredSubsets{
			TrafficPolicyRef:   refOf(&p.Resource.ObjectMeta),
			ObservedGeneration: core.Int64(p.Resource.Generation), TrafficShift: shift,
		})
	}
	slices.SortFunc(required, func(a, b discoveryv1.RequiredSubsets) int {
		return cmp.Or(strings.Compare(a.TrafficPolicyRef.Namespace, b.TrafficPolicyRef.Namespace), strings.Compare(a.TrafficPolicyRef.Name, b.TrafficPolicyRef.Name))
	})
	return required
}

// shiftsTo returns, by Destination, the accepted policies that shift requests
// to a subset of it; computed once.
func (r *Result) shiftsTo() map[int][]int {
	if r.shifts != nil {
		return r.shifts
	}
	r.shifts = map[int][]int{}
	for i := range r.TrafficPolicies {
		p := &r.TrafficPolicies[i]
		if !p.Valid() || len(p.Rejected) > 0 || p.Resource.Spec.Policy == nil || p.Resource.Spec.Policy.TrafficShift == nil {
			continue
		}
		for _, w := range p.Resource.Spec.Policy.TrafficShift.Destinations {
			if w.KubeService == nil || len(w.KubeService.Subset) == 0 {
				continue
			}
			if d := r.World.Service(feature.ShiftTarget(w.KubeService)); d != nil && !lastIs(r.shifts[d.ID], i) {
				r.shifts[d.ID] = append(r.shifts[d.ID], i)
			}
		}
	}
	return r.shifts
}

// lastIs reports whether the last value of a list is the given one.
func lastIs(list []int, value int) bool { return len(list) > 0 && list[len(list)-1] == value }

// WorkloadStatus returns the status that the workload at a position would get;
// fields of other controllers are kept.
func (r *Result) WorkloadStatus(i int) discoveryv1.WorkloadStatus {
	resource := r.World.Workloads[i].Resource
	status := resource.Status
	status.ObservedGeneration = core.Int64(resource.Generation)
	return status
}
