// Package reach says what becomes of calls: whether a workload may call a
// Destination, and what decides. It is pure.
package reach

import "github.com/meshctl/meshctl/internal/policy"

// Calls answers questions about the calls in an evaluated world. Like the world's
// Result, it is not safe for concurrent use.
type Calls struct{ result *policy.Result }

// In returns the calls in an evaluated world.
func In(result *policy.Result) *Calls {
	return &Calls{result: result}
}
