package istio

import (
	"cmp"
	"fmt"

	security "istio.io/api/security/v1"

	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// The names of mesh-wide objects.
const (
	globalAccessControl = "global-access-control"
	meshWideTLS         = "default"
)

// addMeshes adds the mesh-wide objects of the cluster (D39).
func (b *builder) addMeshes() {
	for i := range b.world.Meshes {
		m := &b.world.Meshes[i]
		vm := b.result.Meshes[i].VirtualMesh
		if vm == nil || !hasConfigNamespace(m) || m.Cluster != b.cluster {
			continue
		}
		parents := []world.ObjectID{parentOf(kindVirtualMesh, &vm.Resource.ObjectMeta)}
		if vm.GlobalAccessPolicy() == networkingv1.GlobalAccessPolicyEnabled {
			// An ALLOW policy without rules denies everything in the mesh.
			b.share(KindAuthorizationPolicy, RootNamespace(m), globalAccessControl, &security.AuthorizationPolicy{}, parents)
		}
		tls := peerAuthentication(vm.TLSEnforcement())
		if tls == nil {
			continue
		}
		if other := b.share(KindPeerAuthentication, RootNamespace(m), meshWideTLS, tls, parents); other != nil {
			b.omissions = append(b.omissions, Omission{
				Object: vm.ID(), Cluster: b.cluster,
				Reason: fmt.Sprintf("TLS enforcement %s of mesh %s.%s: conflicts with %s of another mesh with root namespace %s",
					vm.TLSEnforcement(), m.Ref.Name, m.Ref.Namespace, other.ID(), RootNamespace(m)),
			})
		}
	}
}

// RootNamespace returns the namespace of mesh-wide configuration.
func RootNamespace(m *world.Mesh) string {
	return cmp.Or(m.Resource.Spec.Istio.RootNamespace, m.Namespace)
}

// peerAuthentication renders the TLS mode that servers require; nil for UNSET.
func peerAuthentication(mode networkingv1.EnforcementMode) *security.PeerAuthentication {
	tls := &security.PeerAuthentication_MutualTLS{}
	switch mode {
	case networkingv1.EnforcementModeDisable:
		tls.Mode = security.PeerAuthentication_MutualTLS_DISABLE
	case networkingv1.EnforcementModePermissive:
		tls.Mode = security.PeerAuthentication_MutualTLS_PERMISSIVE
	case networkingv1.EnforcementModeStrict:
		tls.Mode = security.PeerAuthentication_MutualTLS_STRICT
	default:
		return nil
	}
	return &security.PeerAuthentication{Mtls: tls}
}
