package policy_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
)

// BenchmarkEvaluate judges all policies of generated worlds.
func BenchmarkEvaluate(b *testing.B) {
	for _, name := range []string{"medium", "large", "xl"} {
		b.Run(name, func(b *testing.B) {
			size, _ := genworld.Named(name)
			w := world.New(genworld.Objects(size))
			b.ReportAllocs()
			start := cputime.Used()
			for b.Loop() {
				policy.Evaluate(w)
			}
			b.ReportMetric(float64((cputime.Used()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// dimension is one way in which worlds grow.
type dimension struct {
	name   string
	double func(*genworld.Size)
}

func dimensions() []dimension {
	return []dimension{
		{"clusters with their services", func(s *genworld.Size) { s.Clusters *= 2 }},
		{"clusters of half the services", func(s *genworld.Size) { s.Clusters *= 2; s.Services /= 2 }},
		{"services", func(s *genworld.Size) { s.Services *= 2 }},
		{"traffic policies", func(s *genworld.Size) { s.Traffic *= 2 }},
		{"access policies", func(s *genworld.Size) { s.Access *= 2 }},
	}
}

// BenchmarkEvaluateGrowth doubles one dimension of a world twice and reports
// how many times as long judging it takes.
func BenchmarkEvaluateGrowth(b *testing.B) {
	for _, d := range dimensions() {
		b.Run(d.name, func(b *testing.B) {
			cost := func(size genworld.Size) float64 {
				w := world.New(genworld.Objects(size))
				return float64(cputime.Measure(func() { policy.Evaluate(w) }))
			}
			one := genworld.Size{Clusters: 8, Services: 200, Traffic: 800, Access: 800, Seed: 1}
			two := one
			d.double(&two)
			four := two
			d.double(&four)
			var costs [3]float64
			for b.Loop() {
				costs[0] += cost(one)
				costs[1] += cost(two)
				costs[2] += cost(four)
			}
			b.ReportMetric(costs[1]/costs[0], "times(x2)")
			b.ReportMetric(costs[2]/costs[1], "times(x4/x2)")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestEvaluateGrowth holds the growth of what is allocated, which unlike time
// is the same on every machine, to a little more than that of the world.
func TestEvaluateGrowth(t *testing.T) {
	for _, d := range dimensions() {
		allocations := func(size genworld.Size) float64 {
			w := world.New(genworld.Objects(size))
			return testing.AllocsPerRun(1, func() { policy.Evaluate(w) })
		}
		one := genworld.Size{Clusters: 4, Services: 60, Traffic: 120, Access: 120, Seed: 1}
		two := one
		d.double(&two)
		if times := allocations(two) / allocations(one); times > 2.4 {
			t.Errorf("twice the %s: %.1f times the allocations", d.name, times)
		}
	}
}
