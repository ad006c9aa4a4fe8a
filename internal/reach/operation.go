package reach

import (
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// OperationOn returns the operations that an access rule allows to callers of a
// Destination, in terms of that Destination's ports; false if it allows none. The
// rule may apply to the pods through another Service with other ports.
func (c *Calls) OperationOn(rule policy.AccessRule, called *world.Destination) (policy.Condition, bool) {
	condition := c.result.AccessPolicies[rule.Policy].Operation()
	if len(condition.Ports) == 0 {
		return condition, true
	}
	condition.Ports = serviceport.PortsTo(called, serviceport.OfPods(&c.result.World.Destinations[rule.Destination], condition.Ports))
	return condition, len(condition.Ports) > 0
}
