package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// remarkFederation reports what prevents requests from other clusters from
// reaching federated Destinations.
func (e *evaluator) remarkFederation() {
	modes := tlsRemarks{evaluator: e, defaultMode: e.result.DefaultTLSMode(), targets: map[world.ObjectID]map[string][]string{}}
	for i := range e.result.Destinations {
		federation := e.result.Destinations[i].Federation
		if federation == nil {
			continue
		}
		d := &e.world.Destinations[i]
		clusters := e.callingClusters(federation, d)
		if len(clusters) == 0 {
			continue
		}
		e.remarkPods(d)
		if !federation.Flat {
			modes.note(d, federation, clusters)
		}
	}
	modes.report()
}

// callingClusters returns the other clusters to which a Destination is federated,
// sorted.
func (e *evaluator) callingClusters(federation *Federation, d *world.Destination) []string {
	var clusters []string
	for _, m := range federation.Meshes {
		if cluster := e.world.Meshes[m].Cluster; cluster != d.Ref.ClusterName {
			clusters = append(clusters, cluster)
		}
	}
	return sorted(clusters)
}

// remarkPods reports a federated Destination without known pods (D62).
func (e *evaluator) remarkPods(d *world.Destination) {
	if len(d.Backing) > 0 {
		return
	}
	for _, group := range d.Resource.Spec.KubeService.EndpointSubsets {
		if len(group.Endpoints) > 0 {
			return
		}
	}
	e.report(finding.New(finding.CodeFederatedNobody, world.DestinationID(d), "the Destination is federated, but has no known pods or workloads"))
}

// tlsRemarks collects settings that give clients of federated Destinations a TLS
// mode that gateways do not forward. Gateways only forward Istio's mutual TLS,
// and only to pods whose own DestinationRule also requires it (D49, D60).
type tlsRemarks struct {
	*evaluator
	defaultMode networkingv1.TLSMode
	// targets are the Destinations by the object with the setting, and by the
	// setting.
	targets map[world.ObjectID]map[string][]string
}

func (t *tlsRemarks) note(d *world.Destination, federation *Federation, callers []string) {
	if t.defaultMode == networkingv1.TLSModeIstioMutual && !slices.ContainsFunc(t.result.Destinations[d.ID].Traffic, func(i int) bool {
		mode := t.result.TrafficPolicies[i].tlsMode
		return mode != nil && modeOf(mode.Value) != networkingv1.TLSModeIstioMutual
	}) {
		return // fast path: most Destinations have no such setting
	}
	for _, cluster := range callers {
		t.noteFrom(cluster, d, federation, "clients in cluster "+cluster+" are")
	}
	t.noteFrom(d.Ref.ClusterName, d, federation, "clients in the Destination's own cluster are")
}

func (t *tlsRemarks) noteFrom(cluster string, d *world.Destination, federation *Federation, who string) {
	open := serviceport.All(d)
	for _, s := range t.result.ConnectionFrom(cluster, d.ID) {
		if s.Field != feature.MTLS {
			continue
		}
		mode := modeOf(s.Value)
		if mode != networkingv1.TLSModeIstioMutual {
			t.add(t.result.TrafficPolicies[s.Policy].ID(), fmt.Sprintf("%s set tlsMode %s", who, mode), d)
		}
		open = slices.DeleteFunc(open, func(port uint32) bool { return len(s.Ports) == 0 || slices.Contains(s.Ports, port) })
	}
	if len(open) > 0 && t.defaultMode != networkingv1.TLSModeIstioMutual {
		t.add(federation.VirtualMesh.ID(), fmt.Sprintf("%s set tlsMode %s by the Settings", who, t.defaultMode), d)
	}
}

func modeOf(value any) networkingv1.TLSMode {
	if mtls, ok := value.(*networkingv1.MTLS); ok && mtls.Istio != nil {
		return mtls.Istio.TLSMode
	}
	return networkingv1.TLSModeIstioMutual
}

func (t *tlsRemarks) add(id world.ObjectID, reason string, d *world.Destination) {
	if t.targets[id] == nil {
		t.targets[id] = map[string][]string{}
	}
	t.targets[id][reason] = append(t.targets[id][reason], d.Key())
}

func (t *tlsRemarks) report() {
	for id, reasons := range t.targets {
		for _, reason := range slices.Sorted(maps.Keys(reasons)) {
			t.evaluator.report(finding.New(finding.CodePassthroughTLS, id, fmt.Sprintf(
				"%s, so that requests from other clusters through gateways fail: %s", reason, text.Bounded(sorted(reasons[reason]), listedNames))))
		}
	}
}
