package istio_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestPodsDoNotMatter holds that nothing which is rendered depends on the pods
// that are there, as long as clusters reach each other through gateways (D60).
func TestPodsDoNotMatter(t *testing.T) {
	t.Parallel()
	validator := validation.New()
	worlds := []world.Objects{genworld.Objects(genworld.Size{Clusters: 3, Services: 12, Traffic: 60, Access: 30, Seed: 7})}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 2))
		objects := randomworld.Objects(random)
		randomworld.AddPods(random, objects)
		randomworld.Federate(random, &objects)
		validate(t, validator, &objects)
		worlds = append(worlds, objects)
	}
	changed := 0
	for i, objects := range worlds {
		random := rand.New(rand.NewPCG(uint64(i), 3))
		for _, vm := range objects.VirtualMeshes {
			if f := vm.Resource.Spec.Federation; f != nil {
				f.FlatNetwork = false
			}
		}
		before := render(objects)
		before.omissions = nil
		after := render(withPods(objects, func(groups []discoveryv1.EndpointsSubset) []discoveryv1.EndpointsSubset {
			changed++
			return replacePods(random, groups)
		}))
		after.omissions = nil
		if diff := cmp.Diff(before.text(t, everything), after.text(t, everything)); diff != "" {
			t.Fatalf("world %d: other pods change what is rendered (-before +after)\n%s", i, diff)
		}
		// Only pods tell what the name of a target port means, which
		// AuthorizationPolicies have to say (D53).
		others := func(o *istio.Object) bool { return o.Kind != istio.KindAuthorizationPolicy }
		gone := render(withPods(objects, func([]discoveryv1.EndpointsSubset) []discoveryv1.EndpointsSubset { return nil }))
		gone.omissions = nil
		if diff := cmp.Diff(before.text(t, others), gone.text(t, others)); diff != "" {
			t.Fatalf("world %d: pods that are gone change what is rendered (-before +after)\n%s", i, diff)
		}
	}
	if changed == 0 {
		t.Error("the worlds have no Services")
	}
}

// withPods returns the objects with other pods behind their Services.
func withPods(objects world.Objects, change func([]discoveryv1.EndpointsSubset) []discoveryv1.EndpointsSubset) world.Objects {
	objects.Destinations = slices.Clone(objects.Destinations)
	for i := range objects.Destinations {
		d := objects.Destinations[i].Resource.DeepCopy()
		if service := d.Spec.KubeService; service != nil {
			service.EndpointSubsets = change(service.EndpointSubsets)
		}
		objects.Destinations[i].Resource = d
	}
	return objects
}

// replacePods gives groups of endpoints other addresses, labels and numbers of
// pods, and splits or doubles some of them. They listen on the same ports.
func replacePods(random *rand.Rand, groups []discoveryv1.EndpointsSubset) []discoveryv1.EndpointsSubset {
	var replaced []discoveryv1.EndpointsSubset
	for _, group := range groups {
		for range 1 + random.IntN(2) {
			next := discoveryv1.EndpointsSubset{Ports: group.Ports}
			for range random.IntN(4) {
				next.Endpoints = append(next.Endpoints, discoveryv1.Endpoint{
					IPAddress: fmt.Sprintf("10.%d.%d.%d", random.IntN(250), random.IntN(250), 1+random.IntN(250)),
					Labels:    map[string]string{"version": fmt.Sprintf("v%d", random.IntN(5)), "pod-template-hash": fmt.Sprint(random.IntN(1000))},
				})
			}
			replaced = append(replaced, next)
		}
	}
	random.Shuffle(len(replaced), func(i, k int) { replaced[i], replaced[k] = replaced[k], replaced[i] })
	return replaced
}
