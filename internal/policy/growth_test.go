package policy_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/status"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/testkit/growth"
	"github.com/meshctl/meshctl/internal/world"
)

//nolint:paralleltest // It measures the processor time of the process.
func TestEvaluationGrowsWithThePolicies(t *testing.T) {
	growth.Check(t, "../..", func(w *world.World) func() { return func() { policy.Evaluate(w) } })
}

// TestAnswersGrowWithThePolicies asks everything that there is to ask about the
// workloads, the Destinations and the policies.
//
//nolint:paralleltest // It measures the processor time of the process.
func TestAnswersGrowWithThePolicies(t *testing.T) {
	growth.Check(t, "../..", func(w *world.World) func() {
		result := policy.Evaluate(w)
		statuses := status.Of(result)
		return func() {
			for i := range w.Workloads {
				workload := &w.Workloads[i]
				result.FindingsAbout(workload, result.Effects(workload, true))
				result.Inbound(workload)
				calls, _ := reach.In(result).Outbound(workload, true)
				for _, call := range calls {
					result.RoutesFor(workload, call.Destination)
					result.RejectedFor(workload, call.Destination)
				}
			}
			for id := range w.Destinations {
				result.RejectedOn(id)
				result.AccessTo(id)
				statuses.Destination(id)
			}
			for i := range w.TrafficPolicies {
				for _, id := range result.TrafficPolicies[i].Destinations {
					result.RejectionsOf(i, id)
				}
				statuses.TrafficPolicy(i)
			}
			for i := range w.AccessPolicies {
				statuses.AccessPolicy(i)
			}
		}
	})
}
