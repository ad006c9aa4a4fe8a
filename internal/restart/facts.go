package restart

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// The kinds that have a rolling restart.
const (
	kindDeployment  = "Deployment"
	kindDaemonSet   = "DaemonSet"
	kindStatefulSet = "StatefulSet"
)

// Ref identifies an object that creates pods, or a pod without a controller.
type Ref struct {
	// Kind is the kind. Kinds of other API groups include the group, such as
	// Rollout.argoproj.io.
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns KIND/NAME.NAMESPACE with the kind in lower case.
func (r Ref) String() string { return strings.ToLower(r.Kind) + "/" + r.Name + "." + r.Namespace }

// Facts are the objects that Inspect read from one cluster, in any order.
type Facts struct {
	// Cluster is the name of the cluster.
	Cluster string
	// Meshes are the meshes of the cluster.
	Meshes []MeshFacts

	Deployments  []appsv1.Deployment
	DaemonSets   []appsv1.DaemonSet
	StatefulSets []appsv1.StatefulSet
	ReplicaSets  []appsv1.ReplicaSet // metadata only
	Pods         []corev1.Pod
	// Budgets are the PodDisruptionBudgets; also empty if they cannot be listed.
	Budgets []policyv1.PodDisruptionBudget
}

// MeshFacts are the facts about one mesh.
type MeshFacts struct {
	// Name and Namespace identify the Mesh resource.
	Name, Namespace string
	// InstallationNamespace is the namespace of the control plane.
	InstallationNamespace string
	// ControlPlane is the Deployment of the control plane; the zero value if there is none.
	ControlPlane Ref
	// Members are the pods that have a proxy of the mesh.
	Members []Member
	// TrustChanged is when the CA of the control plane last changed, in the API server's time.
	// It is zero if the control plane uses a self-generated CA.
	TrustChanged time.Time
	// TrustErr is why TrustChanged could not be determined.
	TrustErr error
}

// Member is a pod with a proxy.
type Member struct {
	Namespace, Name string
	// Owner is the top-level controller of the pod; the zero value if it has none.
	Owner Ref
	// Gateway is true if the pod is a gateway.
	Gateway bool
}
