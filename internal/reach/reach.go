// Package reach says what becomes of calls: whether a workload may call a
// Destination, and what decides. It is pure.
package reach

import "github.com/meshctl/meshctl/internal/policy"

// Calls answers questions about the calls in an evaluated world. Answers are
// cached, so it is not safe for concurrent use.
type Calls struct {
	result      *policy.Result
	connections map[connectionKey]*Connection
	// receiving holds the receivers by Destination; nil until they are asked for.
	receiving [][]Receiver
	// visibleIn caches namedNamespaces.
	visibleIn map[namespace]bool
}

// In returns the calls in an evaluated world.
func In(result *policy.Result) *Calls {
	return &Calls{result: result, connections: map[connectionKey]*Connection{}, receiving: make([][]Receiver, len(result.World.Destinations))}
}
