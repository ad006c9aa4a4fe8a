package impact_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/testkit/growth"
	"github.com/meshctl/meshctl/internal/world"
)

// TestChangesGrowWithThePolicies compares a world with one that has no policies,
// in both directions.
//
//nolint:paralleltest // It measures the processor time of the process.
func TestChangesGrowWithThePolicies(t *testing.T) {
	growth.Check(t, "../../..", func(w *world.World) func() {
		with, without := policy.Evaluate(w), policy.Evaluate(w.WithAuthored(world.Objects{}))
		return func() {
			impact.AllChangeLines(impact.Changes(compare.Results(without, with)))
			impact.AllChangeLines(impact.Changes(compare.Results(with, without)))
		}
	})
}
