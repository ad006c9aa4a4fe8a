package describe

import "github.com/meshctl/meshctl/internal/policy"

// DestinationDescriptionList is what `describe destination -o json` prints.
type DestinationDescriptionList = List[*DestinationDescription]

// DestinationDescription says what a Destination is and what affects requests
// to it.
type DestinationDescription struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Cluster is absent for external services.
	Cluster string `json:"cluster,omitempty"`
	// Type is that of the Service as the API spells it, or EXTERNAL for a
	// service outside of all clusters, on which policies do not act.
	Type     string            `json:"type"`
	Labels   map[string]string `json:"labels,omitempty"`
	Selector map[string]string `json:"selector,omitempty"`
	Ports    []PortDescription `json:"ports,omitempty"`
	// Hostname is what the own cluster calls it by.
	Hostname string `json:"hostname,omitempty"`
	// Hosts are the names of an external service.
	Hosts             []string            `json:"hosts,omitempty"`
	ExternalAddresses []string            `json:"externalAddresses,omitempty"`
	Mesh              *MeshSummary        `json:"mesh,omitempty"`
	VirtualMesh       *VirtualMeshSummary `json:"virtualMesh,omitempty"`
	FederatedHostname string              `json:"federatedHostname,omitempty"`
	FederatedTo       []ObjectRef         `json:"federatedTo,omitempty"`
	// FederatedVia says how requests of other clusters arrive: gateway or flat.
	FederatedVia policy.Via `json:"federatedVia,omitempty"`
	// Gateway is set if the Destination is an east-west gateway of its mesh.
	Gateway *GatewayDescription `json:"gateway,omitempty"`
	// Workloads are NAME.NAMESPACE.CLUSTER of those behind it; summaries only
	// have their number.
	Workloads     []string `json:"workloads,omitempty"`
	WorkloadCount *int     `json:"workloadCount,omitempty"`
	// TrafficPolicies are in the order in which they take precedence, those
	// that are INVALID everywhere last.
	TrafficPolicies []PolicyOnDestination `json:"trafficPolicies,omitempty"`
	AccessPolicies  []PolicyOnDestination `json:"accessPolicies,omitempty"`
	// Access, Requests and Rejected are left out of summaries.
	Access   []DestinationAccess `json:"access,omitempty"`
	Requests []OriginRequests    `json:"requests,omitempty"`
	Rejected []RejectedSetting   `json:"rejected,omitempty"`

	findings int
}

// PortDescription is one port of a Destination.
type PortDescription struct {
	Port uint32 `json:"port"`
	Name string `json:"name,omitempty"`
	// Protocol is the one that proxies assume, absent if they have to guess.
	Protocol string `json:"protocol,omitempty"`
	// TargetPort is a number or name of the pods' ports, absent if it is the
	// port itself.
	TargetPort string `json:"targetPort,omitempty"`
	NodePort   uint32 `json:"nodePort,omitempty"`
	// Routes says whether settings of requests apply to the port; it needs an
	// HTTP protocol, or none declared.
	Routes bool `json:"routes"`
}

// GatewayDescription is an east-west gateway.
type GatewayDescription struct {
	Service ServiceRef `json:"service"`
	// Addresses are what other clusters connect to, at ExternalPort.
	Addresses     []string `json:"addresses,omitempty"`
	ExternalPort  uint32   `json:"externalPort"`
	ContainerPort uint32   `json:"containerPort"`
}

// PolicyOnDestination is a policy that selects a Destination.
type PolicyOnDestination struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// State is APPLIED or INVALID.
	State  policy.State `json:"state"`
	Fields []string     `json:"fields,omitempty"`
	Errors []string     `json:"errors,omitempty"`
}

// DestinationAccess says who may call the pods behind a Destination.
type DestinationAccess struct {
	// Workloads are those that it holds for; absent if it holds for all.
	Workloads []string `json:"workloads,omitempty"`
	// OpenGateway says that the VirtualMesh keeps the pods open to everybody.
	OpenGateway bool `json:"openGateway,omitempty"`
	InboundAccess
}

// OriginRequests says what happens to requests from one cluster.
type OriginRequests struct {
	FromCluster string `json:"fromCluster"`
	// FromMesh is absent for the Destination's own cluster.
	FromMesh *ObjectRef `json:"fromMesh,omitempty"`
	Hostname string     `json:"hostname"`
	Via      policy.Via `json:"via"`
	// Routes are tried in order; the first that matches caller and request
	// decides.
	Routes     []CallerRoute       `json:"routes,omitempty"`
	Connection []ConnectionSetting `json:"connection,omitempty"`
}

// CallerRoute is a route for some of the workloads of a cluster.
type CallerRoute struct {
	// Callers is absent if the route is for all workloads.
	Callers *CallerSet `json:"callers,omitempty"`
	Route
}

// CallerSet is a set of workloads; all fields that are set must match.
type CallerSet struct {
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
}
