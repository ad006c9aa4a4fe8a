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

// Labels of the objects of a registration, in both clusters.
const (
	// RegisteredAsLabel is the name of the registered cluster.
	RegisteredAsLabel = "registration.meshctl.io/cluster"
	// ManagementLabel is the UID of the management cluster. It prevents two management clusters
	// from treating each other's objects as their own.
	ManagementLabel = "registration.meshctl.io/management"
	// ClusterUIDLabel is, on a KubernetesCluster, the UID of the registered cluster. It prevents
	// the registration of one cluster under two names.
	ClusterUIDLabel = "registration.meshctl.io/uid"
)

// Annotations of a KubernetesCluster with the options of the user, so that repeating a
// registration keeps them.
const (
	accessAnnotation  = "registration.meshctl.io/access"
	addressAnnotation = "registration.meshctl.io/api-server-address"
)

// DefaultClusterDomain is the default DNS domain of a cluster.
const DefaultClusterDomain = "cluster.local"

// membership holds the values from which all objects of a registration are built.
type membership struct {
	cluster string
	// namespace is in the management cluster, remoteNamespace in the registered one.
	namespace, remoteNamespace string
	clusterDomain              string
	access                     Access
	// address is the address of the API server that the user specified.
	address                  string
	managementUID, remoteUID string
}

// labels returns the labels of every object of the registration. They distinguish its objects
// from all others.
func (m membership) labels() map[string]string {
	return map[string]string{kube.ManagedByLabel: kube.ManagedBy, RegisteredAsLabel: m.cluster, ManagementLabel: m.managementUID}
}

// roleName returns the name of the ClusterRole and its binding.
func (m membership) roleName() string { return "meshctl-" + m.cluster }

// tokenSecretName returns the name of the n-th token Secret. Each rotation increments n.
func (m membership) tokenSecretName(n int) string {
	if n <= 1 {
		return m.cluster + "-token"
	}
	return fmt.Sprintf("%s-token-%d", m.cluster, n)
}

func (m membership) rules() []rbacv1.PolicyRule {
	return append(MemberRules(m.access), selfRemovalRule(m.roleName()))
}

// remoteNamespaceLabels returns the labels of a namespace created by the registration. Sidecar
// injection is disabled there.
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

// ownedBy returns an owner reference to the ClusterRole, nil if its UID is not known yet.
// Kubernetes deletes owned objects along with it.
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

// tokenSecret returns the Secret for a token. The cluster fills it in, and deletes it together
// with the service account.
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

// kubeconfigSecret returns the Secret stored in the management cluster.
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

// kubernetesClusterStatus returns the KubernetesCluster with only its status.
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
		panic(err) // a type of ours that cannot be encoded is a bug, not an input error
	}
	delete(content, "spec")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	return &unstructured.Unstructured{Object: content}
}

// kubeconfig returns a complete kubeconfig in which cluster, user and context are named like
// the registered cluster.
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

// toUnstructured returns a typed object in the form that is applied: without status and
// server-maintained fields.
func toUnstructured(object runtime.Object) *unstructured.Unstructured {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		panic(err) // a Kubernetes type that cannot be encoded is a bug, not an input error
	}
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	delete(content, "status")
	if spec, isMap := content["spec"].(map[string]any); isMap && len(spec) == 0 {
		delete(content, "spec")
	}
	return &unstructured.Unstructured{Object: content}
}
