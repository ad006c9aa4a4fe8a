package rollout

import (
	"fmt"
	"maps"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TrustDomainError says that a cluster is not written to because its mesh changed its trust
// domain and the change has not been accepted. Policies of other clusters keep using its
// previous identities (D73).
type TrustDomainError struct {
	Cluster, Mesh string
	// Accepted is the previous trust domain, Found the current one.
	Accepted, Found string
	// ClaimedFrom is another mesh that has the new trust domain; empty if there is none.
	ClaimedFrom string
}

// Error implements error.
func (e *TrustDomainError) Error() string {
	claimed := ""
	if e.ClaimedFrom != "" {
		claimed = ", which is that of mesh " + e.ClaimedFrom
	}
	return fmt.Sprintf("cluster %s: the trust domain of mesh %s changed from %s to %s%s: if that is intended, accept it with 'meshctl apply --accept-trust-domain %s=%s'",
		e.Cluster, e.Mesh, e.Accepted, e.Found, claimed, e.Mesh, e.Found)
}

// withChangedTrustDomains returns in.Failures plus an error for each cluster whose mesh
// changed its trust domain.
func withChangedTrustDomains(in Input) map[string]error {
	changed := in.World.ChangedTrustDomains()
	if len(changed) == 0 {
		return in.Failures
	}
	failures := maps.Clone(in.Failures)
	if failures == nil {
		failures = map[string]error{}
	}
	for _, m := range changed {
		if failures[m.Cluster] == nil {
			failures[m.Cluster] = &TrustDomainError{
				Cluster: m.Cluster, Mesh: m.Ref.Name, Accepted: m.AcceptedTrustDomain, Found: m.TrustDomain, ClaimedFrom: in.World.ClaimedFrom(m),
			}
		}
	}
	return failures
}

// recordOf returns what is recorded about a VirtualMesh: where it was written, nil if
// nowhere, and the accepted trust domains of the meshes that it lists. Those of meshes
// that are not known now are kept (D73).
func recordOf(w *world.World, vm *networkingv1.VirtualMesh, written *core.WrittenStatus) *networkingv1.VirtualMeshRecord {
	record := &networkingv1.VirtualMeshRecord{}
	if written != nil {
		record.WrittenStatus = *written
	}
	recorded := vm.Status.RecordedTrustDomains()
	for _, ref := range vm.Spec.Meshes {
		key := networkingv1.TrustDomainKey(ref)
		domain := recorded[key]
		if m := w.MeshByRef(ref); m != nil && m.Type == world.MeshIstio {
			domain = m.AcceptedTrustDomain
		}
		if domain == "" {
			continue
		}
		if record.TrustDomains == nil {
			record.TrustDomains = map[string]string{}
		}
		record.TrustDomains[key] = domain
	}
	if written == nil && record.TrustDomains == nil {
		return nil
	}
	return record
}
