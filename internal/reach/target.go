package reach

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Target is where a route sends requests.
type Target struct {
	Destination *world.Destination
	// Labels are those of the pods that get the requests; empty for all pods.
	Labels map[string]string
	// Port is the port of the Destination; 0 if it is not known.
	Port uint32
	// OnlyGRPC is true if all requests are gRPC.
	OnlyGRPC bool
}

// VerdictOfTarget decides about calls that a route of the caller's proxy sends to a
// target. Nobody looks up the name of its Destination then. Where no pods carry the
// labels, no endpoint is left.
func (c *Calls) VerdictOfTarget(source *world.Workload, t Target) Verdict {
	d := t.Destination
	from := c.CallerOf(source)
	from.routed = true
	receivers, carried := c.Receivers(d), c.result.HasSubset(d, t.Labels)
	if carried {
		receivers = c.carrying(d, t.Labels)
	}
	verdict := c.verdict(source, from, d, receivers)
	if !carried {
		verdict = verdict.stoppedBy(Obstacle{
			Code: CodeNoEndpoints, Object: world.DestinationID(d),
			Reason: fmt.Sprintf("no pod behind %s carries %s", d.Key(), policy.LabelText(t.Labels)),
		})
	}
	if t.OnlyGRPC && slices.ContainsFunc(d.Resource.Spec.KubeService.Ports, func(p discoveryv1.KubeServicePort) bool {
		return p.Port == t.Port && serviceport.ProtocolOf(p) == "HTTP"
	}) {
		verdict = verdict.stoppedBy(Obstacle{
			Code: CodeGRPCToHTTP1, Object: world.DestinationID(d),
			Reason: fmt.Sprintf("port %d of %s speaks HTTP/1, over which gRPC requests fail", t.Port, d.Key()),
		})
	}
	return verdict
}

// stoppedBy adds an obstacle for all calls. It decides if its stage comes first.
func (v Verdict) stoppedBy(obstacle Obstacle) Verdict {
	if v.Decision == Unreachable && v.Code < obstacle.Code {
		v.Further = append(slices.Clone(v.Further), obstacle)
		return v
	}
	stopped := Verdict{Decision: Unreachable, Code: obstacle.Code, Reason: obstacle.Reason, Assumed: v.Assumed, Further: v.Further}
	if v.Decision == Unreachable || v.Decision == Denied {
		stopped.Further = append([]Obstacle{{Code: v.Code, Reason: v.Reason}}, v.Further...)
	}
	return stopped
}
