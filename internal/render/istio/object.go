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

// The kinds that are rendered.
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

// The API groups of the kinds; both have version v1.
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

// The labels and annotations of rendered objects.
const (
	// OwnerLabel holds the management namespace for which an object was rendered.
	OwnerLabel = "owner.networking.mesh.gloo.solo.io"
	// ClusterLabel holds the cluster for which it was rendered.
	ClusterLabel = "cluster.multicluster.solo.io"
	// ParentsAnnotation holds the resources from which it was rendered.
	ParentsAnnotation = "parents.networking.mesh.gloo.solo.io"
	// FederationAnnotation holds the Service that it announces to other clusters.
	FederationAnnotation = "federation.networking.mesh.gloo.solo.io"
)

// Object is one Istio object of one cluster. Objects of several clusters may
// share their Spec and Parents, which must not be modified.
type Object struct {
	Cluster         string
	Kind            Kind
	Namespace, Name string
	// Spec is the Istio message of the Kind.
	Spec proto.Message
	// Parents are the resources from which it was rendered, sorted: the
	// Destination of local objects, and the policies and VirtualMeshes that
	// contribute to it (D13). They are resources of the management
	// cluster and have no Cluster.
	Parents []world.ObjectID
	// Federates is the Service that the object announces to other clusters, as
	// NAME.NAMESPACE.CLUSTER; empty for other objects.
	Federates string
	// Owner is the management namespace for which it is rendered.
	Owner string
}

// Host returns the host of a DestinationRule; empty for other kinds.
func (o *Object) Host() string {
	rule, ok := o.Spec.(*networking.DestinationRule)
	if !ok {
		return ""
	}
	return rule.Host
}

// ID returns the ID of the object, as used in findings.
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

// sortedIDs returns the distinct IDs, sorted.
func sortedIDs(ids []world.ObjectID) []world.ObjectID {
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}
