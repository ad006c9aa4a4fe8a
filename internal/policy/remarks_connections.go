package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// connectionFields returns the connection settings of a policy, sorted.
func (p *TrafficPolicy) connectionFields() []string {
	var fields []string
	for _, f := range p.connectionFeatures {
		fields = append(fields, f.Field)
	}
	if p.tlsMode != nil {
		fields = append(fields, p.tlsMode.Field)
	}
	return sorted(fields)
}

// remarkConnections reports connection settings that hold for more than the policy
// selects (D57): Istio knows them for all connections from a cluster
// only.
func (e *evaluator) remarkConnections(p *TrafficPolicy) {
	fields := p.connectionFields()
	if len(fields) == 0 || len(p.EffectiveDestinations()) == 0 {
		return
	}
	var ignored []string
	if !slices.Contains(p.matches, nil) {
		ignored = append(ignored, "spec.httpRequestMatchers")
	}
	if selector.SelectsParts(p.Resource.Spec.SourceSelector) {
		ignored = append(ignored, "the labels and namespaces of spec.sourceSelector")
	}
	if len(ignored) > 0 {
		e.report(finding.New(finding.CodeWiderConnection, p.ID(), fmt.Sprintf("%s %s for all callers in the clusters of the sources, regardless of %s",
			text.And(fields), text.Choose(len(fields), "holds", "hold"), strings.Join(ignored, " and "))))
	}
}

// connectsFrom reports whether only the connection settings of a policy hold for a
// workload: one that its sourceSelector does not match, or a gateway.
func (r *Result) connectsFrom(i int, w *world.Workload) bool {
	p := &r.TrafficPolicies[i]
	return (len(p.connectionFeatures) > 0 || p.tlsMode != nil) && len(r.sources(i, w.Cluster)) > 0 &&
		r.HasConnections(w) && !r.affects(i, w)
}

// ConnectionPolicies returns the positions of the policies of which only the
// connection settings hold for a workload, ascending.
func (r *Result) ConnectionPolicies(w *world.Workload) []int {
	if r.connecting == nil {
		r.connecting, r.narrow = []int{}, []int{}
		for i := range r.TrafficPolicies {
			p := &r.TrafficPolicies[i]
			if !p.Valid() || len(p.connectionFields()) == 0 {
				continue
			}
			r.connecting = append(r.connecting, i)
			if selector.SelectsParts(p.Resource.Spec.SourceSelector) {
				r.narrow = append(r.narrow, i)
			}
		}
	}
	candidates := r.narrow
	if !r.FollowsRoutes(w) {
		candidates = r.connecting
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(i int) bool { return !r.connectsFrom(i, w) })
}

// remarkOutliers reports outlier detection of Destinations that callers in other
// clusters reach through gateways (D59).
func (e *evaluator) remarkOutliers(p *TrafficPolicy) {
	if !slices.ContainsFunc(p.connectionFeatures, func(f Feature) bool { return f.Field == feature.OutlierDetection }) {
		return
	}
	var destinations, clusters []string
	for _, id := range p.EffectiveDestinations() {
		federation := e.result.Destinations[id].Federation
		if federation == nil || federation.Flat {
			continue
		}
		if d := &e.world.Destinations[id]; len(e.callingClusters(federation, d)) > 0 {
			destinations, clusters = append(destinations, d.Key()), append(clusters, e.callingClusters(federation, d)...)
		}
	}
	if len(destinations) > 0 {
		e.report(finding.New(finding.CodeEjectsGateway, p.ID(), fmt.Sprintf(
			"in %s, spec.policy.outlierDetection ejects the gateway in front of the pods instead of single pods, and with it all of them: %s",
			text.Named("cluster", sorted(clusters)), text.Bounded(sorted(destinations), listedNames))).Listing("ejects the gateway"))
	}
}
