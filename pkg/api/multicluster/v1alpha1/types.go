// Package v1alpha1 holds the KubernetesCluster resource.
//
// +kubebuilder:object:generate=true
// +groupName=multicluster.solo.io
package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the name of the API group.
const GroupName = "multicluster.solo.io"

// GroupVersion returns the API group and version of the resources.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}
}

// KubernetesCluster is a registered cluster.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=kubernetesclusters
type KubernetesCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	Spec KubernetesClusterSpec `json:"spec,omitempty,omitzero"`
	// Status reported by a controller. Its schema is open because controllers of other versions
	// write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status KubernetesClusterStatus `json:"status,omitempty,omitzero"`
}

// KubernetesClusterSpec is the configuration of access to the cluster.
type KubernetesClusterSpec struct {
	// The Secret with the kubeconfig, in the same namespace.
	SecretName string `json:"secretName,omitempty"`
	// The cluster's DNS domain; cluster.local if omitted.
	ClusterDomain string                `json:"clusterDomain,omitempty"`
	ProviderInfo  *apiextensionsv1.JSON `json:"providerInfo,omitempty"`
}

// KubernetesClusterStatus is the result of the registration.
type KubernetesClusterStatus struct {
	Status []apiextensionsv1.JSON `json:"status,omitempty"`
	// The namespace that meshctl uses in the cluster.
	Namespace string `json:"namespace,omitempty"`
	// Permissions of the registered credentials in the cluster.
	PolicyRules []PolicyRule `json:"policyRules,omitempty"`
}

// PolicyRule is a permission, as in a ClusterRole.
type PolicyRule struct {
	Verbs           []string `json:"verbs,omitempty"`
	APIGroups       []string `json:"apiGroups,omitempty"`
	Resources       []string `json:"resources,omitempty"`
	ResourceNames   []string `json:"resourceNames,omitempty"`
	NonResourceURLs []string `json:"nonResourceUrls,omitempty"`
}
