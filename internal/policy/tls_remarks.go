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

// modeRemarks collects TLS modes of clients with which calls fail, because the
// receiver requires mutual TLS or because rules need an identity that does not
// arrive (D49). Calls through gateways are a matter of tlsRemarks.
type modeRemarks struct {
	*evaluator
	// found holds the Destinations by code, object and reason.
	found map[finding.Code]map[world.ObjectID]map[string][]string
}

// remarkTLSModes reports such modes.
func (e *evaluator) remarkTLSModes() {
	remarks := modeRemarks{evaluator: e, found: map[finding.Code]map[world.ObjectID]map[string][]string{}}
	byDefault := e.result.DefaultTLSMode() != networkingv1.TLSModeIstioMutual
	for i := range e.result.Destinations {
		d := &e.world.Destinations[i]
		if d.Mesh == nil || d.Mesh.Type != world.MeshIstio || !d.IsService() || e.onlyBare(d) {
			continue
		}
		if byDefault || slices.ContainsFunc(e.result.Destinations[i].Traffic, func(p int) bool {
			mode := e.result.TrafficPolicies[p].tlsMode
			return mode != nil && modeOf(mode.Value) != networkingv1.TLSModeIstioMutual
		}) {
			remarks.note(d)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(remarks.found)) {
		for id, reasons := range remarks.found[code] {
			for reason, keys := range reasons {
				e.report(finding.New(code, id, reason+": "+text.Bounded(sorted(keys), listedNames)).Listing(reason))
			}
		}
	}
}

// note looks at the modes of all clients that do not call through a gateway.
func (m *modeRemarks) note(d *world.Destination) {
	clusters := []string{d.Ref.ClusterName}
	if federation := m.result.Destinations[d.ID].Federation; federation != nil && federation.Flat {
		clusters = append(clusters, m.callingClusters(federation, d)...)
	}
	for _, cluster := range clusters {
		open := serviceport.All(d)
		for _, s := range m.result.ConnectionFrom(cluster, d.ID) {
			if s.Field != feature.MTLS {
				continue
			}
			m.judge(d, cluster, modeOf(s.Value), m.result.TrafficPolicies[s.Policy].ID(), "sets")
			open = slices.DeleteFunc(open, func(port uint32) bool { return len(s.Ports) == 0 || slices.Contains(s.Ports, port) })
		}
		if vm := m.result.Meshes[d.Mesh.ID].VirtualMesh; len(open) > 0 && vm != nil {
			m.judge(d, cluster, m.result.DefaultTLSMode(), vm.ID(), "the Settings set")
		}
	}
}

// judge notes what becomes of calls with a mode, about the object that is to blame
// or that the default of the Settings concerns.
func (m *modeRemarks) judge(d *world.Destination, cluster string, mode networkingv1.TLSMode, id world.ObjectID, setter string) {
	if mode == networkingv1.TLSModeIstioMutual {
		return
	}
	set := fmt.Sprintf("%s tlsMode %s for clients in cluster %s", setter, mode, cluster)
	if vm := m.result.Meshes[d.Mesh.ID].VirtualMesh; vm != nil && vm.TLSEnforcement() == networkingv1.EnforcementModeStrict {
		m.add(finding.CodeTLSModeFails, id, fmt.Sprintf("%s, but VirtualMesh %s.%s requires mutual TLS (enforcementMode STRICT), so that their calls fail",
			set, vm.Resource.Name, vm.Resource.Namespace), d)
		return
	}
	if mode == networkingv1.TLSModeSimple && len(serviceport.HTTP(d)) > 0 {
		m.add(finding.CodeTLSModeFails, id, set+", which the receivers of HTTP ports cannot read, so that their calls fail", d)
		return
	}
	if m.needsIdentity(d) {
		m.add(finding.CodeNoIdentity, id, set+", so that no identity arrives and AccessPolicies about callers allow nobody", d)
	}
}

// needsIdentity reports whether rules on the pods behind a Destination are about
// the identity of callers.
func (m *modeRemarks) needsIdentity(d *world.Destination) bool {
	rules := m.result.RulesOf(d.ID)
	for _, pod := range d.Backing {
		rules = append(rules, m.result.RulesFor(&m.world.Workloads[pod])...)
	}
	return slices.ContainsFunc(rules, func(rule AccessRule) bool {
		for _, grant := range m.result.AccessPolicies[rule.Policy].Grants(&m.world.Destinations[rule.Destination]) {
			if !grant.AnySource {
				return true
			}
		}
		return false
	})
}

func (m *modeRemarks) add(code finding.Code, id world.ObjectID, reason string, d *world.Destination) {
	if m.found[code] == nil {
		m.found[code] = map[world.ObjectID]map[string][]string{}
	}
	if m.found[code][id] == nil {
		m.found[code][id] = map[string][]string{}
	}
	m.found[code][id][reason] = append(m.found[code][id][reason], d.Key())
}
