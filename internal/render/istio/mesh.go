package istio

import (
	"cmp"
	"fmt"

	networking "istio.io/api/networking/v1"
	security "istio.io/api/security/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/snapshot"
	"github.com/meshctl/meshctl/pkg/api/naming"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// The names of objects that hold for a whole mesh.
const (
	globalAccessControl = "global-access-control"
	meshWideTLS         = "default"
)

// addMeshes adds what holds for the meshes of the cluster as a whole (semantics
// 6.2, 6.3, D39).
func (b *builder) addMeshes() {
	for i := range b.world.Meshes {
		m := &b.world.Meshes[i]
		vm := b.result.Meshes[i].VirtualMesh
		if vm == nil || !canHold(m) || m.Cluster != b.cluster {
			continue
		}
		parents := []policy.ObjectID{parentOf(kindVirtualMesh, &vm.Resource.ObjectMeta)}
		if b.result.DeniesByDefault(m) {
			// Allowing nothing in particular denies all of the mesh.
			b.share(KindAuthorizationPolicy, rootNamespace(m), globalAccessControl, &security.AuthorizationPolicy{}, parents)
		}
		tls := peerAuthentication(vm.TLSEnforcement())
		if tls == nil {
			continue
		}
		if other := b.share(KindPeerAuthentication, rootNamespace(m), meshWideTLS, tls, parents); other != nil {
			b.omissions = append(b.omissions, Omission{
				Object: vm.ID(), Cluster: b.cluster,
				Reason: fmt.Sprintf("TLS enforcement %s of mesh %s.%s: %s, which another mesh with root namespace %s has as well, says otherwise",
					vm.TLSEnforcement(), m.Ref.Name, m.Ref.Namespace, other.ID(), rootNamespace(m)),
			})
		}
	}
}

// rootNamespace is where configuration holds for the whole mesh.
func rootNamespace(m *snapshot.Mesh) string {
	return cmp.Or(m.Resource.Spec.Istio.RootNamespace, m.Namespace)
}

// peerAuthentication renders what servers ask of their clients, nil if nothing
// is said about it.
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

// addGateways adds the entries to the cluster for requests from others
// (semantics 6.1).
func (b *builder) addGateways() {
	for i := range b.world.Meshes {
		m, decided := &b.world.Meshes[i], &b.result.Meshes[i]
		if decided.VirtualMesh == nil || !isIstio(m) || m.Namespace == "" {
			continue
		}
		for _, gateway := range decided.Gateways {
			d := &b.world.Destinations[gateway.Destination]
			if d.Ref.ClusterName != b.cluster || len(d.Selector) == 0 {
				continue
			}
			name := naming.Sanitise(d.Resource.Name + "-" + d.Resource.Namespace)
			b.add(KindGateway, m.Namespace, name, d.Key(), &networking.Gateway{
				Selector: d.Selector,
				Servers: []*networking.Server{{
					Port:  &networking.Port{Number: gateway.ContainerPort, Protocol: "TLS", Name: "tls"},
					Hosts: []string{"*." + decided.VirtualMesh.HostnameSuffix()},
					Tls:   &networking.ServerTLSSettings{Mode: networking.ServerTLSSettings_AUTO_PASSTHROUGH},
				}},
			}, []policy.ObjectID{parentOf(kindVirtualMesh, &decided.VirtualMesh.Resource.ObjectMeta)})
		}
	}
}
