package sharedtrust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/trust"
	"github.com/meshctl/meshctl/internal/world"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Subject is a VirtualMesh with shared trust.
type Subject struct {
	Resource *networkingv1.VirtualMesh
	// Shared is its shared-trust configuration; never nil.
	Shared *networkingv1.SharedTrust
	// Strategy and Manual say how its root is rotated, and whether an operator confirms each
	// step. AutoRestart allows restarts of workloads without confirmation.
	Strategy    certificatesv1.CertificateRotationStrategy
	Manual      bool
	AutoRestart bool
	// Intermediate are the options for intermediate certificates.
	Intermediate trust.Options
	// Meshes are its Istio meshes, sorted by cluster and namespace.
	Meshes []Mesh
	// Others are the names of its meshes that are not Istio and get no certificates.
	Others []string
	// Missing are the names of its meshes that do not exist. While one is missing, the root is
	// not rotated.
	Missing []string
}

// Mesh is one mesh of a Subject.
type Mesh struct {
	// World is the position in World.Meshes.
	World int
	Ref   core.ObjectRef
	// Cluster and Namespace are the location of the control plane.
	Cluster, Namespace string
	// Identity is the SPIFFE ID of the control plane.
	Identity string
	// Workloads are the namespaces of its workloads, sorted.
	Workloads []string
	// TrustDomain is the discovered trust domain, AcceptedDomain the one for which certificates
	// may be issued (D73). ClaimedFrom is another mesh that has the trust domain, if
	// it differs from the accepted one; empty if there is none.
	TrustDomain, AcceptedDomain, ClaimedFrom string

	request trust.Request
}

// Name returns the name of the VirtualMesh as NAME.NAMESPACE. It becomes part of
// errors, which may have several lines.
func (s *Subject) Name() string { return text.Printable(s.Resource.Name + "." + s.Resource.Namespace) }

// Of returns the VirtualMesh at a position with its shared-trust configuration. It returns an
// error if the VirtualMesh cannot have shared trust; the error says what to do.
func Of(result *policy.Result, position int) (*Subject, error) {
	vm := &result.VirtualMeshes[position]
	s := &Subject{Resource: vm.Resource}
	switch {
	case !vm.Effective: // D69: existing meshes keep their trust
		return nil, fmt.Errorf("VirtualMesh %s is %s: %s", s.Name(), vm.State, text.Printable(strings.Join(vm.Errors, "; ")))
	case vm.Trust() == policy.TrustLimited: // D42
		return nil, fmt.Errorf("VirtualMesh %s uses limited trust, which is not supported yet: use spec.mtlsConfig.shared", s.Name())
	case vm.Trust() != policy.TrustShared:
		return nil, fmt.Errorf("VirtualMesh %s does not use shared trust: set spec.mtlsConfig.shared", s.Name())
	}
	config := vm.Resource.Spec.MTLSConfig
	s.Shared, s.Strategy, s.AutoRestart = config.Shared, config.RotationStrategy, config.AutoRestartPods
	s.Manual = config.RotationVerificationMethod != nil && config.RotationVerificationMethod.Manual != nil
	var err error
	if s.Intermediate, err = trust.IntermediateOptions(config.Shared.IntermediateCertOptions); err != nil {
		return nil, fmt.Errorf("VirtualMesh %s: spec.mtlsConfig.shared.intermediateCertOptions: %w", s.Name(), err)
	}
	for _, missing := range vm.Missing {
		s.Missing = append(s.Missing, missing.Ref.Name+"."+missing.Ref.Namespace)
	}
	for _, i := range vm.Meshes {
		m := &result.World.Meshes[i]
		if m.Type != world.MeshIstio {
			s.Others = append(s.Others, m.Ref.Name+"."+m.Ref.Namespace)
			continue
		}
		if m.Cluster == "" || m.Namespace == "" {
			return nil, fmt.Errorf("the location of mesh %s.%s is not known: run 'meshctl discover'", m.Ref.Name, m.Ref.Namespace)
		}
		s.Meshes = append(s.Meshes, s.newMesh(result.World, m))
	}
	slices.SortFunc(s.Meshes, func(a, b Mesh) int {
		return strings.Compare(a.Cluster+"\x00"+a.Namespace+"\x00"+a.Ref.Name, b.Cluster+"\x00"+b.Namespace+"\x00"+b.Ref.Name)
	})
	switch {
	case len(s.Meshes) > 0:
	case len(s.Missing) > 0:
		return nil, fmt.Errorf("VirtualMesh %s has no Istio mesh: meshes not found (%s): discover them, or correct spec.meshes", s.Name(), strings.Join(s.Missing, ", "))
	default:
		return nil, fmt.Errorf("VirtualMesh %s has no Istio mesh", s.Name())
	}
	return s, s.checkLocations()
}

// checkLocations returns an error if two control planes with different identities would read the
// same Secret.
func (s *Subject) checkLocations() error {
	for i := 1; i < len(s.Meshes); i++ {
		a, b := &s.Meshes[i-1], &s.Meshes[i]
		if a.Cluster == b.Cluster && a.Namespace == b.Namespace && a.Identity != b.Identity {
			return fmt.Errorf("meshes %s and %s are both installed in namespace %s of cluster %s with different identities, and can have one Secret %s only",
				a.Ref.Name, b.Ref.Name, a.Namespace, a.Cluster, trust.CASecretName)
		}
	}
	s.Meshes = slices.CompactFunc(s.Meshes, func(a, b Mesh) bool { return a.Cluster == b.Cluster && a.Namespace == b.Namespace })
	return nil
}

func (s *Subject) newMesh(all *world.World, m *world.Mesh) Mesh {
	identity := trust.Identity(m.TrustDomain, m.Namespace, m.Resource.Spec.Istio.IstiodServiceAccount)
	mesh := Mesh{
		World: m.ID, Ref: m.Ref, Cluster: m.Cluster, Namespace: m.Namespace, Identity: identity.String(),
		TrustDomain: m.TrustDomain, AcceptedDomain: m.AcceptedTrustDomain, ClaimedFrom: all.ClaimedFrom(m),
		request: trust.Request{Mesh: m.Ref.Name, Identity: identity, Options: s.Intermediate},
	}
	for i := range all.Workloads {
		if w := &all.Workloads[i]; w.Mesh == m {
			mesh.Workloads = append(mesh.Workloads, w.Namespace)
		}
	}
	slices.Sort(mesh.Workloads)
	mesh.Workloads = slices.Compact(mesh.Workloads)
	return mesh
}
