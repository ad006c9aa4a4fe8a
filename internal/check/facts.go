package check

import (
	"time"

	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
)

// Facts are what checks judge.
type Facts struct {
	// Now is when the facts were gathered.
	Now time.Time
	// Namespace is that of meshctl's resources on the management cluster.
	Namespace string
	// ExpiryWarning is how long before its end a token is worth a warning.
	ExpiryWarning time.Duration

	// Management is nil if the management cluster is not among what is checked;
	// NoClusters says that no cluster is.
	Management *ManagementFacts
	NoClusters bool
	// Members are the registered clusters and those of contexts, by name.
	Members []MemberFacts
	// MembersErr is why registered clusters are not known.
	MembersErr *kube.Error

	// World is nil if it could not be loaded, or nobody asked for it. Stored are
	// the objects it was made of.
	World  *policy.Result
	Stored world.Objects
	// Written compares the clusters that could be asked with what would be rendered
	// for them, sorted by name.
	Written []WrittenFacts
	// Trust is about the virtual meshes with shared trust, in the order of the
	// world.
	Trust []TrustFacts
	// MeshesJudged and ClustersJudged say that findings about meshes and about
	// clusters that cannot be used are reported by the checks of these.
	MeshesJudged, ClustersJudged bool

	// connections are those to the members.
	connections []*kube.Connection
	// registeredUIDs has which cluster each registration was made for.
	registeredUIDs map[string]string
}

// ManagementFacts are what is known about the management cluster.
type ManagementFacts struct {
	Cluster string
	// Err is why the cluster cannot be used; nothing else is known then.
	Err *kube.Error
	// Version is that of Kubernetes; Outdated says that it is too old.
	Version  string
	Outdated *kube.Error
	// Definitions are the definitions of meshctl's resources, DefinitionsErr why
	// they are not known.
	Definitions    []registration.Definition
	DefinitionsErr *kube.Error
	// NamespaceMissing says that the namespace does not exist, NamespaceErr why
	// that is not known.
	NamespaceMissing bool
	NamespaceErr     *kube.Error
	// CannotRead and CannotWrite are the permissions that are missing,
	// PermissionsErr says why they are not known.
	CannotRead, CannotWrite []kube.Permission
	PermissionsErr          *kube.Error
}

// notInstalled reports whether the cluster has none of meshctl's resources.
func (m *ManagementFacts) notInstalled() bool {
	for _, d := range m.Definitions {
		if d.State != registration.DefinitionMissing {
			return false
		}
	}
	return len(m.Definitions) > 0
}

// MemberFacts are what is known about a cluster with workloads.
type MemberFacts struct {
	Cluster string
	// Registered says that the credentials are those of a registration, not of the
	// user; RegisteredUID is the cluster it was made for, if it says.
	Registered    bool
	RegisteredUID string
	// RegistrationErr is why the registration cannot be used; nothing else is
	// known then.
	RegistrationErr *kube.Error
	// Server is the address of the API server.
	Server string
	// TokenExpires is nil for never, or if the credentials do not say.
	TokenExpires *time.Time
	// Err is why the cluster cannot be used; nothing of what follows is known then.
	Err *kube.Error
	// Version is that of Kubernetes; Outdated says that it is too old.
	Version  string
	Outdated *kube.Error
	// UID identifies the cluster; empty if it is not known.
	UID string
	// Access is the most that the credentials may do, empty if that is less than
	// reading; CannotRead are the permissions that are missing for that.
	Access         registration.Access
	CannotRead     []kube.Permission
	PermissionsErr *kube.Error
	// ControlPlanes are the Deployments called istiod in the namespaces of known
	// meshes.
	ControlPlanes    []ControlPlane
	ControlPlanesErr *kube.Error
	// Discovered is what runs now; nil if nobody looked.
	Discovered *inventory.Cluster
}

// ControlPlane is the Deployment of a control plane.
type ControlPlane struct {
	Namespace, Name string
	// Labels are those of its pods.
	Labels map[string]string
	// Wanted and Available are numbers of pods.
	Wanted, Available int64
}

// usable reports whether the cluster answered.
func (m *MemberFacts) usable() bool { return m.RegistrationErr == nil && m.Err == nil }

// member returns what is known about a cluster, nil if nothing is.
func (f *Facts) member(cluster string) *MemberFacts {
	for i := range f.Members {
		if f.Members[i].Cluster == cluster {
			return &f.Members[i]
		}
	}
	return nil
}
