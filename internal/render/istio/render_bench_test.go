package istio_test

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
)

// BenchmarkRender renders all clusters of evaluated worlds, one after the
// other.
func BenchmarkRender(b *testing.B) {
	for _, name := range []string{"medium", "large", "xl"} {
		b.Run(name, func(b *testing.B) {
			size, _ := genworld.Named(name)
			w := world.New(genworld.Objects(size))
			b.ReportAllocs()
			objects, used, peak := 0, time.Duration(0), uint64(0)
			for b.Loop() {
				b.StopTimer()
				result := policy.Evaluate(w) // its answers are cached
				before := liveHeap()
				b.StartTimer()
				start := cputime.Used()
				var renderer *istio.Renderer
				objects, renderer = renderAll(result)
				used += cputime.Used() - start
				b.StopTimer()
				peak = max(peak, liveHeap()-before)
				runtime.KeepAlive(renderer)
				b.StartTimer()
			}
			b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(objects), "objects")
			b.ReportMetric(float64(peak)/(1<<20), "live-MiB")
		})
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func renderAll(result *policy.Result) (int, *istio.Renderer) {
	renderer := istio.New(result, istio.Options{})
	objects := 0
	for _, cluster := range renderer.Clusters() {
		some, _ := renderer.Cluster(cluster)
		objects += len(some)
	}
	return objects, renderer
}

// BenchmarkWrite writes everything that is rendered as YAML.
func BenchmarkWrite(b *testing.B) {
	for _, name := range []string{"medium", "large"} {
		b.Run(name, func(b *testing.B) {
			size, _ := genworld.Named(name)
			result := policy.Evaluate(world.New(genworld.Objects(size)))
			used, written := time.Duration(0), 0
			for b.Loop() {
				start := cputime.Used()
				renderer, encoder := istio.New(result, istio.Options{}), istio.NewEncoder()
				written = 0
				for _, cluster := range renderer.Clusters() {
					objects, _ := renderer.Cluster(cluster)
					for i := range objects {
						text, err := encoder.YAML(&objects[i])
						if err != nil {
							b.Fatal(err)
						}
						n, _ := io.Discard.Write(text)
						written += n
					}
				}
				used += cputime.Used() - start
			}
			b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(written)/(1<<20), "MiB")
		})
	}
}

// TestRenderGrowth holds the growth of what is allocated, which unlike time is
// the same on every machine, to that of what is rendered.
func TestRenderGrowth(t *testing.T) {
	dimensions := []struct {
		name   string
		double func(*genworld.Size)
	}{
		{"clusters with their services", func(s *genworld.Size) { s.Clusters *= 2 }},
		{"clusters of half the services", func(s *genworld.Size) { s.Clusters *= 2; s.Services /= 2 }},
		{"services", func(s *genworld.Size) { s.Services *= 2 }},
		{"traffic policies", func(s *genworld.Size) { s.Traffic *= 2 }},
		{"access policies", func(s *genworld.Size) { s.Access *= 2 }},
	}
	cost := func(size genworld.Size) (allocations, objects float64) {
		w := world.New(genworld.Objects(size))
		allocations = testing.AllocsPerRun(1, func() {
			n, _ := renderAll(policy.Evaluate(w))
			objects = float64(n)
		})
		return allocations, objects
	}
	for _, d := range dimensions {
		one := genworld.Size{Clusters: 4, Services: 60, Traffic: 120, Access: 120, Seed: 1}
		two := one
		d.double(&two)
		before, rendered := cost(one)
		after, more := cost(two)
		if limit := max(2.4, 1.2*more/rendered); after/before > limit {
			t.Errorf("twice the %s: %.1f times the allocations for %.1f times the objects", d.name, after/before, more/rendered)
		}
	}
}
