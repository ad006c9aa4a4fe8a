package registration

import (
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshctl/meshctl/internal/kube"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
)

// The labels of what registration makes, on either side.
const (
	// RegisteredAsLabel has the name that the cluster is registered under.
	RegisteredAsLabel = "registration.meshctl.io/cluster"
	// ManagementLabel has the UID of the management cluster, so that two
	// management clusters never take each other's objects for their own.
	ManagementLabel = "registration.meshctl.io/management"
	// ClusterUIDLabel has, on a KubernetesCluster, the UID of the registered
	// cluster, so that the same cluster is not registered under two names.
	ClusterUIDLabel = "registration.meshctl.io/uid"
)

// The annotations of a KubernetesCluster, with what the user chose, so that
// repeating a registration keeps it.
const (
	accessAnnotation  = "registration.meshctl.io/access"
	addressAnnotation = "registration.meshctl.io/api-server-address"
)

// DefaultClusterDomain is the DNS domain of a cluster that says nothing else.
const DefaultClusterDomain = "cluster.local"

// membership is what all objects of one registration are made from.
type membership struct {
	cluster string
	// namespace is on the management cluster, remoteNamespace on the other one.
	namespace, remoteNamespace string
	clusterDomain              string
	access                     Access
	// address is what the user said about the address of the API server.
	address                  string
	managementUID, remoteUID string
}

// labels are those of every object of the registration, and what tells them
// from everyone else's.
func (m membership) labels() map[string]string {
	return map[string]string{kube.ManagedByLabel: kube.ManagedBy, RegisteredAsLabel: m.cluster, ManagementLabel: m.managementUID}
}

// roleName is the name of the ClusterRole and of its binding.
func (m membership) roleName() string { return "meshctl-" + m.cluster }

// tokenSecretName returns the name of the n-th token Secret, which changes with
// every rotation.
func (m membership) tokenSecretName(n int) string {
	if n <= 1 {
		return m.cluster + "-token"
	}
	return fmt.Sprintf("%s-token-%d", m.cluster, n)
}

func (m membership) rules() []rbacv1.PolicyRule {
	return append(MemberRules(m.access), withdrawalRule(m.roleName()))
}

// remoteNamespaceLabels are those of the namespace if registration makes it: no
// sidecars are wanted there.
func (m membership) remoteNamespaceLabels() map[string]string {
	labels := m.labels()
	labels["istio-injection"] = "disabled"
	return labels
}

func (m membership) clusterRole() *unstructured.Unstructured {
	return toUnstructured(&rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: m.roleName(), Labels: m.labels()},
		Rules:      m.rules(),
	})
}

// ownedBy returns an owner reference to the ClusterRole, nil if its UID is not
// known yet. Kubernetes removes what it owns when it is deleted.
func (m membership) ownedBy(role types.UID) []metav1.OwnerReference {
	if role == "" {
		return nil
	}
	return []metav1.OwnerReference{{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole", Name: m.roleName(), UID: role}}
}

func (m membership) serviceAccount(role types.UID) *unstructured.Unstructured {
	return toUnstructured(&corev1.ServiceAccount{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta: metav1.ObjectMeta{Name: m.cluster, Namespace: m.remoteNamespace, Labels: m.labels(), OwnerReferences: m.ownedBy(role)},
	})
}

func (m membership) clusterRoleBinding(role types.UID) *unstructured.Unstructured {
	return toUnstructured(&rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: m.roleName(), Labels: m.labels(), OwnerReferences: m.ownedBy(role)},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: m.roleName()},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: m.cluster, Namespace: m.remoteNamespace}},
	})
}

// tokenSecret is filled in by the cluster; it lives as long as the service
// account.
func (m membership) tokenSecret(name string) *unstructured.Unstructured {
	return toUnstructured(&corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: m.remoteNamespace, Labels: m.labels(),
			Annotations: map[string]string{corev1.ServiceAccountNameKey: m.cluster},
		},
		Type: corev1.SecretTypeServiceAccountToken,
	})
}

// kubeconfigSecret is what the management cluster keeps (semantics 8.1, step 6).
func (m membership) kubeconfigSecret(kubeconfig []byte) *unstructured.Unstructured {
	return toUnstructured(&corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: m.cluster, Namespace: m.namespace, Labels: m.labels()},
		Type:       kube.KubeconfigSecretType,
		Data:       map[string][]byte{kube.KubeconfigSecretKey: kubeconfig},
	})
}

func (m membership) kubernetesCluster() *unstructured.Unstructured {
	labels := m.labels()
	labels[ClusterUIDLabel] = m.remoteUID
	annotations := map[string]string{accessAnnotation: string(m.access)}
	if m.address != "" {
		annotations[addressAnnotation] = m.address
	}
	return toUnstructured(&multiclusterv1alpha1.KubernetesCluster{
		TypeMeta:   metav1.TypeMeta{APIVersion: multiclusterv1alpha1.GroupVersion().String(), Kind: "KubernetesCluster"},
		ObjectMeta: metav1.ObjectMeta{Name: m.cluster, Namespace: m.namespace, Labels: labels, Annotations: annotations},
		Spec:       multiclusterv1alpha1.KubernetesClusterSpec{SecretName: m.cluster, ClusterDomain: m.clusterDomain},
	})
}

// kubernetesClusterStatus is the same object with nothing but its status.
func (m membership) kubernetesClusterStatus() *unstructured.Unstructured {
	status := multiclusterv1alpha1.KubernetesClusterStatus{Namespace: m.remoteNamespace}
	for _, rule := range m.rules() {
		status.PolicyRules = append(status.PolicyRules, multiclusterv1alpha1.PolicyRule{
			Verbs: rule.Verbs, APIGroups: rule.APIGroups, Resources: rule.Resources, ResourceNames: rule.ResourceNames,
		})
	}
	cluster := &multiclusterv1alpha1.KubernetesCluster{Status: status}
	cluster.APIVersion, cluster.Kind = multiclusterv1alpha1.GroupVersion().String(), "KubernetesCluster"
	cluster.Name, cluster.Namespace = m.cluster, m.namespace
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(cluster)
	if err != nil {
		panic(err) // a type of ours that cannot be encoded: no input can cause it
	}
	delete(content, "spec")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	return &unstructured.Unstructured{Object: content}
}

// kubeconfig returns a complete kubeconfig whose cluster, user and context are
// all called like the registered cluster (semantics 8.1, step 5).
func (e endpoint) kubeconfig(cluster, token string) ([]byte, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{
		Server: e.server, CertificateAuthorityData: e.ca, InsecureSkipTLSVerify: e.insecure, TLSServerName: e.tlsServerName, ProxyURL: e.proxy,
	}
	config.AuthInfos[cluster] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: cluster}
	config.CurrentContext = cluster
	text, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("encode the kubeconfig of cluster %s: %w", cluster, err)
	}
	return text, nil
}

// newNamespace returns a namespace with labels.
func newNamespace(name string, labels map[string]string) *unstructured.Unstructured {
	return toUnstructured(&corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: maps.Clone(labels)},
	})
}

// toUnstructured returns a typed object in the form that is applied: without a
// status and without what the cluster maintains.
func toUnstructured(object runtime.Object) *unstructured.Unstructured {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		panic(err) // a Kubernetes type that cannot be encoded: no input can cause it
	}
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	delete(content, "status")
	if spec, isMap := content["spec"].(map[string]any); isMap && len(spec) == 0 {
		delete(content, "spec")
	}
	return &unstructured.Unstructured{Object: content}
}
