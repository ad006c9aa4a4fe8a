package istio_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
)

func TestStages(t *testing.T) {
	t.Parallel()
	all := render(genworld.Objects(genworld.Size{Clusters: 2, Services: 4, Traffic: 12, Access: 8, Seed: 1}))
	slices.SortStableFunc(all.objects, func(a, b istio.Object) int { return a.Stage() - b.Stage() })
	var order []string
	for i := range all.objects {
		o := &all.objects[i]
		name := string(o.Kind)
		switch {
		case o.Name == "global-access-control":
			name = o.Name
		case o.Kind == istio.KindDestinationRule && o.Federates != "":
			name = "imported " + name
		}
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	want := []string{"DestinationRule", "Gateway", "ServiceEntry", "imported DestinationRule", "VirtualService", "AuthorizationPolicy", "PeerAuthentication", "global-access-control"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
