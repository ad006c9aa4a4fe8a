package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/remark"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// reportRemarks reports settings that are valid but probably a mistake.
func (e *evaluator) reportRemarks() {
	e.reportFailures()
	for i := range e.result.TrafficPolicies {
		if p := &e.result.TrafficPolicies[i]; p.Valid() {
			e.remarkSubsets(p)
			e.remarkGRPCShift(p)
			e.remarkEffect(i, p)
			e.remark(p.ID(), remark.AboutTraffic(&p.Resource.Spec))
			e.remarkConnections(p)
			e.remarkOutliers(p)
			e.remarkGatewaySources(i, p)
			e.remarkReach(PolicyRef{KindTrafficPolicy, i}, p.ID(), len(p.Resource.Spec.SourceSelector))
			e.remarkTranslation(p.ID(), &p.Application)
		}
	}
	for i := range e.result.AccessPolicies {
		if p := &e.result.AccessPolicies[i]; p.Valid() {
			e.remarkPorts(p)
			e.remark(p.ID(), remark.AboutAccess(&p.Resource.Spec))
			e.remarkMethods(p)
			e.remarkHTTPOnly(p)
			e.remarkUnprotected(p)
			e.remarkGateways(p)
			e.remarkReach(PolicyRef{KindAccessPolicy, i}, p.ID(), len(p.Resource.Spec.SourceSelector))
			e.remarkTranslation(p.ID(), &p.Application)
		}
	}
	e.remarkRoutes()
	e.remarkShadows()
	e.remarkSharedPods()
	e.remarkFederation()
	e.remarkTLSModes()
	e.remarkProxies()
	e.remarkSecureNaming()
	e.remarkTrustDomains()
	e.remarkFacts()
	for i := range e.world.Meshes {
		if mesh := &e.world.Meshes[i]; mesh.Type != world.MeshIstio {
			e.report(finding.New(finding.CodeNotIstio, world.MeshID(mesh), e.untranslatedMesh(mesh)))
		}
	}
	for i := range e.result.VirtualMeshes {
		if vm := &e.result.VirtualMeshes[i]; vm.Effective {
			e.remarkVirtualMesh(vm)
		}
	}
}

func (e *evaluator) remark(id world.ObjectID, remarks []finding.Problem) {
	for _, r := range remarks {
		e.report(finding.New(r.Code, id, r.Message))
	}
}

// untranslatedMesh returns why nothing is rendered for a mesh.
func (e *evaluator) untranslatedMesh(mesh *world.Mesh) string {
	text := string(mesh.Type) + " is not translated: policies have no effect in the mesh"
	if vm := e.result.Meshes[mesh.ID].VirtualMesh; vm != nil {
		text = fmt.Sprintf("VirtualMesh %s.%s lists the mesh, but %s", vm.Resource.Name, vm.Resource.Namespace, text)
	}
	return text
}

// remarkTranslation reports the Destinations for which a policy is not rendered.
func (e *evaluator) remarkTranslation(id world.ObjectID, app *Application) {
	byType := map[string][]string{}
	for _, i := range app.Destinations {
		d := &e.world.Destinations[i]
		switch {
		case len(app.Rejected[i]) > 0: // reported separately
		case d.Mesh == nil:
			byType["do not belong to a known mesh"] = append(byType["do not belong to a known mesh"], d.Key())
		case d.Mesh.Type != world.MeshIstio:
			reason := "are of a mesh of type " + string(d.Mesh.Type)
			byType[reason] = append(byType[reason], d.Key())
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(byType)) {
		e.report(finding.New(finding.CodeNotTranslated, id, fmt.Sprintf("nothing is rendered for these Destinations, which %s: %s", reason, text.Bounded(byType[reason], listedNames))).Listing(reason))
	}
}

// listedNames limits the names in one message.
const listedNames = 5

// remarkReach reports a policy whose sources reach none of its Destinations. This
// cannot happen without a source selector, because workloads in a Destination's
// own cluster reach it.
func (e *evaluator) remarkReach(ref PolicyRef, id world.ObjectID, selectors int) {
	app := e.result.application(ref)
	if selectors == 0 || len(app.Destinations) == 0 {
		return
	}
	sources := e.result.matchingSources(ref)
	// Workloads of one mesh in one cluster reach the same Destinations.
	type place struct {
		cluster string
		mesh    *world.Mesh
	}
	seen := map[place]bool{}
	for _, w := range sources {
		source := &e.world.Workloads[w]
		here := place{source.Cluster, source.Mesh}
		if seen[here] {
			continue
		}
		seen[here] = true
		if slices.ContainsFunc(app.Destinations, func(d int) bool { return e.result.Reaches(source, d) }) {
			return
		}
	}
	if len(sources) > 0 { // a policy without any source has another finding
		e.result.unreachablePolicies = append(e.result.unreachablePolicies, ref)
		e.report(finding.New(finding.CodeOutOfReach, id, "none of the workloads that spec.sourceSelector matches can reach a Destination that the policy selects"))
	}
}

// remarkSubsets reports shifts to subsets without pods.
func (e *evaluator) remarkSubsets(p *TrafficPolicy) {
	policy := p.Resource.Spec.Policy
	if policy == nil || policy.TrafficShift == nil {
		return
	}
	for i, d := range policy.TrafficShift.Destinations {
		if d.KubeService == nil || len(d.KubeService.Subset) == 0 {
			continue
		}
		target := e.world.Service(feature.ShiftTarget(d.KubeService))
		if target == nil {
			continue // unknown Services are errors
		}
		if !e.result.HasSubset(target, d.KubeService.Subset) {
			e.report(finding.New(finding.CodeSubsetWithoutPods, p.ID(), fmt.Sprintf(
				"spec.policy.trafficShift.destinations[%d]: no workload behind %s carries %s", i, target.Key(), LabelText(d.KubeService.Subset))))
		}
	}
}

// HasSubset reports whether pods behind a Destination carry labels: those of a
// workload, or known endpoints, as far as their labels are known. Without known
// workloads, that cannot be judged, and some are assumed to.
func (r *Result) HasSubset(d *world.Destination, labels map[string]string) bool {
	return len(labels) == 0 || len(d.Backing) == 0 || d.MayHaveEndpointWith(labels) || slices.ContainsFunc(d.Backing, func(id int) bool {
		return world.HasLabels(r.World.Workloads[id].Labels, labels)
	})
}

// LabelText returns labels as sorted pairs.
func LabelText(labels map[string]string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, k+"="+labels[k])
	}
	return strings.Join(pairs, ",")
}

// remarkEffect reports a policy that selects Destinations and is not INVALID on
// all of them, but has no effect.
func (e *evaluator) remarkEffect(i int, p *TrafficPolicy) {
	if len(p.Destinations) == 0 || len(p.Rejected) == len(p.Destinations) || len(p.unsupported) > 0 {
		return
	}
	reasons := map[string]bool{}
	for _, id := range p.Destinations {
		if p.RejectedOn(id) {
			continue
		}
		reason := e.result.ineffectiveReason(i, id)
		if reason == "" {
			return
		}
		reasons[reason] = true
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		e.report(finding.New(finding.CodeNoEffect, p.ID(), reason))
	}
}

// ineffectiveReason returns why a valid policy has no effect on a Destination; "" if it has.
func (r *Result) ineffectiveReason(policy, destination int) string {
	p := &r.TrafficPolicies[policy]
	settings := len(p.Fields)
	if settings == 0 {
		return "the policy has no settings"
	}
	if len(p.connectionFeatures) > 0 || p.tlsMode != nil {
		return "" // it has a connection setting, which may be an explicit default
	}
	if len(p.RouteFeatures) == 0 {
		return "the policy's settings are empty"
	}
	if reason := r.PortReason(p, destination); reason != "" {
		return reason
	}
	if r.isShadowed(policy, destination) {
		return "other policies override it for all of its requests"
	}
	return ""
}

const (
	noHTTPPort     = "the Service has no HTTP port"
	noSelectedPort = "none of spec.destinationPorts is an HTTP port of the Service"
)

// isShadowed reports whether policies with higher precedence make every setting of
// a policy, for every match that it has. Policies with equal matches conflict or
// agree, so this is only about matches that overlap in part.
func (r *Result) isShadowed(policy, destination int) bool {
	p := &r.TrafficPolicies[policy]
	if len(r.Destinations[destination].Traffic) < 2 || len(p.matches) < 1 {
		return false
	}
	on := r.effectOn(destination)
	if on.owners[policy] || slices.ContainsFunc(p.RouteFeatures, func(f Feature) bool {
		return on.has(f.Field, f.Value, r.SameValue) // a setting with the same value counts as effective
	}) {
		return false
	}
	return true
}

// originClusters returns the clusters from which requests to a Destination can
// come.
func (r *Result) originClusters(d *world.Destination) []string {
	clusters := []string{d.Ref.ClusterName}
	if f := r.Destinations[d.ID].Federation; f != nil {
		for _, m := range f.Meshes {
			clusters = append(clusters, r.World.Meshes[m].Cluster)
		}
	}
	return sorted(clusters)
}

// remarkSharedPods reports Services for the same pods with different access rules
// (D33).
func (e *evaluator) remarkSharedPods() {
	for i := range e.world.Workloads {
		w := &e.world.Workloads[i]
		if len(w.Backs) < 2 {
			continue
		}
		first := e.policiesOf(w.Backs[0])
		var names []string
		differ := false
		for _, id := range w.Backs {
			names = append(names, e.world.Destinations[id].Ref.Name)
			differ = differ || !slices.Equal(first, e.policiesOf(id))
		}
		if differ {
			e.report(finding.New(finding.CodeSharedPods, world.WorkloadID(w), fmt.Sprintf(
				"Services %s share the pods but not the access policies", strings.Join(names, ", "))))
		}
	}
}

func (e *evaluator) policiesOf(destination int) []int {
	var policies []int
	for _, rule := range e.result.RulesOf(destination) {
		policies = append(policies, rule.Policy)
	}
	return policies
}

func (e *evaluator) remarkVirtualMesh(vm *VirtualMesh) {
	for _, m := range vm.Meshes {
		e.remark(world.MeshID(&e.world.Meshes[m]), remark.AboutJoined(&e.world.Meshes[m]))
	}
	f := vm.Resource.Spec.Federation
	if f == nil {
		return
	}
	e.remark(vm.ID(), remark.AboutFlatNetwork(f, slices.ContainsFunc(e.result.Destinations, func(d Destination) bool {
		return d.Federation != nil && d.Federation.VirtualMesh == vm
	})))
	e.remarkDeprecatedFederation(vm, f)
}

func (e *evaluator) remarkDeprecatedFederation(vm *VirtualMesh, f *networkingv1.Federation) {
	if f.Permissive != nil {
		e.report(finding.New(finding.CodeDeprecatedField, vm.ID(), "spec.federation.permissive was renamed to selectors: [{}]"))
	}
	if len(f.EastWestIngressGatewaySelectors) > 0 {
		e.report(finding.New(finding.CodeDeprecatedField, vm.ID(), "spec.federation.eastWestIngressGatewaySelectors was renamed to ingressGatewaySelectors"))
	}
}
