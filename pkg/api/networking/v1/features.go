package v1

import (
	"cmp"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// RetryPolicy configures retries of failed requests.
type RetryPolicy struct {
	// +kubebuilder:validation:Minimum=0
	Attempts      int32          `json:"attempts,omitempty"`
	PerTryTimeout *core.Duration `json:"perTryTimeout,omitempty"`
}

// FaultInjection delays or aborts a part of the requests.
//
// +kubebuilder:validation:XValidation:rule="has(self.fixedDelay) != has(self.abort)",message="exactly one of fixedDelay and abort is required"
type FaultInjection struct {
	FixedDelay *core.Duration `json:"fixedDelay,omitempty"`
	Abort      *Abort         `json:"abort,omitempty"`
	// Percentage of the requests; 100 if omitted.
	//
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percentage *float64 `json:"percentage,omitempty"`
}

// Abort responds to requests with a status instead of forwarding them.
type Abort struct {
	// +kubebuilder:validation:Minimum=200
	// +kubebuilder:validation:Maximum=599
	HTTPStatus int32 `json:"httpStatus"`
}

// CORSPolicy configures cross-origin requests of browsers.
type CORSPolicy struct {
	// +kubebuilder:validation:MaxItems=64
	AllowOrigins     []core.StringMatch `json:"allowOrigins,omitempty"`
	AllowMethods     []string           `json:"allowMethods,omitempty"`
	AllowHeaders     []string           `json:"allowHeaders,omitempty"`
	ExposeHeaders    []string           `json:"exposeHeaders,omitempty"`
	MaxAge           *core.Duration     `json:"maxAge,omitempty"`
	AllowCredentials *bool              `json:"allowCredentials,omitempty"`
}

// Mirror sends a copy of requests to another Destination.
type Mirror struct {
	// +kubebuilder:validation:Required
	// +kubebuilder:validation:XValidation:rule="has(self.name) && self.name != ''",message="name is required",reason="FieldValueRequired",fieldPath=".name"
	// +kubebuilder:validation:XValidation:rule="has(self.__namespace__) && self.__namespace__ != ''",message="namespace is required",reason="FieldValueRequired",fieldPath=".namespace"
	// +kubebuilder:validation:XValidation:rule="has(self.clusterName) && self.clusterName != ''",message="clusterName is required",reason="FieldValueRequired",fieldPath=".clusterName"
	KubeService *core.ClusterObjectRef `json:"kubeService,omitempty"`
	// Percentage of the requests; 100 if omitted.
	//
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percentage *float64 `json:"percentage,omitempty"`
	// Required only if the Service has several ports.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port uint32 `json:"port,omitempty"`
}

// OutlierDetection ejects failing endpoints. A field that is 0 or omitted has its default.
type OutlierDetection struct {
	// Consecutive errors before an endpoint is ejected; 5 by default.
	//
	// +kubebuilder:validation:Minimum=0
	ConsecutiveErrors uint32 `json:"consecutiveErrors,omitempty"`
	// Interval between checks of the endpoints; 10s by default.
	Interval *core.Duration `json:"interval,omitempty"`
	// Minimum time for which an endpoint is ejected; 30s by default.
	BaseEjectionTime *core.Duration `json:"baseEjectionTime,omitempty"`
	// Maximum percentage of ejected endpoints; 100 by default.
	//
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MaxEjectionPercent uint32 `json:"maxEjectionPercent,omitempty"`
}

// ConnectionPoolSettings limit the connections to a Destination.
type ConnectionPoolSettings struct {
	TCP  *TCPSettings  `json:"tcp,omitempty"`
	HTTP *HTTPSettings `json:"http,omitempty"`
}

// TCPSettings limit TCP connections.
type TCPSettings struct {
	// +kubebuilder:validation:Minimum=0
	MaxConnections int32              `json:"maxConnections,omitempty"`
	ConnectTimeout *core.Duration     `json:"connectTimeout,omitempty"`
	TCPKeepalive   *core.TCPKeepalive `json:"tcpKeepalive,omitempty"`
}

// HTTPSettings limit HTTP connections.
type HTTPSettings struct {
	// +kubebuilder:validation:Minimum=0
	HTTP1MaxPendingRequests int32 `json:"http1MaxPendingRequests,omitempty"`
	// +kubebuilder:validation:Minimum=0
	HTTP2MaxRequests int32 `json:"http2MaxRequests,omitempty"`
	// +kubebuilder:validation:Minimum=0
	MaxRequestsPerConnection int32 `json:"maxRequestsPerConnection,omitempty"`
	// +kubebuilder:validation:Minimum=0
	MaxRetries        int32           `json:"maxRetries,omitempty"`
	IdleTimeout       *core.Duration  `json:"idleTimeout,omitempty"`
	H2UpgradePolicy   H2UpgradePolicy `json:"h2UpgradePolicy,omitempty"`
	UseClientProtocol bool            `json:"useClientProtocol,omitempty"`
}

// H2UpgradePolicy says whether HTTP/1.1 connections are upgraded to HTTP/2.
//
// +kubebuilder:validation:Enum=DEFAULT;DO_NOT_UPGRADE;UPGRADE
type H2UpgradePolicy string

// Upgrade policies; DEFAULT is the default.
const (
	H2UpgradePolicyDefault      H2UpgradePolicy = "DEFAULT"
	H2UpgradePolicyDoNotUpgrade H2UpgradePolicy = "DO_NOT_UPGRADE"
	H2UpgradePolicyUpgrade      H2UpgradePolicy = "UPGRADE"
)

// OrDefault returns the policy, DEFAULT if it is unset.
func (p H2UpgradePolicy) OrDefault() H2UpgradePolicy { return cmp.Or(p, H2UpgradePolicyDefault) }

// MTLS configures how clients connect, by type of mesh.
type MTLS struct {
	Istio *IstioMTLS `json:"istio,omitempty"`
}

// IstioMTLS configures how Istio proxies connect.
type IstioMTLS struct {
	TLSMode TLSMode `json:"tlsMode,omitempty"`
}

// TLSMode is a client-side TLS mode.
//
// +kubebuilder:validation:Enum=DISABLE;SIMPLE;ISTIO_MUTUAL
type TLSMode string

// TLS modes; DISABLE is the default.
const (
	TLSModeDisable     TLSMode = "DISABLE"
	TLSModeSimple      TLSMode = "SIMPLE"
	TLSModeIstioMutual TLSMode = "ISTIO_MUTUAL"
)

// OrDefault returns the mode, DISABLE if it is unset.
func (m TLSMode) OrDefault() TLSMode { return cmp.Or(m, TLSModeDisable) }

// RouteSelector selects routes of gateways. It is preserved but not supported.
type RouteSelector struct {
	VirtualHostRefs     []core.ObjectRef     `json:"virtualHostRefs,omitempty"`
	VirtualHostSelector *core.ObjectSelector `json:"virtualHostSelector,omitempty"`
	RouteTableRefs      []core.ObjectRef     `json:"routeTableRefs,omitempty"`
	RouteTableSelector  *core.ObjectSelector `json:"routeTableSelector,omitempty"`
	RouteLabelMatcher   map[string]string    `json:"routeLabelMatcher,omitempty"`
}

// HeaderManipulation adds and removes headers.
type HeaderManipulation struct {
	RemoveResponseHeaders []string          `json:"removeResponseHeaders,omitempty"`
	AppendResponseHeaders map[string]string `json:"appendResponseHeaders,omitempty"`
	RemoveRequestHeaders  []string          `json:"removeRequestHeaders,omitempty"`
	AppendRequestHeaders  map[string]string `json:"appendRequestHeaders,omitempty"`
}
