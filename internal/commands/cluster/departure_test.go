package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestDeparture checks what changes when clusters leave the world of the README.
func TestDeparture(t *testing.T) {
	t.Parallel()
	objects, err := load.Files(t.Context(), load.FileOptions{Paths: []string{"../../../testdata/worlds/bookinfo-two-clusters"}, Recursive: true}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	leaves := func(objects world.Objects, cluster string) string {
		t.Helper()
		departure := compare.DepartureOf(policy.Evaluate(world.New(objects)), policy.Evaluate(world.New(without(t, objects, cluster))), cluster)
		return strings.Join(departureLines(&departure, cluster), "\n")
	}
	const west = `  VirtualMesh bookinfo.gloo-mesh loses mesh istiod-istio-system-west.gloo-mesh and is INVALID until you remove it from spec.meshes; mesh istiod-istio-system-east.gloo-mesh keeps its trust, TLS enforcement, access default and federation
  No longer reachable from other meshes: 5 federated Services of west
  References to west become invalid in: AccessPolicy gateway-to-productpage.gloo-mesh, AccessPolicy gateway-to-reviews-api.gloo-mesh, AccessPolicy productpage-to-details.gloo-mesh, AccessPolicy productpage-to-reviews-west.gloo-mesh, AccessPolicy ratings-west-readers.gloo-mesh and 1 more`
	if diff := cmp.Diff(west, leaves(objects, "west")); diff != "" {
		t.Errorf("without west (-want +got):\n%s", diff)
	}
	if got := leaves(objects, "north"); got != "" {
		t.Errorf("without a cluster that is not there: %s", got)
	}
	alone, _, _ := strings.Cut(leaves(without(t, objects, "east"), "west"), "\n")
	const last = "  VirtualMesh bookinfo.gloo-mesh loses its last mesh istiod-istio-system-west.gloo-mesh and no longer has any effect"
	if diff := cmp.Diff(last, alone); diff != "" {
		t.Errorf("without the last cluster (-want +got):\n%s", diff)
	}
}

func without(t *testing.T, objects world.Objects, cluster string) world.Objects {
	t.Helper()
	left, err := load.ReplaceDiscovered(objects, world.Objects{}, []string{cluster})
	if err != nil {
		t.Fatal(err)
	}
	return left
}
