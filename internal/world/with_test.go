package world_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func trafficPolicy(namespace, name, timeout string) world.Object[networkingv1.TrafficPolicy] {
	d, err := time.ParseDuration(timeout)
	if err != nil {
		panic(err)
	}
	return world.Object[networkingv1.TrafficPolicy]{Resource: &networkingv1.TrafficPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       networkingv1.TrafficPolicySpec{Policy: &networkingv1.TrafficPolicyPolicy{RequestTimeout: core.NewDuration(d)}},
	}}
}

// timeouts shows the policies of a world in their order.
func timeouts(w *world.World) []string {
	var all []string
	for _, p := range w.TrafficPolicies {
		all = append(all, p.Resource.Namespace+"/"+p.Resource.Name+" "+p.Resource.Spec.Policy.RequestTimeout.String())
	}
	return all
}

func TestWith(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		world     []world.Object[networkingv1.TrafficPolicy]
		add, want []string
	}{
		{"into nothing", nil, []string{"a"}, []string{"ns/a 9s"}},
		{"nothing", []world.Object[networkingv1.TrafficPolicy]{trafficPolicy("ns", "b", "1s")}, nil, []string{"ns/b 1s"}},
		{"before others", []world.Object[networkingv1.TrafficPolicy]{trafficPolicy("ns", "b", "1s")}, []string{"a"}, []string{"ns/a 9s", "ns/b 1s"}},
		{
			"in place of one, next to one of the same name elsewhere",
			[]world.Object[networkingv1.TrafficPolicy]{trafficPolicy("ns", "b", "1s"), trafficPolicy("other", "a", "2s"), trafficPolicy("ns", "a", "3s")},
			[]string{"c", "a"},
			[]string{"ns/a 9s", "ns/b 1s", "ns/c 9s", "other/a 2s"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := world.New(world.Objects{TrafficPolicies: tt.world})
			before := timeouts(w)
			var add world.Objects
			for _, name := range tt.add {
				add.TrafficPolicies = append(add.TrafficPolicies, trafficPolicy("ns", name, "9s"))
			}
			if diff := cmp.Diff(tt.want, timeouts(w.With(add))); diff != "" {
				t.Errorf("With (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(before, timeouts(w)); diff != "" {
				t.Errorf("the receiver changed (-before +after)\n%s", diff)
			}
		})
	}
}

// TestWithKeepsAge checks that a manifest takes the place that the object has
// in the cluster, and that the manifest itself is left alone.
func TestWithKeepsAge(t *testing.T) {
	t.Parallel()
	existing := trafficPolicy("ns", "a", "1s")
	existing.Resource.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	existing.Resource.Status.State = core.ApprovalStateAccepted
	manifest := trafficPolicy("ns", "a", "9s")
	w := world.New(world.Objects{TrafficPolicies: []world.Object[networkingv1.TrafficPolicy]{existing}})
	got := w.With(world.Objects{TrafficPolicies: []world.Object[networkingv1.TrafficPolicy]{manifest}}).TrafficPolicies[0].Resource
	if !got.CreationTimestamp.Equal(&existing.Resource.CreationTimestamp) || got.Status.State != core.ApprovalStateAccepted {
		t.Errorf("created %v with state %q, want the age and state of the object that is replaced", got.CreationTimestamp, got.Status.State)
	}
	if !manifest.Resource.CreationTimestamp.IsZero() || manifest.Resource.Status.State != "" {
		t.Error("the manifest changed")
	}
}

// TestWithProblems checks that what the loader said about a replaced object
// goes with it.
func TestWithProblems(t *testing.T) {
	t.Parallel()
	w := world.New(world.Objects{
		TrafficPolicies: []world.Object[networkingv1.TrafficPolicy]{trafficPolicy("ns", "a", "1s")},
		Problems: []world.Problem{
			{Kind: world.UnknownField, Object: "TrafficPolicy/a.ns", Message: "old"},
			{Kind: world.UnknownField, Object: "AccessPolicy/a.ns", Message: "of another kind"},
		},
	})
	with := w.With(world.Objects{
		TrafficPolicies: []world.Object[networkingv1.TrafficPolicy]{trafficPolicy("ns", "a", "2s")},
		Problems:        []world.Problem{{Kind: world.UnknownField, Object: "TrafficPolicy/a.ns", Message: "new"}},
	})
	var got []string
	for _, p := range with.Problems {
		got = append(got, p.Message)
	}
	if diff := cmp.Diff([]string{"new", "of another kind"}, got); diff != "" {
		t.Errorf("problems (-want +got)\n%s", diff)
	}
	if len(w.Problems) != 2 {
		t.Error("the receiver changed")
	}
}

// TestWithShares checks that what was discovered is found as before.
func TestWithShares(t *testing.T) {
	t.Parallel()
	size, _ := genworld.Named("small")
	w := world.New(genworld.Objects(size))
	with := w.With(world.Objects{TrafficPolicies: []world.Object[networkingv1.TrafficPolicy]{trafficPolicy("ns", "a", "1s")}})
	if len(with.Destinations) == 0 || &with.Destinations[0] != &w.Destinations[0] {
		t.Error("Destinations were copied")
	}
	if d := &w.Destinations[0]; with.Service(d.Ref) != d {
		t.Errorf("Service(%v) is not found", d.Ref)
	}
	if len(with.TrafficPolicies) != len(w.TrafficPolicies)+1 {
		t.Errorf("%d policies, want one more than %d", len(with.TrafficPolicies), len(w.TrafficPolicies))
	}
}
