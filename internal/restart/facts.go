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

// Ref names an object of a cluster that makes pods, or a pod that nothing makes.
type Ref struct {
	// Kind is the name of the kind; one of another API group carries it, such as
	// Rollout.argoproj.io.
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns kind/NAME.NAMESPACE.
func (r Ref) String() string { return strings.ToLower(r.Kind) + "/" + r.Name + "." + r.Namespace }

// Facts are what Inspect read of one cluster, in any order.
type Facts struct {
	// Cluster is the name of the cluster.
	Cluster string
	// Meshes are those of the cluster.
	Meshes []MeshFacts

	Deployments  []appsv1.Deployment
	DaemonSets   []appsv1.DaemonSet
	StatefulSets []appsv1.StatefulSet
	ReplicaSets  []appsv1.ReplicaSet // only their metadata is read
	Pods         []corev1.Pod
	// Budgets are the PodDisruptionBudgets; empty also if they may not be listed.
	Budgets []policyv1.PodDisruptionBudget
}

// MeshFacts are what is known of one mesh.
type MeshFacts struct {
	// Name and Namespace are those of the Mesh resource.
	Name, Namespace string
	// InstallationNamespace is where the control plane runs.
	InstallationNamespace string
	// ControlPlane is the Deployment of the control plane; the zero value if the
	// mesh has none.
	ControlPlane Ref
	// Members are the pods with a proxy of the mesh.
	Members []Member
	// TrustChanged is when the certificate authority of the control plane last
	// changed, in the API server's time. It is zero if the control plane signs with
	// a certificate authority of its own.
	TrustChanged time.Time
	// TrustErr is why TrustChanged could not be found out.
	TrustErr error
}

// Member is a pod with a proxy.
type Member struct {
	Namespace, Name string
	// Owner controls the pod in the end; the zero value means that nothing does.
	Owner Ref
	// Gateway says that the pod is a gateway.
	Gateway bool
}
