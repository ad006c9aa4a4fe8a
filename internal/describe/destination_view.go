package describe

import (
	"github.com/meshctl/meshctl/internal/policy"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// DestinationDescriptionList is what `describe destination -o json` prints.
type DestinationDescriptionList = List[*DestinationDescription]

// DestinationDescription describes a Destination and everything that affects
// requests to it.
type DestinationDescription struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Cluster is absent for external services.
	Cluster string `json:"cluster,omitempty"`
	// Type is the type of the Service in the API's spelling, or EXTERNAL for a
	// service outside all clusters, to which policies do not apply.
	Type     string            `json:"type"`
	Labels   map[string]string `json:"labels,omitempty"`
	Selector map[string]string `json:"selector,omitempty"`
	Ports    []PortDescription `json:"ports,omitempty"`
	// Hostname is the host name within the Destination's own cluster.
	Hostname string `json:"hostname,omitempty"`
	// Hosts are the names of an external service.
	Hosts             []string            `json:"hosts,omitempty"`
	ExternalAddresses []string            `json:"externalAddresses,omitempty"`
	Mesh              *MeshSummary        `json:"mesh,omitempty"`
	VirtualMesh       *VirtualMeshSummary `json:"virtualMesh,omitempty"`
	// Facts are those of the resource that can be used; absent ones are not known.
	Facts             *discoveryv1.DestinationFacts `json:"facts,omitempty"`
	FederatedHostname string                        `json:"federatedHostname,omitempty"`
	FederatedTo       []ObjectRef                   `json:"federatedTo,omitempty"`
	// FederatedVia is how requests from other clusters arrive: gateway or flat.
	FederatedVia policy.Via `json:"federatedVia,omitempty"`
	// Gateway is set if the Destination is an east-west gateway of its mesh.
	Gateway *GatewayDescription `json:"gateway,omitempty"`
	// Workloads are the workloads behind the Destination, as
	// NAME.NAMESPACE.CLUSTER; summaries only have their number.
	Workloads     []string `json:"workloads,omitempty"`
	WorkloadCount *int     `json:"workloadCount,omitempty"`
	// TrafficPolicies are sorted by precedence; those that are INVALID everywhere
	// come last.
	TrafficPolicies []PolicyOnDestination `json:"trafficPolicies,omitempty"`
	AccessPolicies  []PolicyOnDestination `json:"accessPolicies,omitempty"`
	// Access, Requests and Rejected are omitted in summaries.
	Access   []DestinationAccess `json:"access,omitempty"`
	Requests []OriginRequests    `json:"requests,omitempty"`
	Rejected []RejectedSetting   `json:"rejected,omitempty"`

	findings int
}

// PortDescription is one port of a Destination.
type PortDescription struct {
	Port uint32 `json:"port"`
	Name string `json:"name,omitempty"`
	// Protocol is the protocol that proxies assume; absent if they detect it.
	Protocol string `json:"protocol,omitempty"`
	// TargetPort is the number or name of the pods' port; absent if it equals the
	// port.
	TargetPort string `json:"targetPort,omitempty"`
	NodePort   uint32 `json:"nodePort,omitempty"`
	// Routes is true if request settings apply to the port, which requires an
	// HTTP protocol or none declared.
	Routes bool `json:"routes"`
}

// GatewayDescription is an east-west gateway.
type GatewayDescription struct {
	Service ServiceRef `json:"service"`
	// Addresses are the addresses that other clusters connect to, at
	// ExternalPort.
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

// DestinationAccess describes who may call the pods behind a Destination.
type DestinationAccess struct {
	// Workloads are the workloads to which it applies; absent for all.
	Workloads []string `json:"workloads,omitempty"`
	// OpenGateway is true if the VirtualMesh keeps the gateway pods open to all
	// callers.
	OpenGateway bool `json:"openGateway,omitempty"`
	InboundAccess
}

// OriginRequests describes requests from one cluster.
type OriginRequests struct {
	FromCluster string `json:"fromCluster"`
	// FromMesh is absent for the Destination's own cluster.
	FromMesh *ObjectRef `json:"fromMesh,omitempty"`
	Hostname string     `json:"hostname"`
	Via      policy.Via `json:"via"`
	// Routes are tried in order; the first one that matches caller and request is
	// used.
	Routes     []CallerRoute       `json:"routes,omitempty"`
	Connection []ConnectionSetting `json:"connection,omitempty"`
}

// CallerRoute is a route for some or all workloads of a cluster.
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
