package world_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Facts of a workload win over those of the Service, and pods in ambient mode do
// not count as pods without a proxy.
func TestPodsBehind(t *testing.T) {
	t.Parallel()
	of := func(p discoveryv1.Presence) *discoveryv1.WorkloadFacts { return &discoveryv1.WorkloadFacts{Proxy: p} }
	behind := func(p discoveryv1.Presence) *discoveryv1.DestinationFacts {
		return &discoveryv1.DestinationFacts{Proxy: p}
	}
	tests := []struct {
		name        string
		workload    *discoveryv1.WorkloadFacts
		destination *discoveryv1.DestinationFacts
		want        []string
	}{
		{name: "no facts", want: []string{"web"}},
		{name: "all", workload: of("ALL"), destination: behind("ALL"), want: []string{"web"}},
		{name: "some", workload: of("SOME"), destination: behind("SOME"), want: []string{"pods with a proxy of web", "bare: pods without a proxy of web"}},
		{name: "none", workload: of("NONE"), want: []string{"bare: web"}},
		{name: "none of the Service, nothing of the workload", destination: behind("NONE"), want: []string{"bare: web"}},
		{name: "pods of no workload", workload: of("ALL"), destination: behind("SOME"), want: []string{"web", "bare: pods without a proxy"}},
		{name: "ambient", workload: &discoveryv1.WorkloadFacts{Proxy: "NONE", Ambient: new(true)}, destination: behind("NONE"), want: []string{"web"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := factsWorld(nil, tt.workload, tt.destination)
			if diff := cmp.Diff(tt.want, podNames(w, &w.Destinations[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func podNames(w *world.World, d *world.Destination) []string {
	var names []string
	for _, pods := range w.PodsBehind(d) {
		name := pods.Name()
		if pods.Bare {
			name = "bare: " + name
		}
		names = append(names, name)
	}
	return names
}
