package reach

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
)

// approach is what decides about calls before a connection is made: name, visibility
// and endpoint. It is the same for all receivers and ports.
type approach struct {
	// obstacles are in the order of stages.
	obstacles []Obstacle
	// unknown is what decides, and meshctl cannot follow; nil if there is nothing.
	unknown *Obstacle
	// passing is set if the caller's proxy does not know the host and passes the call
	// on as it is.
	passing *portMode
	// revealed are ports that the proxy knows nevertheless.
	revealed []uint32
	assumed  []string
}

// approach returns nil if nothing stands in the way of a call, which is the usual
// case.
func (c *Calls) approach(from Caller, d *world.Destination) *approach {
	var a approach
	c.name(&a, from, d)
	c.visibility(&a, from, d)
	c.endpoint(&a, from, d)
	if len(a.obstacles) == 0 && a.unknown == nil && a.passing == nil && len(a.assumed) == 0 {
		return nil
	}
	return &a
}

// fail adds an obstacle.
func (a *approach) fail(code Code, object world.ObjectID, reason string) {
	a.obstacles = append(a.obstacles, Obstacle{Code: code, Reason: reason, Object: object})
}

// leaveOpen notes what cannot be followed. The first such stage counts.
func (a *approach) leaveOpen(code Code, object world.ObjectID, reason string) {
	if a.unknown == nil {
		a.unknown = &Obstacle{Code: code, Reason: reason, Object: object}
	}
}

// meet applies what precedes a connection to it.
func (a *approach) meet(connection *Connection) {
	connection.Assumed = append(slices.Clone(a.assumed), connection.Assumed...)
	if len(a.obstacles) == 0 && a.unknown == nil {
		return
	}
	beyond := *connection
	connection.beyond = &beyond
	if a.unknown != nil && (len(a.obstacles) == 0 || a.unknown.Code < a.obstacles[0].Code) {
		connection.Unknown = a.unknown
	}
	connection.Obstacles = append(slices.Clone(a.obstacles), connection.Obstacles...)
	connection.Whole = false
	for _, o := range a.obstacles {
		connection.close(o.Ports)
	}
	if a.unknown != nil {
		connection.close(nil)
	}
}

// close takes ports from those that are open; none stands for all.
func (n *Connection) close(ports []uint32) {
	rest := func(list []uint32) []uint32 {
		if len(ports) == 0 {
			return nil
		}
		return slices.DeleteFunc(slices.Clone(list), func(port uint32) bool { return slices.Contains(ports, port) })
	}
	n.Mutual, n.Open, n.HTTP = rest(n.Mutual), rest(n.Open), rest(n.HTTP)
}

// isRemote reports whether calls come from another cluster.
func isRemote(from Caller, d *world.Destination) bool { return from.Cluster != d.Ref.ClusterName }
