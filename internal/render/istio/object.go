package istio

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/world"
)

// Kind is the kind of an Istio object.
type Kind string

// The kinds that are rendered, in the versions that Istio serves.
const (
	KindAuthorizationPolicy Kind = "AuthorizationPolicy"
	KindDestinationRule     Kind = "DestinationRule"
	KindGateway             Kind = "Gateway"
	KindPeerAuthentication  Kind = "PeerAuthentication"
	KindServiceEntry        Kind = "ServiceEntry"
	KindVirtualService      Kind = "VirtualService"
)

// Kinds returns all kinds that are rendered, sorted.
func Kinds() []Kind {
	return []Kind{
		KindAuthorizationPolicy, KindDestinationRule, KindGateway, KindPeerAuthentication, KindServiceEntry, KindVirtualService,
	}
}

// The API groups of the kinds; the version of both is v1.
const (
	networkingAPI = "networking.istio.io/v1"
	securityAPI   = "security.istio.io/v1"
)

// APIVersion returns the group and version of the kind.
func (k Kind) APIVersion() string {
	switch k {
	case KindAuthorizationPolicy, KindPeerAuthentication:
		return securityAPI
	default:
		return networkingAPI
	}
}

// GVK returns the group, version and kind.
func (k Kind) GVK() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(k.APIVersion(), string(k))
}

// Labels and annotations of what is rendered (semantics, section 0).
const (
	// OwnerLabel says which management namespace an object was rendered for.
	OwnerLabel = "owner.networking.mesh.gloo.solo.io"
	// ClusterLabel says which cluster it was written to.
	ClusterLabel = "cluster.multicluster.solo.io"
	// ParentsAnnotation names the resources that it was rendered from.
	ParentsAnnotation = "parents.networking.mesh.gloo.solo.io"
	// FederationAnnotation names the Service that it makes known to others.
	FederationAnnotation = "federation.networking.mesh.gloo.solo.io"
)

// Object is one Istio object of one cluster. Objects of several clusters may
// share their Spec and Parents, which must not be changed.
type Object struct {
	Cluster         string
	Kind            Kind
	Namespace, Name string
	// Spec is one of Istio's messages, by Kind.
	Spec proto.Message
	// Parents are the resources that it was rendered from, sorted: the
	// Destination of local objects, and the policies and VirtualMeshes that say
	// anything in it (semantics D13). They are resources of the management
	// cluster and have no Cluster.
	Parents []world.ObjectID
	// Federates is the NAME.NAMESPACE.CLUSTER of the Service that the object
	// makes known to other clusters; empty for others.
	Federates string
	// Owner is the management namespace that it is rendered for.
	Owner string
}

// Host returns the host that a DestinationRule is about; empty for other kinds.
func (o *Object) Host() string {
	rule, ok := o.Spec.(*networking.DestinationRule)
	if !ok {
		return ""
	}
	return rule.Host
}

// ID names the object the way findings name objects.
func (o *Object) ID() world.ObjectID {
	return world.ObjectID{Kind: string(o.Kind), Namespace: o.Namespace, Name: o.Name, Cluster: o.Cluster}
}

// compareObjects orders the objects of a cluster.
func compareObjects(a, b Object) int {
	return cmp.Or(
		strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name),
	)
}

// compareIDs orders parents.
func compareIDs(a, b world.ObjectID) int {
	return cmp.Or(
		strings.Compare(a.Kind, b.Kind), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name),
		strings.Compare(a.Cluster, b.Cluster),
	)
}

// sortedIDs returns the IDs in order, each once.
func sortedIDs(ids []world.ObjectID) []world.ObjectID {
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}
