package reach_test

import (
	"math/rand/v2"
	"testing"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
)

// What is left out of the calls of a workload is counted if it is denied.
func TestOutboundCountsWhatIsDenied(t *testing.T) {
	t.Parallel()
	counted := 0
	for seed := range uint64(60) {
		result := policy.Evaluate(world.New(randomworld.Objects(rand.New(rand.NewPCG(1, seed)))))
		calls := reach.In(result)
		for _, w := range result.World.WorkloadPointers() {
			listed, denied := calls.Outbound(w, false)
			shown := map[int]bool{}
			for _, call := range listed {
				shown[call.Destination] = true
			}
			all, none := calls.Outbound(w, true)
			want := 0
			for _, call := range all {
				if !shown[call.Destination] && call.Access.Decision == reach.Denied {
					want++
				}
			}
			if denied != want || none != 0 {
				t.Errorf("seed %d: %s counts %d denied destinations (%d with all listed), want %d (0)", seed, w.Names().Full(), denied, none, want)
			}
			counted += denied
		}
	}
	if counted == 0 {
		t.Error("no random world has denied destinations that no policy mentions")
	}
}
