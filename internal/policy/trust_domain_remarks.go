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
		if len(r.domains) > 0 {
			e.report(refusedDomains(r.vm, &e.world.Meshes[id], sorted(r.domains)))
		}
	}
}

// refusedDomains returns the finding about a mesh that refuses trust domains, with
// the setting to add in the form that an Istio installation takes it.
func refusedDomains(vm *VirtualMesh, m *world.Mesh, domains []string) finding.Finding {
	certain := "does not accept"
	if _, known := m.AcceptsTrustDomain(domains[0]); !known {
		certain = "is not known to accept"
	}
	message := fmt.Sprintf("mesh %s.%s %s %s: calls from there to its federated Services fail", m.Ref.Name, m.Ref.Namespace, certain,
		text.Named("trust domain", domains[:min(len(domains), listedNames)]))
	if more := len(domains) - listedNames; more > 0 {
		message += fmt.Sprintf(" (and from %d more)", more)
	}
	f := finding.New(finding.CodeTrustDomain, vm.ID(), message)
	f.Hint = fmt.Sprintf("add to the mesh configuration of Istio in cluster %s: caCertificates: [{trustDomains: [%s]}] (Helm: meshConfig.caCertificates[0].trustDomains)",
		m.Cluster, strings.Join(domains, ", "))
	if certain != "does not accept" {
		f.Hint += "; if it is there, run 'meshctl discover' with this version to record it"
	}
	return f
}
