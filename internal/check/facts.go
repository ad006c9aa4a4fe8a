package check

import (
	"time"

	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
)

// Facts are the observations that checks judge.
type Facts struct {
	// Now is when the facts were gathered.
	Now time.Time
	// Namespace is the namespace of meshctl's resources on the management
	// cluster.
	Namespace string
	// ExpiryWarning is the remaining lifetime of a token below which it causes a
	// warning.
	ExpiryWarning time.Duration

	// Management is nil if the management cluster is not checked; NoClusters is
	// true if no cluster is.
	Management *ManagementFacts
	NoClusters bool
	// Members are the registered clusters and those of contexts, sorted by name.
	Members []MemberFacts
	// MembersErr is the error of listing registered clusters.
	MembersErr *kube.Error

	// World is nil if it could not be loaded or was not requested. Stored are the
	// objects it was built from.
	World  *policy.Result
	Stored world.Objects
	// Written compares the configuration of reachable clusters with the rendered
	// one, sorted by name.
	Written []WrittenFacts
	// Trust describes the virtual meshes with shared trust, in the order of the
	// world.
	Trust []TrustFacts
	// MeshesJudged and ClustersJudged are true if the mesh and cluster checks
	// also run, which then report findings about meshes and unusable clusters.
	MeshesJudged, ClustersJudged bool

	// connections are the connections to the members.
	connections []*kube.Connection
	// registeredUIDs holds the cluster UID of each registration.
	registeredUIDs map[string]string
}

// ManagementFacts are the facts about the management cluster.
type ManagementFacts struct {
	Cluster string
	// Err is set if the cluster is unusable; all other facts are then not known.
	Err *kube.Error
	// Version is the Kubernetes version; Outdated is true if it is not supported.
	Version  string
	Outdated *kube.Error
	// Definitions are the CustomResourceDefinitions of meshctl, DefinitionsErr is
	// set if they are not known.
	Definitions    []registration.Definition
	DefinitionsErr *kube.Error
	// NamespaceMissing is true if the namespace does not exist, NamespaceErr is
	// set if that is not known.
	NamespaceMissing bool
	NamespaceErr     *kube.Error
	// CannotRead and CannotWrite are the missing permissions, PermissionsErr is
	// set if they are not known.
	CannotRead, CannotWrite []kube.Permission
	PermissionsErr          *kube.Error
}

// notInstalled reports whether the cluster has no definition of meshctl.
func (m *ManagementFacts) notInstalled() bool {
	for _, d := range m.Definitions {
		if d.State != registration.DefinitionMissing {
			return false
		}
	}
	return len(m.Definitions) > 0
}

// MemberFacts are the facts about a cluster with workloads.
type MemberFacts struct {
	Cluster string
	// Registered is true if the credentials are from a registration rather than
	// the user's kubeconfig; RegisteredUID is the cluster UID of the
	// registration, if recorded.
	Registered    bool
	RegisteredUID string
	// RegistrationErr is set if the registration is unusable; all other facts are
	// then not known.
	RegistrationErr *kube.Error
	// Server is the address of the API server.
	Server string
	// TokenExpires is nil if the token does not expire or its expiry is not
	// known.
	TokenExpires *time.Time
	// Err is set if the cluster is unusable; the facts below are then not known.
	Err *kube.Error
	// Version is the Kubernetes version; Outdated is true if it is not supported.
	Version  string
	Outdated *kube.Error
	// UID identifies the cluster; empty if it is not known.
	UID string
	// Access is the highest access level of the credentials, empty if it is less
	// than reading; CannotRead are the permissions missing for reading.
	Access         registration.Access
	CannotRead     []kube.Permission
	PermissionsErr *kube.Error
	// ControlPlanes are the istiod Deployments in the namespaces of known meshes.
	ControlPlanes    []ControlPlane
	ControlPlanesErr *kube.Error
	// Discovered is the current state; nil if it was not discovered.
	Discovered *inventory.Cluster
}

// ControlPlane is the Deployment of a control plane.
type ControlPlane struct {
	Namespace, Name string
	// Labels are the labels of its pods.
	Labels map[string]string
	// Wanted and Available are the desired and the available number of pods.
	Wanted, Available int64
}

// usable reports whether the cluster answered.
func (m *MemberFacts) usable() bool { return m.RegistrationErr == nil && m.Err == nil }

// member returns the facts about a cluster; nil if there are none.
func (f *Facts) member(cluster string) *MemberFacts {
	for i := range f.Members {
		if f.Members[i].Cluster == cluster {
			return &f.Members[i]
		}
	}
	return nil
}
