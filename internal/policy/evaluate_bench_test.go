package policy_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/snapshot"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
)

// BenchmarkEvaluate judges all policies of generated worlds.
func BenchmarkEvaluate(b *testing.B) {
	for _, name := range []string{"medium", "large", "xl"} {
		b.Run(name, func(b *testing.B) {
			size, _ := genworld.Named(name)
			world := snapshot.New(genworld.Objects(size))
			b.ReportAllocs()
			start := cputime.Used()
			for b.Loop() {
				policy.Evaluate(world)
			}
			b.ReportMetric(float64((cputime.Used()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// BenchmarkEvaluateGrowth doubles one dimension of a world and reports how many
// times as long judging it takes.
func BenchmarkEvaluateGrowth(b *testing.B) {
	base := genworld.Size{Clusters: 8, Services: 100, Traffic: 400, Access: 400, Seed: 1}
	for _, c := range []struct {
		name   string
		double func(*genworld.Size)
	}{
		{"clusters with their services", func(s *genworld.Size) { s.Clusters *= 2 }},
		{"clusters of half the services", func(s *genworld.Size) { s.Clusters *= 2; s.Services /= 2 }},
		{"services", func(s *genworld.Size) { s.Services *= 2 }},
		{"traffic policies", func(s *genworld.Size) { s.Traffic *= 2 }},
		{"access policies", func(s *genworld.Size) { s.Access *= 2 }},
	} {
		b.Run(c.name, func(b *testing.B) {
			cost := func(size genworld.Size) float64 {
				world := snapshot.New(genworld.Objects(size))
				return float64(cputime.Measure(func() { policy.Evaluate(world) }))
			}
			double := base
			c.double(&double)
			double2 := double
			c.double(&double2)
			for b.Loop() {
				one, two, four := cost(base), cost(double), cost(double2)
				b.ReportMetric(two/one, "times(x2)")
				b.ReportMetric(four/two, "times(x4/x2)")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
