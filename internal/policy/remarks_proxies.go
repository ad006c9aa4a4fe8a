package policy

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// remarkProxies reports what becomes of calls to pods that have no proxy (D50, D60).
func (e *evaluator) remarkProxies() {
	for i := range e.world.Destinations {
		d := &e.world.Destinations[i]
		if d.Mesh == nil || d.Mesh.Type != world.MeshIstio || !d.IsService() {
			continue
		}
		if e.world.HasUnownedPods(d) && e.world.Settings != nil && !e.isGateway(d) {
			e.remarkModesTo(d, "its pods belong to no known workload of a mesh, so they probably", []string{d.Ref.ClusterName})
		}
		if !e.world.HasBarePods(d) {
			continue
		}
		pods := "some of its pods"
		if e.onlyBare(d) {
			pods = "its pods"
		}
		clusters := []string{d.Ref.ClusterName}
		federation := e.result.Destinations[i].Federation
		if federation != nil {
			others := e.callingClusters(federation, d)
			if federation.Flat {
				clusters = append(clusters, others...)
			} else if len(others) > 0 {
				e.report(finding.New(finding.CodeGatewayHidesPods, world.DestinationID(d), fmt.Sprintf(
					"%s have no proxy, and gateways forward calls from %s to pods with a proxy only", pods, text.Named("cluster", others))))
			}
		}
		e.remarkModesTo(d, pods, clusters)
	}
}

// onlyBare reports whether no pod behind a Destination has a proxy.
func (e *evaluator) onlyBare(d *world.Destination) bool {
	return !slices.ContainsFunc(e.world.PodsBehind(d), func(p world.Pods) bool { return !p.Bare })
}

// remarkModesTo reports the TLS modes with which clients of clusters call pods
// without a proxy: Istio's mutual TLS fails, and without any they use plaintext.
func (e *evaluator) remarkModesTo(d *world.Destination, pods string, clusters []string) {
	unset := false
	for _, cluster := range clusters {
		open := serviceport.All(d)
		for _, s := range e.result.ConnectionFrom(cluster, d.ID) {
			if s.Field != feature.MTLS {
				continue
			}
			if modeOf(s.Value) == networkingv1.TLSModeIstioMutual {
				e.report(finding.New(finding.CodeMutualWithoutProxy, e.result.TrafficPolicies[s.Policy].ID(), fmt.Sprintf(
					"sets tlsMode ISTIO_MUTUAL for clients in cluster %s, and calls to pods without a proxy then fail: %s", cluster, d.Key())))
			}
			open = slices.DeleteFunc(open, func(port uint32) bool { return len(s.Ports) == 0 || slices.Contains(s.Ports, port) })
		}
		unset = unset || len(open) > 0
	}
	switch {
	case !unset:
	case e.result.LeavesTLSMode(d):
		e.report(finding.New(finding.CodeWithoutProxy, world.DestinationID(d), pods+" have no proxy; clients call them in plaintext, and no policy protects them"))
	case e.result.DefaultTLSMode() == networkingv1.TLSModeIstioMutual:
		e.report(finding.New(finding.CodeMutualWithoutProxy, world.DestinationID(d), fmt.Sprintf(
			"%s have no proxy, but the Settings give clients tlsMode ISTIO_MUTUAL, so that calls to them fail", pods)))
	}
}

// remarkUnprotected reports Destinations of an AccessPolicy whose pods have no
// proxy that could enforce it.
func (e *evaluator) remarkUnprotected(p *AccessPolicy) {
	var keys []string
	for _, id := range p.EffectiveDestinations() {
		if d := &e.world.Destinations[id]; e.world.HasBarePods(d) {
			keys = append(keys, d.Key())
		}
	}
	if len(keys) > 0 {
		e.report(finding.New(finding.CodeNotEnforced, p.ID(), "has no effect on pods without a proxy, which accept all calls: "+text.Bounded(sorted(keys), listedNames)))
	}
}

// remarkGatewaySources reports a TrafficPolicy with routes whose sources are all
// gateways or have no proxy (D56).
func (e *evaluator) remarkGatewaySources(i int, p *TrafficPolicy) {
	if len(p.Resource.Spec.SourceSelector) == 0 || len(p.RouteFeatures) == 0 || len(p.EffectiveDestinations()) == 0 {
		return
	}
	ref := PolicyRef{KindTrafficPolicy, i}
	sources := e.result.matchingSources(ref)
	if len(sources) == 0 || slices.ContainsFunc(sources, func(id int) bool { return e.result.FollowsRoutes(&e.world.Workloads[id]) }) {
		return
	}
	are := "ingress gateways"
	if slices.ContainsFunc(sources, func(id int) bool { return !e.result.IsIngress(&e.world.Workloads[id]) }) {
		are = "ingress gateways or have no proxy"
	}
	var fields []string
	for _, f := range p.RouteFeatures {
		fields = append(fields, f.Field)
	}
	e.result.unreachablePolicies = append(e.result.unreachablePolicies, ref)
	e.report(finding.New(finding.CodeOnlyGateways, p.ID(), fmt.Sprintf("all workloads that spec.sourceSelector matches are %s, and only requests of sidecars follow routes: %s %s no effect",
		are, text.And(sorted(fields)), text.Choose(len(fields), "has", "have"))))
}

// remarkGateways reports what an AccessPolicy does at ingress gateways: callers
// from outside have no identity, and gateways that stay open ignore it (D52).
func (e *evaluator) remarkGateways(p *AccessPolicy) {
	var closed, useless, open []string
	for _, id := range p.EffectiveDestinations() {
		d := &e.world.Destinations[id]
		if d.Mesh.Type != world.MeshIstio || !e.isGateway(d) {
			continue
		}
		switch {
		case e.result.OpenGateway(d):
			open = append(open, d.Key())
		case slices.ContainsFunc(p.Grants(d), admitsStrangers):
		case e.admitsStrangers(id):
			useless = append(useless, d.Key())
		default:
			closed = append(closed, d.Key())
		}
	}
	report := func(code finding.Code, message string, keys []string) {
		if len(keys) > 0 {
			e.report(finding.New(code, p.ID(), message+": "+text.Bounded(sorted(keys), listedNames)))
		}
	}
	report(finding.CodeClosesGateway, "allows callers by their identity only, and callers from outside of the mesh have none, so that it closes the gateway to them", closed)
	report(finding.CodeClosesGateway, "allows callers by their identity only, and callers from outside of the mesh have none, so that it allows none of them", useless)
	report(finding.CodeOpenGateway, "restricts nothing at an ingress gateway that its VirtualMesh leaves open to all callers", open)
}

// isGateway reports whether a Destination is an ingress gateway.
func (e *evaluator) isGateway(d *world.Destination) bool {
	return IsIngressGateway(d) || e.result.GatewayOf(d) != nil ||
		slices.ContainsFunc(d.Backing, func(id int) bool { return e.result.IsIngress(&e.world.Workloads[id]) })
}

// admitsStrangers reports whether any rule on a Destination allows callers without
// identity.
func (e *evaluator) admitsStrangers(destination int) bool {
	return slices.ContainsFunc(e.result.RulesOf(destination), func(rule AccessRule) bool {
		return slices.ContainsFunc(e.result.AccessPolicies[rule.Policy].Grants(&e.world.Destinations[destination]), admitsStrangers)
	})
}

func admitsStrangers(g selector.Grant) bool { return g.AnySource }
