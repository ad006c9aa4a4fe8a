package reach

import (
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// Decision is the decision about a call.
type Decision string

// The decisions. A CONDITIONAL call depends on the request, on its port, or on
// which pod of the Destination receives it. A DENIED call is refused by access
// rules; an UNREACHABLE one fails before they are asked (D45). What becomes of an
// UNKNOWN one is decided by something that meshctl cannot follow, which the reason
// names (D46).
const (
	Allowed     Decision = "ALLOWED"
	Conditional Decision = "CONDITIONAL"
	Denied      Decision = "DENIED"
	Unreachable Decision = "UNREACHABLE"
	Unknown     Decision = "UNKNOWN"
)

// Verdict is the decision about calls from one workload to one Destination.
type Verdict struct {
	Decision Decision
	// Code names what decides, and by that the stage; "" for ALLOWED calls.
	Code Code
	// Reason is a sentence.
	Reason string
	// Policies are the positions of the AccessPolicies that decide, ascending;
	// none if something else does.
	Policies []int
	// Conditions are alternatives under which a CONDITIONAL call is allowed.
	Conditions []policy.Condition
	// Ports has one verdict per port, ascending, if the ports differ.
	Ports []PortVerdict
	// Assumed are facts that nobody knows and that the verdict depends on, as sentences
	// (D46).
	Assumed []string
	// Unrouted is true if the call does not get to the caller's proxy, or that does not
	// know the host, so that no route and no setting applies.
	Unrouted bool
	// Further are obstacles behind the one that decides, in the order of stages.
	Further []Obstacle
}

// PortVerdict is the decision about calls to one port of the Destination's
// Service.
type PortVerdict struct {
	Port     uint32
	Decision Decision
	// Code and Reason are empty for ALLOWED and CONDITIONAL ports.
	Code   Code
	Reason string
}

// Obstacle is something that makes calls fail.
type Obstacle struct {
	Code Code
	// Reason is a sentence.
	Reason string
	// Ports are the ports of the Service that it concerns, ascending; none for all.
	Ports []uint32
	// Object is the resource that causes it; the zero value if none does.
	Object world.ObjectID
}
