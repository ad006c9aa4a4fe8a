// Package reach says what becomes of calls: whether a workload may call a
// Destination, and what decides. It is pure.
package reach

import (
	"github.com/meshctl/meshctl/internal/policy"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Calls answers questions about the calls in an evaluated world. Answers are
// cached, so it is not safe for concurrent use.
type Calls struct {
	result      *policy.Result
	connections map[connectionKey]*Connection
	// receiving holds the receivers by Destination; nil until they are asked for.
	receiving [][]Receiver
	// listening caches listensForHTTP.
	listening map[Caller]bool
	// reveals caches what revealed returns; nil until it is asked for.
	reveals map[revealing]bool
	// visibleIn caches namedNamespaces.
	visibleIn map[namespace]bool
	// bareCallers is true if any workload has pods without a proxy.
	bareCallers bool
}

// In returns the calls in an evaluated world.
func In(result *policy.Result) *Calls {
	calls := &Calls{result: result, connections: map[connectionKey]*Connection{}, receiving: make([][]Receiver, len(result.World.Destinations))}
	for i := range result.World.Workloads {
		calls.bareCallers = calls.bareCallers || result.World.Workloads[i].Proxies() != discoveryv1.PresenceAll
	}
	return calls
}
