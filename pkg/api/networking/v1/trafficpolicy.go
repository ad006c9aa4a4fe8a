package v1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// TrafficPolicy configures requests from sources to Destinations.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=trafficpolicies,shortName=tp
// +kubebuilder:printcolumn:name=State,type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name=Written,type=string,JSONPath=`.status.meshctl.written`,description="Clusters that have its configuration"
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=`.metadata.creationTimestamp`
type TrafficPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	Spec TrafficPolicySpec `json:"spec,omitempty,omitzero"`
	// Status reported by a controller. Its schema is open because controllers of other versions
	// write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status TrafficPolicyStatus `json:"status,omitempty,omitzero"`
}

// TrafficPolicySpec is the configuration of a TrafficPolicy.
//
// +kubebuilder:validation:XValidation:rule="!has(self.policy) || !has(self.policy.outlierDetection) || !has(self.sourceSelector) || size(self.sourceSelector) == 0",message="outlierDetection applies to all sources and excludes sourceSelector"
type TrafficPolicySpec struct {
	// Sources of the requests; all if omitted.
	//
	// +kubebuilder:validation:MaxItems=256
	SourceSelector []core.WorkloadSelector `json:"sourceSelector,omitempty"`
	// Destinations of the requests; all if omitted.
	//
	// +kubebuilder:validation:MaxItems=256
	DestinationSelector []core.DestinationSelector `json:"destinationSelector,omitempty"`
	// Routes of gateways. Preserved but not supported.
	//
	// +kubebuilder:validation:MaxItems=256
	RouteSelector []RouteSelector `json:"routeSelector,omitempty"`
	// Requests to which the policy applies; all if omitted.
	//
	// +kubebuilder:validation:MaxItems=64
	HTTPRequestMatchers []core.HTTPMatcher   `json:"httpRequestMatchers,omitempty"`
	Policy              *TrafficPolicyPolicy `json:"policy,omitempty"`
	// Ports of the Destinations; all if omitted.
	//
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=65535
	DestinationPorts []uint32 `json:"destinationPorts,omitempty"`
}

// TrafficPolicyPolicy holds the settings of a TrafficPolicy. Those without a type are
// preserved but not supported.
type TrafficPolicyPolicy struct {
	// Send requests to other Destinations.
	TrafficShift *MultiDestination `json:"trafficShift,omitempty"`
	// Delay or abort requests.
	FaultInjection *FaultInjection `json:"faultInjection,omitempty"`
	RequestTimeout *core.Duration  `json:"requestTimeout,omitempty"`
	Retries        *RetryPolicy    `json:"retries,omitempty"`
	CORSPolicy     *CORSPolicy     `json:"corsPolicy,omitempty"`
	// Send a copy of requests to another Destination.
	Mirror             *Mirror             `json:"mirror,omitempty"`
	HeaderManipulation *HeaderManipulation `json:"headerManipulation,omitempty"`
	// Eject failing endpoints.
	OutlierDetection *OutlierDetection `json:"outlierDetection,omitempty"`
	// How clients connect.
	MTLS                   *MTLS                   `json:"mtls,omitempty"`
	CSRF                   *apiextensionsv1.JSON   `json:"csrf,omitempty"`
	RateLimit              *apiextensionsv1.JSON   `json:"rateLimit,omitempty"`
	Extauth                *apiextensionsv1.JSON   `json:"extauth,omitempty"`
	RateLimitSettings      *apiextensionsv1.JSON   `json:"rateLimitSettings,omitempty"`
	ExtauthSettings        *apiextensionsv1.JSON   `json:"extauthSettings,omitempty"`
	ConnectionPoolSettings *ConnectionPoolSettings `json:"connectionPoolSettings,omitempty"`
	Transformations        *apiextensionsv1.JSON   `json:"transformations,omitempty"`
}
