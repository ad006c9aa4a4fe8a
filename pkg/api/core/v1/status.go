package v1

import "cmp"

// ApprovalState is the result of processing an object.
//
// +kubebuilder:validation:Enum=PENDING;ACCEPTED;INVALID;FAILED
type ApprovalState string

// Approval states; PENDING is the default.
const (
	ApprovalStatePending  ApprovalState = "PENDING"
	ApprovalStateAccepted ApprovalState = "ACCEPTED"
	ApprovalStateInvalid  ApprovalState = "INVALID"
	ApprovalStateFailed   ApprovalState = "FAILED"
)

// OrDefault returns the state, PENDING if it is unset.
func (s ApprovalState) OrDefault() ApprovalState { return cmp.Or(s, ApprovalStatePending) }

// ApprovalStatus is the result of applying an object to one target.
type ApprovalStatus struct {
	// Position among the accepted policies of the target, from 0.
	AcceptanceOrder uint32        `json:"acceptanceOrder,omitempty"`
	State           ApprovalState `json:"state,omitempty"`
	Errors          []string      `json:"errors,omitempty"`
	Warnings        []string      `json:"warnings,omitempty"`
}

// WrittenStatus lists the clusters to which the configuration of an object was written, as of
// the last complete run. Specific to meshctl.
type WrittenStatus struct {
	// Number of clusters that have the whole configuration, such as 2/2.
	Written string `json:"written,omitempty"`
	// Clusters that have the whole configuration, and clusters that do not; both sorted.
	Clusters       []string `json:"clusters,omitempty"`
	FailedClusters []string `json:"failedClusters,omitempty"`
}

// AppliedIngressGateway is an ingress gateway that a mesh uses. The deprecated fields are the
// previous names of the ports.
type AppliedIngressGateway struct {
	DestinationRef    *ObjectRef `json:"destinationRef,omitempty"`
	ExternalAddresses []string   `json:"externalAddresses,omitempty"`
	// The port of the Service inside its cluster.
	Port uint32 `json:"port,omitempty"`
	// The port to which other clusters connect.
	ExternalPort uint32 `json:"externalPort,omitempty"`
	// Deprecated: the previous name of externalPort.
	DestinationPort uint32 `json:"destinationPort,omitempty"`
	// Deprecated: the port of the gateway's container.
	ContainerPort uint32 `json:"containerPort,omitempty"`
}

// ReachablePort returns the port to which other clusters connect, from either
// spelling; 0 if there is none.
func (g *AppliedIngressGateway) ReachablePort() uint32 {
	return cmp.Or(g.ExternalPort, g.DestinationPort)
}

// ListeningPort returns the port of the gateway itself: that of its container if known, or
// else that of its Service; 0 if there is neither.
func (g *AppliedIngressGateway) ListeningPort() uint32 { return cmp.Or(g.ContainerPort, g.Port) }
