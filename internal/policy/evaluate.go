// Package policy is the engine: it decides, for a whole world, which virtual mesh
// every mesh belongs to, what is federated where, which policies apply to which
// destination and workload, and who may call whom. It is pure: the same world
// gives the same result, and nothing is read or written.
//
// The rules and their names (D6, D11, ...) are those of the behavioural
// specification of the mesh API; where it is silent the comment says so.
package policy

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/conversion"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// Result is the result of evaluating a world. Slices that mirror the world have
// the same length and order. Questions about single workloads are answered lazily
// and cached, so it is not safe for concurrent use.
type Result struct {
	World *world.World

	VirtualMeshes   []VirtualMesh
	Meshes          []Mesh
	Destinations    []Destination
	TrafficPolicies []TrafficPolicy
	AccessPolicies  []AccessPolicy

	// Findings are sorted by severity, code and object.
	Findings []finding.Finding

	// unreachablePolicies are the policies whose sources reach none of their Destinations.
	unreachablePolicies []PolicyRef
	// invalid are the policies that are INVALID as a whole.
	invalid        []PolicyRef
	trafficSources selector.Index
	// connecting are the policies with connection settings, narrow those that select
	// fewer callers than they hold for; nil until first used.
	connecting, narrow []int
	accessSources      selector.Index
	podRules           map[int][]AccessRule
	effects            map[viewpoint]*sourceEffects
	features           feature.Features
	// equalities is expensive to build, so it is built once.
	equalities conversion.Equalities
	// related and aboutPolicy index findings by object.
	related     map[string][]int
	aboutPolicy map[PolicyRef][]int
	routes      map[routesKey]*composed
	onRoutes    map[int]*routeEffect
	// rejections holds the rejections of a Destination by policy.
	rejections map[int]map[int][]Rejection
	// missing caches why Destinations have no access rule.
	missing   map[int]string
	invalidOn *invalidIndex
	// listing holds the VirtualMeshes that list a mesh.
	listing map[int][]*VirtualMesh
}

// Destination is the result of evaluating one Destination.
type Destination struct {
	// Federation is nil if the Destination is not exposed to other meshes.
	Federation *Federation
	// Traffic are the positions of the valid traffic policies that select the
	// Destination, in the order of D11; see TrafficPolicy.Rejected for those that
	// are INVALID here.
	Traffic []int
	// Rejections are the settings of these policies that are not effective.
	Rejections []Rejection
	// Access are the positions of the valid access policies that select the
	// Destination, in the order of D11; see AccessPolicy.Rejected for those that
	// are INVALID here.
	Access []int
}

// Evaluate evaluates a world. Results for single source workloads are computed on
// demand.
func Evaluate(w *world.World) *Result {
	e := &evaluator{
		world:    w,
		services: selector.AllServices(w),
		result: &Result{
			World:        w,
			Meshes:       make([]Mesh, len(w.Meshes)),
			Destinations: make([]Destination, len(w.Destinations)),
			features:     feature.All(),
			equalities:   feature.Equalities(),
			podRules:     map[int][]AccessRule{},
			effects:      map[viewpoint]*sourceEffects{},
			routes:       map[routesKey]*composed{},
			onRoutes:     map[int]*routeEffect{},
			rejections:   map[int]map[int][]Rejection{},
			missing:      map[int]string{},
		},
	}
	e.indexMeshServices()
	e.reportProblems()
	e.findSharedRoots()
	e.evaluateVirtualMeshes()
	e.reportSharedRoots()
	e.evaluateFederation()
	e.evaluateTrafficPolicies()
	e.evaluateAccessPolicies()
	e.result.invalid = e.result.collectInvalid()
	e.result.invalidOn = newInvalidIndex(e.result, e.services)
	e.reportWorkloads()
	e.reportRemarks()
	e.reportAddresses()
	e.result.Findings = finding.Sort(e.findings)
	e.result.indexFindings()
	return e.result
}

// evaluator is the temporary state of one evaluation.
type evaluator struct {
	world    *world.World
	result   *Result
	services selector.Set
	byMesh   [][]int
	// gateways caches the gateway selectors of the last VirtualMesh.
	gateways struct {
		vm   *VirtualMesh
		sets []selector.Set
	}
	findings []finding.Finding
}

func (e *evaluator) report(f finding.Finding) { e.findings = append(e.findings, f) }

func (e *evaluator) indexMeshServices() {
	e.byMesh = make([][]int, len(e.world.Meshes))
	for _, id := range e.services {
		if m := e.world.Destinations[id].Mesh; m != nil {
			e.byMesh[m.ID] = append(e.byMesh[m.ID], id)
		}
	}
}

// meshServices returns the positions of the mesh's Services, ascending.
func (e *evaluator) meshServices(mesh int) []int { return e.byMesh[mesh] }

// reportProblems converts problems of loading into findings.
func (e *evaluator) reportProblems() {
	codes := map[world.ProblemKind]finding.Code{
		world.UnreadableFile:     finding.CodeUnreadableFile,
		world.UnreadableDocument: finding.CodeUnreadable,
		world.UnknownKind:        finding.CodeUnknownKind,
		world.UnknownField:       finding.CodeUnknownField,
		world.SchemaViolation:    finding.CodeSchemaViolation,
		world.DuplicateService:   finding.CodeServiceTwice,
		world.UnusableCluster:    finding.CodeUnusableCluster,
		world.UnlistedKind:       finding.CodeUnlistedKind,
		world.UnusableName:       finding.CodeUnusableName,
		world.IgnoredNamespace:   finding.CodeIgnoredNamespace,
		world.DiscoveryNote:      finding.CodeDiscoveryNote,
		world.IgnoredFact:        finding.CodeDiscoveryNote,
	}
	for _, p := range e.world.Problems {
		f := finding.New(codes[p.Kind], world.ObjectID{}, p.Message)
		f.Object = cmp.Or(p.Object, p.Origin.String())
		f.Hint = cmp.Or(p.Hint, f.Hint)
		f.HidesInput = p.HidesInput() || p.Kind == world.UnusableName
		e.report(f)
	}
}

// reportWorkloads reports workloads without a mesh and workloads that no caller
// may call.
func (e *evaluator) reportWorkloads() {
	for i := range e.world.Workloads {
		w := &e.world.Workloads[i]
		if w.Mesh == nil {
			message := "the workload names no mesh"
			if ref := w.Resource.Spec.Mesh; ref != nil {
				message = "mesh " + ref.Name + "." + ref.Namespace + " does not exist"
			}
			e.report(finding.New(finding.CodeWorkloadNoMesh, world.WorkloadID(w), message))
			continue
		}
		if len(w.Backs) > 0 && e.result.HasConnections(w) && e.result.deniesByDefault(w.Mesh) && len(e.result.RulesFor(w)) == 0 && e.result.OpenGatewayOf(w) == nil {
			e.reportDenied(w)
		}
	}
}

// reportDenied reports a workload that no caller may call. A Service with an
// INVALID AccessPolicy is preferred for the message, because it explains more.
func (e *evaluator) reportDenied(w *world.Workload) {
	vm := e.result.DenyingByDefault(w.Mesh)
	service, hint := &e.world.Destinations[w.Backs[0]], ""
	for _, id := range w.Backs {
		if d := &e.world.Destinations[id]; len(e.result.invalidAccess(d)) > 0 {
			service, hint = d, "to allow calls, fix the INVALID AccessPolicy"
			break
		}
	}
	message := fmt.Sprintf("%s and VirtualMesh %s.%s denies by default", e.result.MissingRules(service), vm.Resource.Name, vm.Resource.Namespace)
	e.report(finding.New(finding.CodeDeniedByDefault, world.WorkloadID(w), message).Override("", hint))
}
