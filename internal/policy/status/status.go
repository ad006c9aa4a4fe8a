// Package status computes the statuses that evaluated objects would get.
package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Statuses computes the statuses of the objects of one result. It caches what they
// share, so it is not safe for concurrent use.
type Statuses struct {
	result     *policy.Result
	acceptance map[acceptedOn]map[int]uint32
	// shifts are the policies that shift requests to subsets, by Destination; nil
	// until first used.
	shifts map[int][]int
}

// Of returns the statuses of a result.
func Of(result *policy.Result) *Statuses {
	return &Statuses{result: result, acceptance: map[acceptedOn]map[int]uint32{}}
}

func refOf(meta *metav1.ObjectMeta) *core.ObjectRef {
	return &core.ObjectRef{Name: meta.Name, Namespace: meta.Namespace}
}

// TrafficPolicy returns the status that the policy at a position would
// get.
func (s *Statuses) TrafficPolicy(i int) networkingv1.TrafficPolicyStatus {
	p := &s.result.TrafficPolicies[i]
	ref := policy.PolicyRef{Kind: policy.KindTrafficPolicy, Index: i}
	status := networkingv1.TrafficPolicyStatus{
		ObservedGeneration: core.Int64(p.Resource.Generation), Errors: p.AllErrors(),
		Destinations: s.approvals(ref), Workloads: s.affectedWorkloads(ref),
	}
	status.State = overallState(status.Errors, status.Destinations)
	return status
}

// AccessPolicy returns the status that the policy at a position would
// get.
func (s *Statuses) AccessPolicy(i int) networkingv1.AccessPolicyStatus {
	p := &s.result.AccessPolicies[i]
	ref := policy.PolicyRef{Kind: policy.KindAccessPolicy, Index: i}
	status := networkingv1.AccessPolicyStatus{
		ObservedGeneration: core.Int64(p.Resource.Generation), Errors: p.AllErrors(),
		Destinations: s.approvals(ref), Workloads: s.affectedWorkloads(ref),
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
func (s *Statuses) approvals(ref policy.PolicyRef) map[string]core.ApprovalStatus {
	app := s.result.ApplicationOf(ref)
	if !app.Valid() || len(app.Destinations) == 0 {
		return nil
	}
	approvals := make(map[string]core.ApprovalStatus, len(app.Destinations))
	for _, id := range app.Destinations {
		approval := core.ApprovalStatus{State: core.ApprovalStateAccepted, AcceptanceOrder: s.acceptanceOrders(ref.Kind, id)[ref.Index]}
		if errors, rejected := app.Rejected[id]; rejected {
			approval = core.ApprovalStatus{State: core.ApprovalStateInvalid, Errors: errors}
		}
		approvals[policy.StatusKey(&s.result.World.Destinations[id].Resource.ObjectMeta)] = approval
	}
	return approvals
}

// acceptanceOrders returns, by the position of each policy of a kind on a
// Destination, how many accepted policies precede it. It is computed once.
func (s *Statuses) acceptanceOrders(kind policy.PolicyKind, destination int) map[int]uint32 {
	key := acceptedOn{kind, destination}
	if orders, known := s.acceptance[key]; known {
		return orders
	}
	policies := s.result.Destinations[destination].Traffic
	if kind == policy.KindAccessPolicy {
		policies = s.result.Destinations[destination].Access
	}
	orders := make(map[int]uint32, len(policies))
	order := uint32(0)
	for _, i := range policies {
		orders[i] = order
		if _, rejected := s.result.ApplicationOf(policy.PolicyRef{Kind: kind, Index: i}).Rejected[destination]; !rejected {
			order++
		}
	}
	s.acceptance[key] = orders
	return orders
}

type acceptedOn struct {
	kind        policy.PolicyKind
	destination int
}

// affectedWorkloads returns the keys of the source workloads of a policy whose
// mesh is a mesh of its Destinations or in a VirtualMesh with one.
func (s *Statuses) affectedWorkloads(ref policy.PolicyRef) []string {
	app := s.result.ApplicationOf(ref)
	if !app.Valid() {
		return nil
	}
	meshes := map[*world.Mesh]bool{}
	groups := map[*policy.VirtualMesh]bool{}
	for _, id := range app.Destinations {
		if m := s.result.World.Destinations[id].Mesh; m != nil {
			meshes[m] = true
			if vm := s.result.Meshes[m.ID].VirtualMesh; vm != nil {
				groups[vm] = true
			}
		}
	}
	var keys []string
	for i := range s.result.World.Workloads {
		w := &s.result.World.Workloads[i]
		if w.Mesh == nil || (!meshes[w.Mesh] && !groups[s.result.Meshes[w.Mesh.ID].VirtualMesh]) || !s.result.HasSource(ref, w) {
			continue
		}
		keys = append(keys, policy.StatusKey(&w.Resource.ObjectMeta))
	}
	slices.Sort(keys)
	return keys
}

// VirtualMesh returns the status that the VirtualMesh at a position would get.
// Problems that only prevent federation make the Destinations INVALID, so that the
// mesh keeps trust and access control (D15); their reasons are errors of
// the VirtualMesh, once for each mesh. Rotation conditions and the deployed trust
// are copied from the previous status, because the engine does not decide them.
func (s *Statuses) VirtualMesh(i int) networkingv1.VirtualMeshStatus {
	vm := &s.result.VirtualMeshes[i]
	previous := vm.Resource.Status
	status := networkingv1.VirtualMeshStatus{
		ObservedGeneration: core.Int64(vm.Resource.Generation), Errors: slices.Clone(vm.Errors),
		Conditions: previous.Conditions, DeployedSharedTrust: previous.DeployedSharedTrust,
	}
	if vm.Effective {
		status.Meshes = map[string]core.ApprovalStatus{}
		for _, missing := range vm.Missing {
			key := policy.StatusKey(&metav1.ObjectMeta{Name: missing.Ref.Name, Namespace: missing.Ref.Namespace})
			status.Meshes[key] = core.ApprovalStatus{State: core.ApprovalStateInvalid, Errors: []string{missing.Reason}}
		}
		status.Destinations = map[string]core.ApprovalStatus{}
		for _, m := range vm.Meshes {
			s.addMember(&status, m)
		}
		for id := range s.result.Destinations {
			if f := s.result.Destinations[id].Federation; f != nil && f.VirtualMesh == vm {
				key := policy.StatusKey(&s.result.World.Destinations[id].Resource.ObjectMeta)
				status.Destinations[key] = core.ApprovalStatus{State: core.ApprovalStateAccepted}
			}
		}
	}
	status.State = overallState(status.Errors, status.Meshes, status.Destinations)
	return status
}

func (s *Statuses) addMember(status *networkingv1.VirtualMeshStatus, m int) {
	mesh := &s.result.Meshes[m]
	approval := core.ApprovalStatus{State: core.ApprovalStateAccepted, Warnings: mesh.Warnings}
	if mesh.VirtualMesh.Trust() == policy.TrustLimited { // D42
		approval.State, approval.Errors = core.ApprovalStateInvalid, []string{policy.LimitedTrust}
	}
	key := policy.StatusKey(&s.result.World.Meshes[m].Resource.ObjectMeta)
	status.Meshes[key] = approval
	for _, reason := range mesh.Errors {
		status.Errors = append(status.Errors, fmt.Sprintf("mesh %s: %s", key, reason))
	}
	for _, id := range mesh.Unexported {
		status.Destinations[policy.StatusKey(&s.result.World.Destinations[id].Resource.ObjectMeta)] = core.ApprovalStatus{State: core.ApprovalStateInvalid}
	}
}

// Mesh returns the status that the mesh at a position would get.
func (s *Statuses) Mesh(i int) discoveryv1.MeshStatus {
	world, mesh := &s.result.World.Meshes[i], &s.result.Meshes[i]
	status := discoveryv1.MeshStatus{ObservedGeneration: core.Int64(world.Resource.Generation)}
	if vm := mesh.VirtualMesh; vm != nil {
		status.AppliedVirtualMesh = &discoveryv1.AppliedVirtualMesh{
			Ref: refOf(&vm.Resource.ObjectMeta), ObservedGeneration: core.Int64(vm.Resource.Generation), Spec: newerSpelling(&vm.Resource.Spec),
		}
	}
	for _, g := range mesh.Gateways {
		status.AppliedEastWestIngressGateways = append(status.AppliedEastWestIngressGateways, core.AppliedIngressGateway{
			DestinationRef:    refOf(&s.result.World.Destinations[g.Destination].Resource.ObjectMeta),
			ExternalAddresses: g.Addresses, Port: g.ContainerPort, ExternalPort: g.ExternalPort,
		})
	}
	return status
}

// newerSpelling returns a specification with renamed fields in their newer
// spelling, as in everything that is written (D16).
func newerSpelling(spec *networkingv1.VirtualMeshSpec) *networkingv1.VirtualMeshSpec {
	if spec.Federation == nil || len(spec.Federation.EastWestIngressGatewaySelectors) == 0 {
		return spec
	}
	written, federation := *spec, *spec.Federation
	federation.IngressGatewaySelectors, federation.EastWestIngressGatewaySelectors = spec.Federation.GatewaySelectors(), nil
	written.Federation = &federation
	return &written
}

// Destination returns the status that the Destination at a position
// would get.
func (s *Statuses) Destination(i int) discoveryv1.DestinationStatus {
	d, decided := &s.result.World.Destinations[i], &s.result.Destinations[i]
	status := discoveryv1.DestinationStatus{
		ObservedGeneration: core.Int64(d.Resource.Generation), LocalFQDN: d.Hostname, RequiredSubsets: s.requiredSubsets(d),
	}
	for _, p := range decided.Traffic {
		if policy := &s.result.TrafficPolicies[p]; !policy.RejectedOn(i) {
			status.AppliedTrafficPolicies = append(status.AppliedTrafficPolicies, networkingv1.AppliedTrafficPolicy{
				Ref: refOf(&policy.Resource.ObjectMeta), ObservedGeneration: core.Int64(policy.Resource.Generation), Spec: &policy.Resource.Spec,
			})
		}
	}
	for _, rule := range s.result.RulesOf(i) {
		policy := s.result.AccessPolicies[rule.Policy].Resource
		status.AppliedAccessPolicies = append(status.AppliedAccessPolicies, discoveryv1.AppliedAccessPolicy{
			Ref: refOf(&policy.ObjectMeta), ObservedGeneration: core.Int64(policy.Generation), Spec: &policy.Spec,
		})
	}
	if f := decided.Federation; f != nil {
		status.AppliedFederation = s.appliedFederation(f, d)
	}
	return status
}

func (s *Statuses) appliedFederation(f *policy.Federation, d *world.Destination) *discoveryv1.AppliedFederation {
	applied := &discoveryv1.AppliedFederation{
		FederatedHostname: f.FederatedHostname(d), FlatNetwork: f.Flat,
		VirtualMeshRef: refOf(&f.VirtualMesh.Resource.ObjectMeta), TCPKeepalive: f.VirtualMesh.Resource.Spec.Federation.TCPKeepalive,
	}
	for _, m := range f.Meshes {
		applied.FederatedToMeshes = append(applied.FederatedToMeshes, s.result.World.Meshes[m].Ref)
	}
	return applied
}

// requiredSubsets lists the accepted policies that shift requests to a subset
// of the Destination, once all Destinations are judged (D17).
// Of each shift only what is about this Destination is kept (D28).
func (s *Statuses) requiredSubsets(d *world.Destination) []discoveryv1.RequiredSubsets {
	var required []discoveryv1.RequiredSubsets
	for _, i := range s.shiftsTo()[d.ID] {
		p := &s.result.TrafficPolicies[i]
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
func (s *Statuses) shiftsTo() map[int][]int {
	if s.shifts != nil {
		return s.shifts
	}
	s.shifts = map[int][]int{}
	for i := range s.result.TrafficPolicies {
		p := &s.result.TrafficPolicies[i]
		if !p.Valid() || len(p.Rejected) > 0 || p.Resource.Spec.Policy == nil || p.Resource.Spec.Policy.TrafficShift == nil {
			continue
		}
		for _, w := range p.Resource.Spec.Policy.TrafficShift.Destinations {
			if w.KubeService == nil || len(w.KubeService.Subset) == 0 {
				continue
			}
			if d := s.result.World.Service(feature.ShiftTarget(w.KubeService)); d != nil && !lastIs(s.shifts[d.ID], i) {
				s.shifts[d.ID] = append(s.shifts[d.ID], i)
			}
		}
	}
	return s.shifts
}

// lastIs reports whether the last value of a list is the given one.
func lastIs(list []int, value int) bool { return len(list) > 0 && list[len(list)-1] == value }

// Workload returns the status that the workload at a position would get;
// what other controllers wrote is kept.
func (s *Statuses) Workload(i int) discoveryv1.WorkloadStatus {
	resource := s.result.World.Workloads[i].Resource
	status := resource.Status
	status.ObservedGeneration = core.Int64(resource.Generation)
	return status
}
