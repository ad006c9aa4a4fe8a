package v1

// DestinationSelector selects Destinations: those that match the matcher or
// are named by the references. An element with none of its fields set selects
// nothing.
type DestinationSelector struct {
	// Select Kubernetes Services by their labels, namespaces and clusters.
	KubeServiceMatcher *KubeServiceMatcher `json:"kubeServiceMatcher,omitempty"`
	// Select Kubernetes Services by name.
	KubeServiceRefs *KubeServiceRefs `json:"kubeServiceRefs,omitempty"`
	// Select external services by labels and namespaces.
	ExternalServiceMatcher *ObjectMatcher `json:"externalServiceMatcher,omitempty"`
	// Select external services by name.
	ExternalServiceRefs *ExternalServiceRefs `json:"externalServiceRefs,omitempty"`
	// Select virtual destinations by labels and namespaces.
	VirtualDestinationMatcher *ObjectMatcher `json:"virtualDestinationMatcher,omitempty"`
	// Select virtual destinations by name.
	VirtualDestinationRefs *VirtualDestinationRefs `json:"virtualDestinationRefs,omitempty"`
}

// KubeServiceMatcher selects Kubernetes Services; all fields that are set must
// match, an omitted one matches everything.
type KubeServiceMatcher struct {
	// Labels of the Service itself.
	Labels     map[string]string `json:"labels,omitempty"`
	Namespaces []string          `json:"namespaces,omitempty"`
	Clusters   []string          `json:"clusters,omitempty"`
}

// KubeServiceRefs names Kubernetes Services.
type KubeServiceRefs struct {
	// +kubebuilder:validation:MaxItems=512
	// +kubebuilder:validation:items:XValidation:rule="has(self.name) && self.name != ''",message="name is required",reason="FieldValueRequired",fieldPath=".name"
	// +kubebuilder:validation:items:XValidation:rule="has(self.__namespace__) && self.__namespace__ != ''",message="namespace is required",reason="FieldValueRequired",fieldPath=".namespace"
	// +kubebuilder:validation:items:XValidation:rule="has(self.clusterName) && self.clusterName != ''",message="clusterName is required",reason="FieldValueRequired",fieldPath=".clusterName"
	Services []ClusterObjectRef `json:"services,omitempty"`
}

// ObjectMatcher selects objects of the management cluster by labels and
// namespaces.
type ObjectMatcher struct {
	Labels     map[string]string `json:"labels,omitempty"`
	Namespaces []string          `json:"namespaces,omitempty"`
}

// ExternalServiceRefs names external services.
type ExternalServiceRefs struct {
	ExternalServices []ObjectRef `json:"externalServices,omitempty"`
}

// VirtualDestinationRefs names virtual destinations.
type VirtualDestinationRefs struct {
	VirtualDestinations []ObjectRef `json:"virtualDestinations,omitempty"`
}

// WorkloadSelector selects workloads as the source of requests. An element
// without matcher selects all of them.
type WorkloadSelector struct {
	KubeWorkloadMatcher *KubeWorkloadMatcher `json:"kubeWorkloadMatcher,omitempty"`
}

// KubeWorkloadMatcher selects Kubernetes workloads; all fields that are set
// must match, an omitted one matches everything.
type KubeWorkloadMatcher struct {
	// Labels of the workload's pods.
	Labels     map[string]string `json:"labels,omitempty"`
	Namespaces []string          `json:"namespaces,omitempty"`
	Clusters   []string          `json:"clusters,omitempty"`
}

// IdentitySelector selects callers by identity and by properties of their requests; all fields
// that are set must match.
type IdentitySelector struct {
	// Select workload identities by namespace and cluster.
	KubeIdentityMatcher *KubeIdentityMatcher `json:"kubeIdentityMatcher,omitempty"`
	// Select workload identities by service account.
	KubeServiceAccountRefs *KubeServiceAccountRefs `json:"kubeServiceAccountRefs,omitempty"`
	// Select requests by the principal of their token.
	RequestIdentityMatcher *RequestIdentityMatcher `json:"requestIdentityMatcher,omitempty"`
	// Select requests by the addresses they were forwarded from.
	RequestIPMatcher *RequestIPMatcher `json:"requestIpMatcher,omitempty"`
}

// KubeIdentityMatcher selects workload identities.
type KubeIdentityMatcher struct {
	Namespaces []string `json:"namespaces,omitempty"`
	Clusters   []string `json:"clusters,omitempty"`
}

// KubeServiceAccountRefs names service accounts; an empty field of a reference
// matches any value.
type KubeServiceAccountRefs struct {
	ServiceAccounts []ClusterObjectRef `json:"serviceAccounts,omitempty"`
}

// RequestIdentityMatcher selects requests by the principal of their token,
// written ISSUER/SUBJECT.
type RequestIdentityMatcher struct {
	RequestPrincipals    []string `json:"requestPrincipals,omitempty"`
	NotRequestPrincipals []string `json:"notRequestPrincipals,omitempty"`
}

// RequestIPMatcher selects requests by forwarded addresses, as single addresses or CIDR
// ranges.
type RequestIPMatcher struct {
	ForwardedIPs    []string `json:"forwardedIPs,omitempty"`
	NotForwardedIPs []string `json:"notForwardedIPs,omitempty"`
}
