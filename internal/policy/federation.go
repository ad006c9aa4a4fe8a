package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// defaultHostnameSuffix is the default suffix of federated hostnames.
const defaultHostnameSuffix = "global"

// Mesh is the result of evaluating one mesh.
type Mesh struct {
	// VirtualMesh is the VirtualMesh of the mesh; nil if there is none.
	VirtualMesh *VirtualMesh
	// companions are the positions of the other meshes with the same root namespace.
	companions []int
	// Exports is true if at least one Destination of the mesh is federated.
	Exports bool
	// Gateways are the east-west gateways; only set for meshes that export.
	Gateways []Gateway
	// Errors are the reasons why nothing can be exported, Unexported the affected
	// Destinations, ascending.
	Errors     []string
	Unexported []int
	// Warnings are the reasons why calls to what is imported fail.
	Warnings []string
	// Refused are the trust domains of meshes to which it exports that it is not known
	// to accept (D47), sorted.
	Refused []string
}

// Federation describes to which other meshes a Destination is exposed.
// Destinations with equal results share one value.
type Federation struct {
	VirtualMesh *VirtualMesh
	// Meshes are positions in World.Meshes, ascending; never empty.
	Meshes []int
	// Flat is true if requests go directly to the pods instead of through a
	// gateway (D37).
	Flat bool
}

// includes reports whether the Destination is federated to the mesh; a nil
// Federation includes none.
func (f *Federation) includes(mesh int) bool {
	if f == nil {
		return false
	}
	_, found := slices.BinarySearch(f.Meshes, mesh)
	return found
}

// hostnameSuffix returns the suffix of the federated hostnames of a VirtualMesh.
func hostnameSuffix(vm *VirtualMesh) string {
	if f := vm.Resource.Spec.Federation; f != nil && f.HostnameSuffix != "" {
		return f.HostnameSuffix
	}
	return defaultHostnameSuffix
}

// FederatedHostname returns the hostname of a Destination in other meshes.
func (f *Federation) FederatedHostname(d *world.Destination) string {
	return strings.Join([]string{d.Ref.Name, d.Ref.Namespace, "svc", d.Ref.ClusterName, hostnameSuffix(f.VirtualMesh)}, ".")
}

// evaluateFederation decides to which meshes every Destination of an effective
// VirtualMesh is exposed (D14), and finds the required gateways
// (D15).
func (e *evaluator) evaluateFederation() {
	for i := range e.result.VirtualMeshes {
		vm := &e.result.VirtualMeshes[i]
		if federation := vm.Resource.Spec.Federation; federation != nil && vm.Effective {
			e.federate(vm, federation)
		}
	}
}

func (e *evaluator) federate(vm *VirtualMesh, spec *networkingv1.Federation) {
	rules := e.exportRules(vm, spec)
	for _, m := range vm.Meshes {
		if e.world.Meshes[m].Type == world.MeshIstio {
			e.federateMesh(vm, spec, m, rules)
		}
	}
}

// importers returns the meshes to which Destinations can be exposed; only Istio
// is configured.
func (e *evaluator) importers(vm *VirtualMesh) []int {
	var able []int
	for _, m := range vm.Meshes {
		if e.world.Meshes[m].Type == world.MeshIstio {
			able = append(able, m)
		}
	}
	return able
}

// exportRule is one federation selector with its references resolved.
type exportRule struct {
	destinations selector.Set
	meshes       []int
}

// exportRules resolves the federation selectors. Without selectors, only the
// deprecated permissive mode exposes Destinations.
func (e *evaluator) exportRules(vm *VirtualMesh, spec *networkingv1.Federation) []exportRule {
	importers := e.importers(vm)
	if len(spec.Selectors) == 0 && spec.Permissive != nil {
		return []exportRule{{e.services, importers}}
	}
	able := map[int]bool{}
	for _, m := range importers {
		able[m] = true
	}
	var rules []exportRule
	for _, s := range spec.Selectors {
		rule := exportRule{selector.Destinations(e.world, e.services, s.DestinationSelectors), importers}
		if len(s.Meshes) > 0 {
			rule.meshes = nil
			for _, ref := range s.Meshes {
				if mesh := e.world.MeshByRef(ref); mesh != nil && able[mesh.ID] {
					rule.meshes = append(rule.meshes, mesh.ID)
				}
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

func (e *evaluator) federateMesh(vm *VirtualMesh, spec *networkingv1.Federation, m int, rules []exportRule) {
	exports := e.exports(vm, spec, m, rules)
	if len(exports) == 0 {
		return
	}
	mesh, discovered := &e.result.Meshes[m], &e.world.Meshes[m]
	mesh.Exports = true
	if !spec.FlatNetwork {
		gateways, err := e.findGateways(vm, discovered)
		if err != nil {
			message := fmt.Sprintf("cannot federate the mesh's Destinations: %v", err)
			mesh.Errors = append(mesh.Errors, message)
			mesh.Unexported = slices.Sorted(maps.Keys(exports))
			e.report(finding.New(finding.CodeNoGateway, world.MeshID(discovered), message))
			return
		}
		mesh.Gateways = gateways
		e.reportMissingAddresses(gateways)
	}
	for id, federation := range exports {
		e.result.Destinations[id].Federation = federation
	}
}

// exports returns the federation of each Destination of the mesh. It omits
// Destinations that no rule exposes to another mesh, those of an unknown cluster,
// whose hostname would be ambiguous, and those that only stand for a name outside
// the cluster (D62). Destinations selected by the same rules share one
// result.
func (e *evaluator) exports(vm *VirtualMesh, spec *networkingv1.Federation, m int, rules []exportRule) map[int]*Federation {
	exports := map[int]*Federation{}
	shared := map[string]*Federation{}
	picked := make([]byte, len(rules))
	for _, id := range e.meshServices(m) {
		d := &e.world.Destinations[id]
		if d.Ref.ClusterName == "" {
			continue
		}
		for i, rule := range rules {
			picked[i] = '-'
			if rule.destinations.Contains(id) {
				picked[i] = '+'
			}
		}
		federation, known := shared[string(picked)]
		if !known {
			if meshes := exposedTo(m, rules, picked); len(meshes) > 0 {
				federation = &Federation{VirtualMesh: vm, Meshes: meshes, Flat: spec.FlatNetwork}
			}
			shared[string(picked)] = federation
		}
		switch {
		case federation == nil:
		case d.IsExternalName():
			e.report(finding.New(finding.CodeExternalName, world.DestinationID(d), fmt.Sprintf(
				"VirtualMesh %s selects the Service for federation, but its type is ExternalName; it is not federated", nameOf(vm))))
		default:
			exports[id] = federation
		}
	}
	return exports
}

// exposedTo returns the meshes of the matching rules, without the own one.
func exposedTo(own int, rules []exportRule, picked []byte) []int {
	var meshes []int
	for i, rule := range rules {
		if picked[i] == '+' {
			meshes = append(meshes, rule.meshes...)
		}
	}
	slices.Sort(meshes)
	meshes = slices.Compact(meshes)
	return slices.DeleteFunc(meshes, func(mesh int) bool { return mesh == own })
}

func (e *evaluator) reportMissingAddresses(gateways []Gateway) {
	for _, g := range gateways {
		if len(g.Addresses) == 0 {
			d := &e.world.Destinations[g.Destination]
			e.report(finding.New(finding.CodeGatewayNoAddress, world.DestinationID(d), "the east-west gateway has no external address; other clusters cannot reach the mesh"))
		}
	}
}

// SameExposure reports whether two Destinations are exposed in the same way.
func (f *Federation) SameExposure(other *Federation) bool {
	if f == nil || other == nil {
		return f == other
	}
	return f.Flat == other.Flat && slices.Equal(f.Meshes, other.Meshes) && hostnameSuffix(f.VirtualMesh) == hostnameSuffix(other.VirtualMesh)
}

// TCPKeepalive returns the keepalive of the VirtualMesh; nil if there is none.
func (f *Federation) TCPKeepalive() *core.TCPKeepalive {
	if f == nil {
		return nil
	}
	return f.VirtualMesh.Resource.Spec.Federation.TCPKeepalive
}
