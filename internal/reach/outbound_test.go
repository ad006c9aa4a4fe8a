package reach_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
)

// What is left out of the calls of a workload is counted by decision.
func TestOutboundCountsWhatIsNotListed(t *testing.T) {
	t.Parallel()
	counted := 0
	for seed := range uint64(60) {
		result := policy.Evaluate(world.New(randomworld.Objects(rand.New(rand.NewPCG(1, seed)))))
		calls := reach.In(result)
		for _, w := range result.World.WorkloadPointers() {
			listed, unlisted := calls.Outbound(w, false)
			shown := map[int]bool{}
			for _, call := range listed {
				shown[call.Destination] = true
			}
			all, none := calls.Outbound(w, true)
			want := map[reach.Decision]int{}
			for _, call := range all {
				if !shown[call.Destination] {
					want[call.Access.Decision]++
				}
			}
			if diff := cmp.Diff(want, unlisted); diff != "" || len(none) > 0 {
				t.Errorf("seed %d: %s counts other destinations than those that are not listed (%v with all listed):\n%s", seed, w.Names().Full(), none, diff)
			}
			counted += unlisted[reach.Denied]
		}
	}
	if counted == 0 {
		t.Error("no random world has denied destinations that no policy mentions")
	}
}
