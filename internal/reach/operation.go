package reach

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/operation"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// Terms returns under which condition a grant lets in the callers that it allows,
// in terms of the ports of the called Destination; the rule may apply to its pods
// through another Service with other ports (D53). The code says why it
// lets no request in, and is "" if it does: rules about identities need one that
// arrives (D49), and rules about HTTP requests match on HTTP ports only, and only if a
// request can have their paths and methods (D54).
func (c *Calls) Terms(rule policy.AccessRule, grant *selector.Grant, called *world.Destination, connection *Connection) (policy.Condition, Code) {
	condition := c.result.AccessPolicies[rule.Policy].Operation()
	condition.Request = grant.Request
	restricted := len(condition.Ports) > 0
	ports := connection.Open
	if restricted {
		ports = both(ports, serviceport.PortsTo(called, serviceport.OfPods(&c.result.World.Destinations[rule.Destination], condition.Ports)))
		if len(ports) == 0 {
			return policy.Condition{}, CodeNotAllowed
		}
	}
	if !grant.AnySource {
		if ports = both(ports, connection.Mutual); len(ports) == 0 {
			return policy.Condition{}, CodeNoIdentity
		}
	}
	if needsHTTP(&condition) {
		if ports = both(ports, connection.HTTP); len(ports) == 0 {
			return policy.Condition{}, CodeOnlyHTTP
		}
	}
	if len(condition.Paths)+len(condition.Methods) > 0 {
		var possible bool
		condition.Paths, condition.Methods, possible = operation.Possible(condition.Paths, condition.Methods, serviceport.OnlyGRPC(called, ports))
		if !possible {
			return policy.Condition{}, CodeNotAllowed
		}
	}
	condition.Ports = nil
	if restricted || !connection.Whole || len(ports) < len(connection.Open) {
		condition.Ports = ports
	}
	return condition, ""
}

// needsHTTP reports whether a condition can match HTTP requests only.
func needsHTTP(c *policy.Condition) bool {
	return len(c.Paths)+len(c.Methods)+len(c.Request.RequestPrincipals)+len(c.Request.NotRequestPrincipals) > 0
}

// both returns the ports that are in both lists, ascending like these.
func both(a, b []uint32) []uint32 {
	if slices.Equal(a, b) {
		return a
	}
	var common []uint32
	for _, port := range a {
		if _, found := slices.BinarySearch(b, port); found {
			common = append(common, port)
		}
	}
	return common
}
