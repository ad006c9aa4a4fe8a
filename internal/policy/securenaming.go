package policy

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// SecureNamingAnnotation of a VirtualMesh says whether callers check which service
// account answers for a federated host (D51).
const SecureNamingAnnotation = "meshctl.io/secure-naming"

// secureNamingEnforced is the only value of the annotation.
const secureNamingEnforced = "enforce"

// EnforcesSecureNaming reports whether callers of federated hosts accept only the
// service accounts of the pods behind them.
func (v *VirtualMesh) EnforcesSecureNaming() bool {
	return v.Resource.Annotations[SecureNamingAnnotation] == secureNamingEnforced
}

// ServerNames returns the identities that may answer for a federated Destination,
// sorted; none if its VirtualMesh does not enforce them, or if the service accounts
// of its pods are not known.
func (r *Result) ServerNames(d *world.Destination) []string {
	federation := r.Destinations[d.ID].Federation
	if federation == nil || d.Mesh == nil || !federation.VirtualMesh.EnforcesSecureNaming() {
		return nil
	}
	accounts, _ := r.World.ServiceAccountsBehind(d)
	names := make([]string, 0, len(accounts))
	for _, account := range accounts {
		names = append(names, selector.Identity{TrustDomain: d.Mesh.TrustDomain, Namespace: d.Ref.Namespace, ServiceAccount: account}.String())
	}
	slices.Sort(names)
	return names
}

// remarkSecureNaming reports federated hosts for which more workloads can answer
// than those behind them (D51).
func (e *evaluator) remarkSecureNaming() {
	federated, unknown, assumed := map[*VirtualMesh]bool{}, map[*VirtualMesh][]string{}, map[*VirtualMesh][]string{}
	for i := range e.result.Destinations {
		d, federation := &e.world.Destinations[i], e.result.Destinations[i].Federation
		if federation == nil || len(e.callingClusters(federation, d)) == 0 {
			continue
		}
		vm := federation.VirtualMesh
		federated[vm] = true
		switch accounts, known := e.world.ServiceAccountsBehind(d); {
		case len(accounts) == 0:
			unknown[vm] = append(unknown[vm], d.Key())
		case !known:
			assumed[vm] = append(assumed[vm], d.Key())
		}
	}
	for i := range e.result.VirtualMeshes {
		vm := &e.result.VirtualMeshes[i]
		value, set := vm.Resource.Annotations[SecureNamingAnnotation]
		switch {
		case !federated[vm]:
		case !vm.EnforcesSecureNaming():
			message := "any workload with a certificate of the shared root can answer for a federated host, because callers do not check its service account"
			if set {
				message = fmt.Sprintf("the annotation %s has the unknown value %q: %s", SecureNamingAnnotation, value, message)
			}
			e.report(finding.New(finding.CodeNoSecureNaming, vm.ID(), message))
		default:
			if keys := unknown[vm]; len(keys) > 0 {
				e.report(finding.New(finding.CodeUnknownAccounts, vm.ID(), "the service accounts behind these Destinations are not known, so that any workload with a certificate of the shared root can answer for them: "+
					text.Bounded(sorted(keys), listedNames)))
			}
			if keys := assumed[vm]; len(keys) > 0 {
				e.report(finding.New(finding.CodeUnknownAccounts, vm.ID(), "discovery has not stored the service accounts behind these Destinations; callers accept those of their workloads only: "+
					text.Bounded(sorted(keys), listedNames)))
			}
		}
	}
}
