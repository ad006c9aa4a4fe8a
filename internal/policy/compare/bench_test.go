package compare_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// addition is one object that somebody adds to a generated world.
type addition struct {
	name, kind string
	objects    world.Objects
}

func additions(w *world.World) []addition {
	meta := metav1.ObjectMeta{Name: "a-new-one", Namespace: world.DefaultNamespace}
	one := []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{
		w.Destinations[len(w.Destinations)/2].Ref,
	}}}}
	traffic := func(name string, to []core.DestinationSelector) addition {
		return addition{"traffic policy " + name, "TrafficPolicy", world.Objects{
			TrafficPolicies: []world.Object[networkingv1.TrafficPolicy]{{Resource: &networkingv1.TrafficPolicy{
				ObjectMeta: meta, Spec: networkingv1.TrafficPolicySpec{
					DestinationSelector: to, Policy: &networkingv1.TrafficPolicyPolicy{RequestTimeout: core.NewDuration(time.Second)},
				},
			}}},
		}}
	}
	access := func(name string, to []core.DestinationSelector, methods ...string) addition {
		return addition{"access policy " + name, "AccessPolicy", world.Objects{
			AccessPolicies: []world.Object[networkingv1.AccessPolicy]{{Resource: &networkingv1.AccessPolicy{
				ObjectMeta: meta, Spec: networkingv1.AccessPolicySpec{
					SourceSelector: []core.IdentitySelector{{}}, DestinationSelector: to, AllowedMethods: methods,
				},
			}}},
		}}
	}
	open := *w.VirtualMeshes[0].Resource
	open.Spec.GlobalAccessPolicy = networkingv1.GlobalAccessPolicyDisabled
	open.Spec.Federation = nil
	return []addition{
		traffic("of one destination", one),
		traffic("of every destination", nil),
		access("of one destination", one),
		access("of every destination", nil, "GET"),
		{"virtual mesh without federation", "VirtualMesh", world.Objects{
			VirtualMeshes: []world.Object[networkingv1.VirtualMesh]{{Resource: &open}},
		}},
	}
}

// BenchmarkImpact finds out what one more object does to a generated world;
// the two evaluations are not counted.
func BenchmarkImpact(b *testing.B) {
	for _, name := range []string{"large", "xl"} {
		size, _ := genworld.Named(name)
		w := world.New(genworld.Objects(size))
		for _, a := range additions(w) {
			b.Run(name+"/"+a.name, func(b *testing.B) {
				b.ReportAllocs()
				start := cputime.Used()
				for b.Loop() {
					b.StopTimer()
					paused := cputime.Used()
					before, after := policy.Evaluate(w), policy.Evaluate(w.With(a.objects)) // they remember answers
					start += cputime.Used() - paused
					b.StartTimer()
					object := metaOf(a.objects)
					if compare.ImpactOf(before, after, a.kind, object.Namespace, object.Name) == nil {
						b.Fatal("the object is not in the world")
					}
				}
				b.ReportMetric(float64((cputime.Used()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
			})
		}
	}
}

// metaOf returns the metadata of the only object.
func metaOf(o world.Objects) metav1.ObjectMeta {
	for _, object := range o.VirtualMeshes {
		return object.Resource.ObjectMeta
	}
	for _, object := range o.TrafficPolicies {
		return object.Resource.ObjectMeta
	}
	for _, object := range o.AccessPolicies {
		return object.Resource.ObjectMeta
	}
	return metav1.ObjectMeta{}
}
