package v1

import "cmp"

// ApprovalState says what became of an object.
//
// +kubebuilder:validation:Enum=PENDING;ACCEPTED;INVALID;FAILED
type ApprovalState string

// The approval states; PENDING is the wire default.
const (
	ApprovalStatePending  ApprovalState = "PENDING"
	ApprovalStateAccepted ApprovalState = "ACCEPTED"
	ApprovalStateInvalid  ApprovalState = "INVALID"
	ApprovalStateFailed   ApprovalState = "FAILED"
)

// OrDefault returns the state, PENDING if it is unset.
func (s ApprovalState) OrDefault() ApprovalState { return cmp.Or(s, ApprovalStatePending) }

// ApprovalStatus says what became of an object on one target.
type ApprovalStatus struct {
	// The place among the accepted policies of the target, from 0.
	AcceptanceOrder uint32        `json:"acceptanceOrder,omitempty"`
	State           ApprovalState `json:"state,omitempty"`
	Errors          []string      `json:"errors,omitempty"`
	Warnings        []string      `json:"warnings,omitempty"`
}

// WrittenStatus says in which clusters the configuration for an object was written,
// the last time that all of it was. An extension of meshctl's.
type WrittenStatus struct {
	// Written is how many of the clusters have all of it, such as 2/2, for people.
	Written string `json:"written,omitempty"`
	// Clusters have all of it, FailedClusters do not; both sorted.
	Clusters       []string `json:"clusters,omitempty"`
	FailedClusters []string `json:"failedClusters,omitempty"`
}

// AppliedIngressGateway is an ingress gateway that a mesh uses. The deprecated
// fields are the older spelling of the ports (semantics D16).
type AppliedIngressGateway struct {
	DestinationRef    *ObjectRef `json:"destinationRef,omitempty"`
	ExternalAddresses []string   `json:"externalAddresses,omitempty"`
	// The port that the Service offers inside its cluster.
	Port uint32 `json:"port,omitempty"`
	// The port that other clusters connect to.
	ExternalPort uint32 `json:"externalPort,omitempty"`
	// Deprecated: the older name of externalPort.
	DestinationPort uint32 `json:"destinationPort,omitempty"`
	// Deprecated: the port that the gateway's container listens on.
	ContainerPort uint32 `json:"containerPort,omitempty"`
}

// ReachablePort returns the port that other clusters connect to, in whichever
// spelling it was written (semantics D16); 0 if there is none.
func (g *AppliedIngressGateway) ReachablePort() uint32 {
	return cmp.Or(g.ExternalPort, g.DestinationPort)
}

// ListeningPort returns the port at the gateway itself: where its container
// listens if that was written, else what its Service offers (semantics 3.6,
// T21); 0 if there is neither.
func (g *AppliedIngressGateway) ListeningPort() uint32 { return cmp.Or(g.ContainerPort, g.Port) }
