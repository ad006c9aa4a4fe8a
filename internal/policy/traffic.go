package policy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/limits"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TrafficPolicy is the result of evaluating one TrafficPolicy.
type TrafficPolicy struct {
	Resource *networkingv1.TrafficPolicy
	Application

	matches []*selector.RequestMatch
	// RouteFeatures are the request settings, sorted by field.
	RouteFeatures []Feature
	// connectionFeatures are the connection settings that can conflict, sorted by
	// field. An explicit default TLS mode cannot; tlsMode is the
	// requested mode, nil if there is none.
	connectionFeatures []Feature
	tlsMode            *Feature
	// unsupported are fields without effect, targets are the Services to which
	// requests are sent, and badTargets are the reasons why some are unusable.
	unsupported []string
	targets     []target
	badTargets  []Rejection
	// namedClusters are the clusters in the sourceSelector; the sources in all
	// others are the same.
	namedClusters    []string
	sourcesByCluster map[string][]selector.SourceMatch
	// matchNumbers has equal numbers for equal matches of policies, by cluster.
	matchNumbers map[string]int
}

// RejectedOn reports whether the policy is INVALID on one Destination.
func (p *TrafficPolicy) RejectedOn(destination int) bool {
	_, rejected := p.Rejected[destination]
	return rejected
}

// CoversRequests reports whether the policy applies to every request of a match;
// nil means all requests.
func (p *TrafficPolicy) CoversRequests(match *selector.RequestMatch) bool {
	return slices.ContainsFunc(p.matches, func(m *selector.RequestMatch) bool { return m.Contains(match) })
}

// prepare computes what does not depend on a Destination.
func (p *TrafficPolicy) prepare(w *world.World, features feature.Features, defaultMode networkingv1.TLSMode) {
	spec := &p.Resource.Spec
	ports := func(ref core.ClusterObjectRef) uint32 { return serviceport.Only(w.Service(ref)) }
	p.matches = selector.RequestMatches(spec.HTTPRequestMatchers)
	p.RouteFeatures = featuresOf(features, spec.Policy, ports, feature.ScopeRequests)
	p.connectionFeatures = featuresOf(features, spec.Policy, ports, feature.ScopeConnections)
	if k := slices.IndexFunc(p.connectionFeatures, func(f Feature) bool { return f.Field == feature.MTLS }); k >= 0 {
		mode := p.connectionFeatures[k]
		p.tlsMode = &mode
		if modeOf(mode.Value) == defaultMode {
			p.connectionFeatures = slices.Delete(p.connectionFeatures, k, k+1)
		}
	}
	p.unsupported = unsupported(features, spec)
	p.targets = targets(features, spec.Policy)
	p.badTargets = checkTargets(w, p.targets, spec.Policy)
	for _, s := range spec.SourceSelector {
		if s.KubeWorkloadMatcher != nil {
			p.namedClusters = append(p.namedClusters, s.KubeWorkloadMatcher.Clusters...)
		}
	}
	p.namedClusters = sorted(p.namedClusters)
	p.sourcesByCluster = map[string][]selector.SourceMatch{}
	p.matchNumbers = map[string]int{}
}

// scopeOf returns the cluster if the policy's sources depend on it, else "",
// which means all clusters that the policy does not name.
func (p *TrafficPolicy) scopeOf(cluster string) string {
	if _, named := slices.BinarySearch(p.namedClusters, cluster); named {
		return cluster
	}
	return ""
}

// ID returns the ID of the policy, as used in findings.
func (p *TrafficPolicy) ID() world.ObjectID {
	return world.ObjectID{Kind: "TrafficPolicy", Namespace: p.Resource.Namespace, Name: p.Resource.Name}
}

// evaluateTrafficPolicies validates every policy and attaches it to the
// Destinations it selects.
func (e *evaluator) evaluateTrafficPolicies() {
	e.result.TrafficPolicies = make([]TrafficPolicy, len(e.world.TrafficPolicies))
	mode := clientTLSMode(e.world)
	for i, object := range e.world.TrafficPolicies {
		p := &e.result.TrafficPolicies[i]
		spec := &object.Resource.Spec
		p.Resource, p.Fields = object.Resource, trafficFields(e.result.features, spec.Policy)

		if object.Outside {
			p.Errors = slices.Clone(object.Errors)
			continue
		}
		problems := selector.CheckDestinations(e.world, "spec.destinationSelector", spec.DestinationSelector)
		problems = append(problems, selector.CheckWorkloads("spec.sourceSelector", spec.SourceSelector)...)
		problems = append(problems, limits.CheckTrafficPolicy(e.result.features, spec)...)
		p.Errors, p.Unresolved = e.reportInvalid(p.ID(), object.Errors, problems)

		p.Destinations = selector.Destinations(e.world, e.services, spec.DestinationSelector)
		if p.Valid() {
			p.prepare(e.world, e.result.features, mode)
			for _, id := range p.Destinations {
				d := &e.result.Destinations[id]
				d.Traffic = append(d.Traffic, i)
			}
			e.reportIdleTraffic(p)
		}
	}
	orderPolicies(e.world, e.result.TrafficPolicies, func(d *Destination) []int { return d.Traffic }, e.result.Destinations)
	e.judgeTraffic()
	e.result.trafficSources = selector.IndexWorkloads(len(e.world.TrafficPolicies), func(i int) []core.WorkloadSelector {
		return e.world.TrafficPolicies[i].Resource.Spec.SourceSelector
	})
}

// reportInvalid reports why an object is INVALID: as a whole, and for unresolved
// references. Schema violations were already reported by the loader and only
// become errors of the object.
func (e *evaluator) reportInvalid(id world.ObjectID, schema []string, problems []finding.Problem) (errors, unresolved []string) {
	errors = slices.Clone(schema)
	for _, p := range problems {
		if p.Unresolved() {
			unresolved = append(unresolved, p.Message)
		} else {
			errors = append(errors, p.Message)
		}
		e.report(finding.New(p.Code, id, p.Message))
	}
	return errors, unresolved
}

func (e *evaluator) reportIdleTraffic(p *TrafficPolicy) {
	if len(p.Destinations) == 0 && len(p.Unresolved) == 0 { // an unresolved reference already explains it
		e.report(finding.New(finding.CodeSelectsNothing, p.ID(), "spec.destinationSelector matches no known Service"))
	}
	if !selector.MatchesAnyWorkload(e.world, p.Resource.Spec.SourceSelector) {
		e.report(finding.New(finding.CodeNoSource, p.ID(), "spec.sourceSelector matches no known workload"))
	}
}
