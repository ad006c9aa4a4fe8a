package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/limits"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TrustModel is how the meshes of a VirtualMesh trust each other.
type TrustModel string

// The trust models. TrustNone means that the VirtualMesh configures no trust.
const (
	TrustShared  TrustModel = "shared"
	TrustLimited TrustModel = "limited"
	TrustNone    TrustModel = "none"
)

// VirtualMesh is the result of evaluating one VirtualMesh.
type VirtualMesh struct {
	Resource *networkingv1.VirtualMesh
	// State is ACCEPTED or INVALID.
	State core.ApprovalState
	// Errors are the reasons why it is INVALID.
	Errors []string
	// Effective is true if it groups its meshes. A contradictory VirtualMesh
	// groups nothing (D14); one with unresolved references is INVALID,
	// but groups the meshes that exist (D69).
	Effective bool
	// Missing are the referenced meshes that do not exist, sorted.
	Missing []MissingMesh
	// Meshes are the positions of its meshes in World.Meshes, ascending and
	// distinct; for an INVALID one those that exist.
	Meshes []int
}

// MissingMesh is a referenced mesh that does not exist.
type MissingMesh struct {
	Ref    core.ObjectRef
	Reason string
}

// ID returns the ID of the VirtualMesh, as used in findings.
func (v *VirtualMesh) ID() world.ObjectID {
	return world.ObjectID{Kind: "VirtualMesh", Namespace: v.Resource.Namespace, Name: v.Resource.Name}
}

// Trust returns the trust model.
func (v *VirtualMesh) Trust() TrustModel {
	switch m := v.Resource.Spec.MTLSConfig; {
	case m == nil:
		return TrustNone
	case m.Shared != nil:
		return TrustShared
	case m.Limited != nil:
		return TrustLimited
	default:
		return TrustNone
	}
}

// GlobalAccessPolicy returns the default for destinations without access
// policies, MESH_DEFAULT if unset.
func (v *VirtualMesh) GlobalAccessPolicy() networkingv1.GlobalAccessPolicy {
	return v.Resource.Spec.GlobalAccessPolicy.OrDefault()
}

// TLSEnforcement returns the server-side TLS mode, UNSET if unset.
func (v *VirtualMesh) TLSEnforcement() networkingv1.EnforcementMode {
	if f := v.Resource.Spec.Federation; f != nil && f.TLSEnforcementSettings != nil {
		return f.TLSEnforcementSettings.EnforcementMode.OrDefault()
	}
	return networkingv1.EnforcementMode("").OrDefault()
}

// LimitedTrust says what a VirtualMesh with limited trust does not get.
const LimitedTrust = "spec.mtlsConfig.limited is not available yet; no trust is established"

// evaluateVirtualMeshes judges every VirtualMesh and assigns each mesh to at most
// one of them. They claim their meshes in the order of D11, and one with a mesh
// that is already claimed is INVALID as a whole.
func (e *evaluator) evaluateVirtualMeshes() {
	objects := e.world.VirtualMeshes
	e.result.VirtualMeshes = make([]VirtualMesh, len(objects))
	order := make([]int, len(objects))
	for i := range objects {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return virtualMeshPrecedence(objects[a].Resource).compare(virtualMeshPrecedence(objects[b].Resource))
	})
	for _, i := range order {
		e.evaluateVirtualMesh(i, objects[i])
	}
}

func virtualMeshPrecedence(vm *networkingv1.VirtualMesh) precedence {
	accepted := vm.Status.State == core.ApprovalStateAccepted
	for _, mesh := range vm.Status.Meshes { // a VirtualMesh may be accepted although a Destination cannot be federated
		accepted = accepted || mesh.State == core.ApprovalStateAccepted
	}
	return precedenceOf(&vm.ObjectMeta, accepted)
}

func (e *evaluator) evaluateVirtualMesh(i int, object world.Object[networkingv1.VirtualMesh]) {
	vm := &e.result.VirtualMeshes[i]
	vm.Resource, vm.State = object.Resource, core.ApprovalStateAccepted
	vm.Errors = slices.Clone(object.Errors) // reported by the loader already

	if object.Outside {
		vm.State = core.ApprovalStateInvalid
		return
	}
	vm.Effective = len(object.Errors) == 0
	problems := e.resolveMeshes(vm)
	problems = append(problems, e.checkFederation(vm)...)
	problems = append(problems, e.checkTLSCoherence(vm)...)
	problems = append(problems, limits.CheckVirtualMesh(&vm.Resource.Spec)...)
	problems = append(problems, e.checkClaims(vm)...)
	for _, p := range problems {
		vm.Errors = append(vm.Errors, p.Message)
		vm.Effective = vm.Effective && p.Unresolved()
		e.report(finding.New(p.Code, vm.ID(), p.Message))
	}
	if len(vm.Errors) > 0 {
		vm.State = core.ApprovalStateInvalid
	}
	if !vm.Effective {
		return
	}
	for _, m := range vm.Meshes {
		e.result.Meshes[m].VirtualMesh = vm
	}
	if vm.Trust() == TrustLimited {
		e.report(finding.New(finding.CodeLimitedTrust, vm.ID(), LimitedTrust))
	}
}

func (e *evaluator) resolveMeshes(vm *VirtualMesh) []finding.Problem {
	var problems []finding.Problem
	listed := map[int]bool{}
	for i, ref := range vm.Resource.Spec.Meshes {
		if ref.Name == "" || ref.Namespace == "" {
			continue // the schema reports it
		}
		mesh := e.world.MeshByRef(ref)
		switch {
		case mesh == nil:
			missing := MissingMesh{ref, fmt.Sprintf("spec.meshes[%d]: mesh %s.%s does not exist", i, ref.Name, ref.Namespace)}
			vm.Missing = append(vm.Missing, missing)
			problems = append(problems, finding.Problem{Code: finding.CodeMeshNotFound, Message: missing.Reason})
		case listed[mesh.ID]:
			e.report(finding.New(finding.CodeMeshListedTwice, vm.ID(),
				fmt.Sprintf("spec.meshes[%d]: mesh %s.%s is listed twice", i, ref.Name, ref.Namespace)))
		default:
			listed[mesh.ID] = true
			vm.Meshes = append(vm.Meshes, mesh.ID)
		}
	}
	slices.Sort(vm.Meshes)
	slices.SortFunc(vm.Missing, func(a, b MissingMesh) int {
		return cmp.Or(strings.Compare(a.Ref.Namespace, b.Ref.Namespace), strings.Compare(a.Ref.Name, b.Ref.Name), strings.Compare(a.Reason, b.Reason))
	})
	return problems
}

func (e *evaluator) checkFederation(vm *VirtualMesh) []finding.Problem {
	federation := vm.Resource.Spec.Federation
	if federation == nil {
		return nil
	}
	var problems []finding.Problem
	if suffix := hostnameSuffix(vm); len(validation.IsDNS1123Subdomain(suffix)) > 0 {
		problems = append(problems, finding.Problem{Code: finding.CodeBadSuffix, Message: fmt.Sprintf("spec.federation.hostnameSuffix: %q is not a valid DNS name", suffix)})
	}
	listed := map[core.ObjectRef]bool{}
	for _, ref := range vm.Resource.Spec.Meshes {
		listed[ref] = true
	}
	for i, s := range federation.Selectors {
		at := fmt.Sprintf("spec.federation.selectors[%d]", i)
		for k, ref := range s.Meshes {
			if !listed[ref] { // a missing mesh is already reported
				problems = append(problems, finding.Problem{
					Code:    finding.CodeBadFederation,
					Message: fmt.Sprintf("%s.meshes[%d]: mesh %s.%s is not in this VirtualMesh", at, k, ref.Name, ref.Namespace),
				})
			}
		}
		problems = append(problems, forVirtualMesh(selector.CheckDestinations(e.world, at+".destinationSelectors", s.DestinationSelectors))...)
	}
	for i, s := range federation.GatewaySelectors() {
		at := fmt.Sprintf("spec.federation.ingressGatewaySelectors[%d].destinationSelectors", i)
		problems = append(problems, forVirtualMesh(selector.CheckDestinations(e.world, at, s.DestinationSelectors))...)
	}
	return problems
}

// forVirtualMesh gives unresolved references the finding code of virtual meshes.
func forVirtualMesh(problems []finding.Problem) []finding.Problem {
	for i := range problems {
		if problems[i].Code == finding.CodeReferenceNotFound {
			problems[i].Code = finding.CodeMeshNotFound
		}
	}
	return problems
}

// checkTLSCoherence compares the server-side TLS mode with the client-side mode
// in the Settings (D39).
func (e *evaluator) checkTLSCoherence(vm *VirtualMesh) []finding.Problem {
	mode := clientTLSMode(e.world)
	mutual := mode == networkingv1.TLSModeIstioMutual
	enforced := vm.TLSEnforcement()
	if (enforced == networkingv1.EnforcementModeStrict && !mutual) || (enforced == networkingv1.EnforcementModeDisable && mutual) {
		return []finding.Problem{{
			Code:    finding.CodeTLSIncoherent,
			Message: fmt.Sprintf("spec.federation.tlsEnforcementSettings.enforcementMode: %s conflicts with the Settings, whose mtls.istio.tlsMode is %s", enforced, mode),
		}}
	}
	return nil
}

// clientTLSMode returns the default client-side TLS mode: ISTIO_MUTUAL without a
// Settings object (D39), DISABLE if the object does not set it.
func clientTLSMode(w *world.World) networkingv1.TLSMode {
	if w.Settings == nil {
		return networkingv1.TLSModeIstioMutual
	}
	if m := w.Settings.Spec.MTLS; m != nil && m.Istio != nil {
		return m.Istio.TLSMode.OrDefault()
	}
	return networkingv1.TLSMode("").OrDefault()
}

func (e *evaluator) checkClaims(vm *VirtualMesh) []finding.Problem {
	var problems []finding.Problem
	for _, m := range vm.Meshes {
		if holder := e.result.Meshes[m].VirtualMesh; holder != nil {
			ref := e.world.Meshes[m].Ref
			problems = append(problems, finding.Problem{
				Code:    finding.CodeMeshClaimedTwice,
				Message: fmt.Sprintf("mesh %s.%s already belongs to VirtualMesh %s.%s", ref.Name, ref.Namespace, holder.Resource.Name, holder.Resource.Namespace),
			})
		}
	}
	return problems
}

// VirtualMeshOf returns the VirtualMesh to which a mesh belongs, else the first
// INVALID one that lists it; nil if there is none.
func (r *Result) VirtualMeshOf(m *world.Mesh) *VirtualMesh {
	if holder := r.Meshes[m.ID].VirtualMesh; holder != nil {
		return holder
	}
	if listing := r.VirtualMeshesListing(m); len(listing) > 0 {
		return listing[0]
	}
	return nil
}
