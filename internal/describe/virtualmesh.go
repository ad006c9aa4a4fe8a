package describe

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// The states of a mesh that a VirtualMesh lists.
const (
	memberAccepted = "ACCEPTED"
	memberInvalid  = "INVALID"
	memberClaimed  = "CLAIMED"
	memberNotFound = "NOT_FOUND"
)

// VirtualMeshes describes the VirtualMeshes at the given positions in the
// world, in their order.
func VirtualMeshes(result *policy.Result, positions []int, opts Options) VirtualMeshDescriptionList {
	v := newViewer(result)
	counts := v.countByMesh()
	return newList(v, "VirtualMeshDescriptionList", positions, opts, func(i int) (*VirtualMeshDescription, []int) {
		vm := &result.VirtualMeshes[i]
		spec := &vm.Resource.Spec
		item := &VirtualMeshDescription{
			Name: vm.Resource.Name, Namespace: vm.Resource.Namespace, State: string(vm.State), Written: describeWritten(vm.Written()), Errors: vm.Errors,
			Trust: TrustOf(vm), Federation: viewFederation(spec.Federation),
			TLSEnforcement: string(vm.TLSEnforcement()), GlobalAccessPolicy: string(vm.GlobalAccessPolicy()), DefaultAccess: "ALLOW",
		}
		if vm.GlobalAccessPolicy() == networkingv1.GlobalAccessPolicyEnabled {
			item.DefaultAccess = "DENY"
		}
		objects := []world.ObjectID{vm.ID()}
		for _, ref := range distinctRefs(spec.Meshes) {
			member := v.memberOf(vm, ref, opts)
			if m := v.world.MeshByRef(ref); m != nil {
				objects = append(objects, world.MeshID(m))
				if member.State == memberAccepted {
					member.ImportedDestinationCount = counts.imported[m.ID]
					for _, g := range result.Meshes[m.ID].Gateways {
						objects = append(objects, world.DestinationID(&v.world.Destinations[g.Destination]))
					}
				}
			}
			item.Meshes = append(item.Meshes, member)
		}
		findings := result.FindingsOn(objects...)
		item.findings = len(findings)
		return item, findings
	})
}

// distinctRefs returns the distinct references sorted by namespace and name.
func distinctRefs(refs []core.ObjectRef) []core.ObjectRef {
	sorted := slices.Clone(refs)
	slices.SortFunc(sorted, func(a, b core.ObjectRef) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return slices.Compact(sorted)
}

func (v viewer) memberOf(vm *policy.VirtualMesh, ref core.ObjectRef, opts Options) MeshOfVirtual {
	member := MeshOfVirtual{Name: ref.Name, Namespace: ref.Namespace, State: memberNotFound}
	m := v.world.MeshByRef(ref)
	if m == nil {
		return member
	}
	member.Type, member.Cluster = string(m.Type), m.Cluster
	if m.Type == world.MeshIstio {
		member.TrustDomain = m.TrustDomain
	}
	switch holder := v.result.Meshes[m.ID].VirtualMesh; {
	case holder == vm:
		member.State, member.MeshSharing = memberAccepted, v.sharing(m, opts)
	case holder != nil:
		member.State = memberClaimed
		member.ClaimedBy = &ObjectRef{Namespace: holder.Resource.Namespace, Name: holder.Resource.Name}
	default:
		member.State = memberInvalid
	}
	return member
}

// The defaults of certificates.
const (
	defaultTTLDays         = 365
	defaultRSAKeyBits      = 4096
	defaultRenewBefore     = 0.1
	defaultRootOrg         = "gloo-mesh"
	defaultIntermediateOrg = "Istio"
)

// TrustOf describes how the meshes of a VirtualMesh trust each other.
func TrustOf(vm *policy.VirtualMesh) TrustDescription {
	trust := TrustDescription{Model: vm.Trust()}
	config := vm.Resource.Spec.MTLSConfig
	if config == nil {
		return trust
	}
	trust.AutoRestartPods = config.AutoRestartPods
	if config.Shared == nil {
		return trust
	}
	trust.Deployed, trust.Rotation = vm.Resource.Status.DeployedSharedTrust != nil, viewRotation(vm.Resource.Status.Conditions)
	trust.RotationStrategy = string(cmp.Or(config.RotationStrategy, certificatesv1.CertificateRotationStrategyMultiRoot))
	trust.IntermediateOptions = certificateOptions(config.Shared.IntermediateCertOptions, defaultIntermediateOrg)
	root := config.Shared.RootCertificateAuthority
	switch intermediate := config.Shared.IntermediateCertificateAuthority; {
	case intermediate != nil && intermediate.Vault != nil:
		trust.Root, trust.Vault = "vault", intermediate.Vault
	case root != nil && root.Secret != nil:
		ref := ObjectOf(*root.Secret)
		trust.Root, trust.Secret = "secret", &ref
	case root != nil:
		trust.Root, trust.RootOptions = "generated", certificateOptions(root.Generated, defaultRootOrg)
	default: // no source means generated (D41)
		trust.Root, trust.RootOptions = "generated", certificateOptions(nil, defaultRootOrg)
	}
	return trust
}

// viewRotation returns the last state, unless it ended the rotation.
func viewRotation(conditions []certificatesv1.CertificateRotationCondition) *RotationDescription {
	if len(conditions) == 0 {
		return nil
	}
	last := &conditions[len(conditions)-1]
	switch last.State {
	case "NOT_ROTATING", "PREVIOUS_CA", "FINISHED":
		return nil
	default:
		return &RotationDescription{State: string(last.State), Since: last.Timestamp, Message: last.Message, Errors: last.Errors}
	}
}

func certificateOptions(o *certificatesv1.CommonCertOptions, org string) *CertificateOptions {
	if o == nil {
		o = &certificatesv1.CommonCertOptions{}
	}
	return &CertificateOptions{
		TTLDays: cmp.Or(o.TTLDays, defaultTTLDays), RSAKeyBits: cmp.Or(o.RSAKeySizeBytes, defaultRSAKeyBits),
		OrgName: cmp.Or(o.OrgName, org), RenewBefore: cmp.Or(o.SecretRotationGracePeriodRatio, defaultRenewBefore),
	}
}

func viewFederation(f *networkingv1.Federation) *FederationDescription {
	if f == nil {
		return nil
	}
	view := &FederationDescription{HostnameSuffix: cmp.Or(f.HostnameSuffix, "global"), FlatNetwork: f.FlatNetwork, TCPKeepalive: f.TCPKeepalive}
	for _, s := range f.Selectors {
		var to []string
		for _, m := range s.Meshes {
			to = append(to, ObjectOf(m).String())
		}
		meshes := "every mesh"
		if len(to) > 0 {
			slices.Sort(to)
			meshes = strings.Join(to, ", ")
		}
		for _, what := range destinationSelectorTexts(s.DestinationSelectors) {
			view.Exposes = append(view.Exposes, what+" to "+meshes)
		}
	}
	if len(f.Selectors) == 0 && f.Permissive != nil {
		view.Exposes = []string{everyDestination + " to every mesh"}
	}
	return view
}
