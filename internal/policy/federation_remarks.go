package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/remark"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// remarkFederation reports what prevents requests from other clusters from
// reaching federated Destinations.
func (e *evaluator) remarkFederation() {
	importing := make([]*VirtualMesh, len(e.world.Meshes))
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
		for _, m := range federation.Meshes {
			if e.world.Meshes[m].Cluster != d.Ref.ClusterName {
				importing[m] = federation.VirtualMesh
			}
		}
		e.remark(world.DestinationID(d), remark.AboutFederated(d, e.passed(federation, d)))
		if !federation.Flat {
			modes.note(d, federation, clusters)
		}
	}
	modes.report()
	e.remarkNames(importing)
}

// passed returns the gateways through which calls from other clusters enter.
func (e *evaluator) passed(federation *Federation, d *world.Destination) []*world.Destination {
	if federation.Flat || d.Mesh == nil {
		return nil
	}
	var gateways []*world.Destination
	for _, g := range e.result.Meshes[d.Mesh.ID].Gateways {
		gateways = append(gateways, &e.world.Destinations[g.Destination])
	}
	return gateways
}

// remarkNames reports meshes that cannot resolve the hostnames that the VirtualMesh
// at their position federates to them.
func (e *evaluator) remarkNames(importing []*VirtualMesh) {
	workloads := make([][]*world.Workload, len(importing))
	for i := range e.world.Workloads {
		if w := &e.world.Workloads[i]; w.Mesh != nil && importing[w.Mesh.ID] != nil {
			workloads[w.Mesh.ID] = append(workloads[w.Mesh.ID], w)
		}
	}
	for m, vm := range importing {
		if vm == nil {
			continue
		}
		names := remark.Names{VirtualMesh: nameOf(vm), Suffix: hostnameSuffix(vm)}
		if f, unresolved := remark.AboutNames(&e.world.Meshes[m], names, workloads[m]); unresolved {
			e.report(f)
			e.result.Meshes[m].Warnings = append(e.result.Meshes[m].Warnings, f.Message)
		}
	}
}

func nameOf(vm *VirtualMesh) string { return vm.Resource.Name + "." + vm.Resource.Namespace }

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

// tlsRemarks collects settings that give clients of federated Destinations a TLS
// mode that gateways do not forward. Gateways only forward Istio's mutual TLS,
// and only to pods whose own DestinationRule also requires it (D49, D60).
type tlsRemarks struct {
	*evaluator
	defaultMode networkingv1.TLSMode
	// targets are the Destinations by the object with the setting and by the reason why
	// calls fail.
	targets map[world.ObjectID]map[string][]string
}

// passthroughSetting is an object and the setting by which calls through gateways
// fail.
type passthroughSetting struct {
	object  world.ObjectID
	setting string
}

// note looks at the settings for the callers of a Destination, and for its own
// cluster, whose gateway forwards their calls.
func (t *tlsRemarks) note(d *world.Destination, federation *Federation, callers []string) {
	if t.defaultMode == networkingv1.TLSModeIstioMutual && !slices.ContainsFunc(t.result.Destinations[d.ID].Traffic, func(i int) bool {
		mode := t.result.TrafficPolicies[i].tlsMode
		return mode != nil && modeOf(mode.Value) != networkingv1.TLSModeIstioMutual
	}) {
		return // fast path: most Destinations have no such setting
	}
	clusters := map[passthroughSetting][]string{}
	for _, cluster := range append(slices.Clip(callers), d.Ref.ClusterName) {
		open := serviceport.All(d)
		for _, s := range t.result.ConnectionFrom(cluster, d.ID) {
			if s.Field != feature.MTLS {
				continue
			}
			if mode := modeOf(s.Value); mode != networkingv1.TLSModeIstioMutual {
				key := passthroughSetting{t.result.TrafficPolicies[s.Policy].ID(), fmt.Sprintf("sets tlsMode %s", mode)}
				clusters[key] = append(clusters[key], cluster)
			}
			open = slices.DeleteFunc(open, func(port uint32) bool { return len(s.Ports) == 0 || slices.Contains(s.Ports, port) })
		}
		if len(open) > 0 && t.defaultMode != networkingv1.TLSModeIstioMutual {
			key := passthroughSetting{federation.VirtualMesh.ID(), fmt.Sprintf("the Settings set tlsMode %s", t.defaultMode)}
			clusters[key] = append(clusters[key], cluster)
		}
	}
	for key, names := range clusters {
		t.add(key, text.Named("cluster", sorted(names)), d)
	}
}

func modeOf(value any) networkingv1.TLSMode {
	if mtls, ok := value.(*networkingv1.MTLS); ok && mtls.Istio != nil {
		return mtls.Istio.TLSMode
	}
	return networkingv1.TLSModeIstioMutual
}

func (t *tlsRemarks) add(key passthroughSetting, clusters string, d *world.Destination) {
	if t.targets[key.object] == nil {
		t.targets[key.object] = map[string][]string{}
	}
	reason := fmt.Sprintf("%s for clients in %s, and gateways forward Istio's mutual TLS only, so that calls from other clusters fail", key.setting, clusters)
	t.targets[key.object][reason] = append(t.targets[key.object][reason], d.Key())
}

func (t *tlsRemarks) report() {
	for id, reasons := range t.targets {
		for _, reason := range slices.Sorted(maps.Keys(reasons)) {
			t.evaluator.report(finding.New(finding.CodePassthroughTLS, id, reason+": "+text.Bounded(sorted(reasons[reason]), listedNames)).Listing(reason))
		}
	}
}
