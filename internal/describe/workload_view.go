package describe

import (
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/reach"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// WorkloadDescriptionList is what `describe workload -o json` prints.
type WorkloadDescriptionList struct {
	APIVersion string                `json:"apiVersion"`
	Kind       string                `json:"kind"`
	Items      []WorkloadDescription `json:"items"`
	// Findings are about the listed workloads, or the whole world if all are
	// listed.
	Findings []Finding `json:"findings,omitempty"`
}

// WorkloadDescription describes everything that affects one workload.
type WorkloadDescription struct {
	Name           string            `json:"name"`
	Namespace      string            `json:"namespace"`
	Cluster        string            `json:"cluster"`
	Kind           string            `json:"kind"`
	ServiceAccount string            `json:"serviceAccount,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	// Identity is a SPIFFE URI.
	Identity    string              `json:"identity,omitempty"`
	Mesh        *MeshSummary        `json:"mesh,omitempty"`
	VirtualMesh *VirtualMeshSummary `json:"virtualMesh,omitempty"`
	// Facts are those of the resource; absent ones are not known.
	Facts    *discoveryv1.WorkloadFacts `json:"facts,omitempty"`
	Policies []*PolicyEffect            `json:"policies,omitempty"`
	// Outbound is omitted in summaries.
	Outbound []OutboundDestination `json:"outbound,omitempty"`
	// The counts are of the destinations missing from Outbound, which no policy
	// mentions, by what becomes of calls to them.
	DeniedByDefaultCount  int                  `json:"deniedByDefaultCount,omitempty"`
	AllowedByDefaultCount int                  `json:"allowedByDefaultCount,omitempty"`
	UnreachableCount      int                  `json:"unreachableCount,omitempty"`
	ConditionalCount      int                  `json:"conditionalCount,omitempty"`
	UnknownCount          int                  `json:"unknownCount,omitempty"`
	Inbound               []InboundDestination `json:"inbound,omitempty"`

	// findings is the number of findings about this workload, for the table.
	findings int
	// unwritten are the policies and the virtual mesh whose present version is
	// not applied to all clusters.
	unwritten []string
	detailed  bool
}

// Key returns NAME.NAMESPACE.CLUSTER.
func (w *WorkloadDescription) Key() string {
	return ServiceRef{w.Name, w.Namespace, w.Cluster}.String()
}

// MeshSummary is the mesh of a workload.
type MeshSummary struct {
	Name        string `json:"name"`
	Namespace   string `json:"namespace"`
	Type        string `json:"type"`
	Version     string `json:"version,omitempty"`
	TrustDomain string `json:"trustDomain,omitempty"`
}

// VirtualMeshSummary is the virtual mesh of a workload's mesh; an INVALID one is
// shown only if the mesh belongs to no accepted one.
type VirtualMeshSummary struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// State is ACCEPTED or INVALID.
	State              string            `json:"state"`
	Trust              policy.TrustModel `json:"trust"`
	GlobalAccessPolicy string            `json:"globalAccessPolicy"`
	TLSEnforcement     string            `json:"tlsEnforcement"`
}

// PolicyEffect is one policy that affects a workload.
type PolicyEffect struct {
	Kind      string       `json:"kind"`
	Namespace string       `json:"namespace"`
	Name      string       `json:"name"`
	Role      policy.Role  `json:"role"`
	State     policy.State `json:"state"`
	Fields    []string     `json:"fields,omitempty"`
	// Destinations are NAME.NAMESPACE.CLUSTER of those on which the policy is
	// effective; summaries only have their number.
	Destinations     []string `json:"destinations,omitempty"`
	DestinationCount *int     `json:"destinationCount,omitempty"`
	Errors           []string `json:"errors,omitempty"`
}

// OutboundDestination is one Destination as seen by the calling workload.
type OutboundDestination struct {
	Destination ServiceRef `json:"destination"`
	Hostname    string     `json:"hostname"`
	Via         policy.Via `json:"via"`
	Access      Access     `json:"access"`
	// Routes are tried in order; the first one that matches a request is used.
	Routes []Route `json:"routes,omitempty"`
	// Connection applies to all connections from the workload's cluster.
	Connection []ConnectionSetting `json:"connection,omitempty"`
	Rejected   []RejectedSetting   `json:"rejected,omitempty"`
	// Targets are the Destinations to which shifts and mirrors send requests,
	// with the verdict about these calls.
	Targets []Target `json:"targets,omitempty"`

	// meshRetries describes the retries of routes without any; empty for Istio's own.
	meshRetries string
}

// Target is a Destination to which requests for another one are sent.
type Target struct {
	Destination ServiceRef `json:"destination"`
	// Subset is set for pods with these labels if there are none.
	Subset map[string]string `json:"subset,omitempty"`
	Access Access            `json:"access"`
}

// Route is one class of requests and its settings.
type Route struct {
	// Match is absent if every request matches.
	Match *RequestMatch `json:"match,omitempty"`
	Ports []uint32      `json:"ports,omitempty"`
	// Settings is absent for the default route.
	Settings []Setting `json:"settings,omitempty"`
}

// RequestMatch describes which requests match; all fields that are set must
// match.
type RequestMatch struct {
	URI             *core.StringMatch            `json:"uri,omitempty"`
	Method          string                       `json:"method,omitempty"`
	Headers         []core.HeaderMatcher         `json:"headers,omitempty"`
	QueryParameters []core.QueryParameterMatcher `json:"queryParameters,omitempty"`
}

// Setting is one effective request setting.
type Setting struct {
	Field string `json:"field"`
	// Value has the form of the manifest field, with defaults filled in.
	Value  any       `json:"value"`
	Policy ObjectRef `json:"policy"`
	// Inherited is true if the setting comes from a broader policy.
	Inherited bool `json:"inherited,omitempty"`
}

// ConnectionSetting is one effective connection setting.
type ConnectionSetting struct {
	Field string `json:"field"`
	Value any    `json:"value"`
	// Policy is the TrafficPolicy, or the VirtualMesh for tcpKeepalive.
	Policy ObjectRef `json:"policy"`
	// Ports is absent if the setting applies to all ports.
	Ports []uint32 `json:"ports,omitempty"`
}

// RejectedSetting is a setting of a policy that is not effective.
type RejectedSetting struct {
	Policy ObjectRef `json:"policy"`
	// Field is absent if the whole policy is INVALID.
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	// Winner is the policy that is effective instead, if any.
	Winner *ObjectRef `json:"winner,omitempty"`
}

// Access is the verdict about a call.
type Access struct {
	Verdict reach.Decision `json:"verdict"`
	// Stage and Code say where and why calls fail, or what they depend on; absent
	// from calls that are allowed.
	Stage  reach.Stage `json:"stage,omitempty"`
	Code   reach.Code  `json:"code,omitempty"`
	Reason string      `json:"reason"`
	// Policies are the AccessPolicies that decide; none if the default applies.
	Policies []ObjectRef `json:"policies,omitempty"`
	// Conditions are alternatives.
	Conditions []Condition `json:"conditions,omitempty"`
	// Ports has one verdict per port of the Service if the ports differ.
	Ports []PortAccess `json:"ports,omitempty"`
	// Assumed are facts that nobody knows and that the verdict depends on.
	Assumed []string `json:"assumed,omitempty"`
	// Further are obstacles behind the one that decides.
	Further []Obstacle `json:"further,omitempty"`
}

// PortAccess is the verdict about calls to one port.
type PortAccess struct {
	Port    uint32         `json:"port"`
	Verdict reach.Decision `json:"verdict"`
	Stage   reach.Stage    `json:"stage,omitempty"`
	Code    reach.Code     `json:"code,omitempty"`
	Reason  string         `json:"reason,omitempty"`
}

// Obstacle is something that makes calls fail.
type Obstacle struct {
	Stage  reach.Stage `json:"stage"`
	Code   reach.Code  `json:"code"`
	Reason string      `json:"reason"`
	// Ports is absent if all ports are concerned.
	Ports []uint32 `json:"ports,omitempty"`
	// Object is KIND/NAME.NAMESPACE; absent if no resource causes it.
	Object string `json:"object,omitempty"`
}

// Condition is a requirement for requests; absent lists do not restrict.
type Condition struct {
	Paths   []string `json:"paths,omitempty"`
	Methods []string `json:"methods,omitempty"`
	Ports   []uint32 `json:"ports,omitempty"`
	RequestCondition
}

// RequestCondition restricts a request by its own credentials and addresses.
type RequestCondition struct {
	RequestPrincipals    []string `json:"requestPrincipals,omitempty"`
	NotRequestPrincipals []string `json:"notRequestPrincipals,omitempty"`
	ForwardedIPs         []string `json:"forwardedIPs,omitempty"`
	NotForwardedIPs      []string `json:"notForwardedIPs,omitempty"`
}

// InboundDestination is one Destination that selects the workload.
type InboundDestination struct {
	Destination       ServiceRef      `json:"destination"`
	Hostname          string          `json:"hostname"`
	FederatedHostname string          `json:"federatedHostname,omitempty"`
	FederatedTo       []ObjectRef     `json:"federatedTo,omitempty"`
	TrafficPolicies   []AppliedPolicy `json:"trafficPolicies,omitempty"`
	Access            InboundAccess   `json:"access"`
}

// AppliedPolicy is a TrafficPolicy on a Destination.
type AppliedPolicy struct {
	Namespace string       `json:"namespace"`
	Name      string       `json:"name"`
	State     policy.State `json:"state"`
	Fields    []string     `json:"fields,omitempty"`
}

// InboundAccess describes who may call.
type InboundAccess struct {
	// Default is ALLOW or DENY: the decision for callers that no rule allows.
	Default string       `json:"default"`
	Rules   []AccessRule `json:"rules,omitempty"`
}

// AccessRule is one alternative that allows callers.
type AccessRule struct {
	Policy ObjectRef `json:"policy"`
	// Destination is set for a rule of another Destination with the same pods.
	Destination *ServiceRef `json:"destination,omitempty"`
	// From is absent if every source is allowed.
	From *AccessSource `json:"from,omitempty"`
	// To is absent if every request is allowed.
	To *AccessOperation `json:"to,omitempty"`
}

// AccessSource lists alternatives: one of the principals or one of the
// namespaces.
type AccessSource struct {
	Principals []string `json:"principals,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"`
	// Nobody is true if the selectors resolve to no identity.
	Nobody bool `json:"nobody,omitempty"`
	RequestCondition
}

// AccessOperation restricts what callers may do; absent lists do not restrict.
type AccessOperation struct {
	Paths   []string `json:"paths,omitempty"`
	Methods []string `json:"methods,omitempty"`
	Ports   []uint32 `json:"ports,omitempty"`
}

// NeedsAttention reports whether there is an error or a warning among the
// findings.
func (l WorkloadDescriptionList) NeedsAttention() bool { return needAttention(l.Findings) }
