package istio_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/growth"
	"github.com/meshctl/meshctl/internal/world"
)

//nolint:paralleltest // It measures the processor time of the process.
func TestRenderingGrowsWithThePolicies(t *testing.T) {
	growth.Check(t, "../../..", func(w *world.World) func() {
		result := policy.Evaluate(w)
		return func() {
			renderer := istio.New(result, istio.Options{})
			for _, cluster := range renderer.Clusters() {
				renderer.Cluster(cluster)
			}
		}
	})
}
