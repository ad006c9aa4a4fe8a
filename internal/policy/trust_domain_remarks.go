package policy

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// remarkTrustDomains reports the meshes of a VirtualMesh that do not accept the
// trust domains of meshes to which it federates their Services, so that all these
// calls fail (D47).
func (e *evaluator) remarkTrustDomains() {
	type refusal struct {
		vm      *VirtualMesh
		domains []string
		// seen are the calling meshes that were looked at.
		seen []bool
	}
	refusals := make([]refusal, len(e.world.Meshes))
	for i := range e.result.Destinations {
		federation := e.result.Destinations[i].Federation
		receiver := e.world.Destinations[i].Mesh
		if federation == nil || receiver == nil || receiver.Type != world.MeshIstio {
			continue
		}
		r := &refusals[receiver.ID]
		if r.seen == nil {
			r.seen = make([]bool, len(e.world.Meshes))
		}
		for _, id := range federation.Meshes {
			caller := &e.world.Meshes[id]
			if r.seen[id] || caller.Type != world.MeshIstio {
				continue
			}
			r.seen[id] = true
			if accepts, _ := receiver.AcceptsTrustDomain(caller.TrustDomain); !accepts {
				r.vm, r.domains = federation.VirtualMesh, append(r.domains, caller.TrustDomain)
			}
		}
	}
	for id, r := range refusals {
		if len(r.domains) == 0 {
			continue
		}
		m := &e.world.Meshes[id]
		e.result.Meshes[id].Refused = sorted(r.domains)
		problem, hint := e.result.RefusedDomains(m)
		e.report(finding.New(finding.CodeTrustDomain, r.vm.ID(), fmt.Sprintf("mesh %s.%s %s", m.Ref.Name, m.Ref.Namespace, problem)).Override("", hint))
	}
}

// RefusedDomains returns what is wrong if a mesh refuses trust domains of callers,
// as the end of a sentence, and the setting to add in the form that an Istio
// installation takes it; "" if it refuses none.
func (r *Result) RefusedDomains(m *world.Mesh) (problem, hint string) {
	domains := r.Meshes[m.ID].Refused
	if len(domains) == 0 {
		return "", ""
	}
	_, known := m.AcceptsTrustDomain(domains[0])
	problem = "does not accept "
	if !known {
		problem = "is not known to accept "
	}
	problem += text.Named("trust domain", domains[:min(len(domains), listedNames)]) + ": calls from there to its federated Services fail"
	if more := len(domains) - listedNames; more > 0 {
		problem += fmt.Sprintf(" (and from %d more)", more)
	}
	hint = fmt.Sprintf("add to the mesh configuration of Istio in cluster %s: caCertificates: [{trustDomains: [%s]}] (Helm: meshConfig.caCertificates[0].trustDomains)",
		m.Cluster, strings.Join(domains, ", "))
	if !known {
		hint += "; if it is there, run 'meshctl discover' with this version to record it"
	}
	return problem, hint
}
