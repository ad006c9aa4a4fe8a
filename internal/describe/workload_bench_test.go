package describe_test

import (
	"cmp"
	"io"
	"testing"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
)

func generatedWorld(tb testing.TB, name string) *world.World {
	tb.Helper()
	size, known := genworld.Named(name)
	if !known {
		tb.Fatalf("there is no size %q", name)
	}
	return world.New(genworld.Objects(size))
}

// BenchmarkSummary describes every workload of a world that has been
// evaluated; the bytes are what is printed.
func BenchmarkSummary(b *testing.B) {
	for _, c := range []struct {
		world  string
		format output.Format
	}{{"large", ""}, {"large", output.FormatTable}, {"large", output.FormatJSON}, {"xl", output.FormatTable}} {
		b.Run(c.world+"/"+cmp.Or(string(c.format), "not printed"), func(b *testing.B) {
			world := generatedWorld(b, c.world)
			b.ReportAllocs()
			start := cputime.Used()
			for b.Loop() {
				b.StopTimer()
				before := cputime.Used()
				result := policy.Evaluate(world)
				start += cputime.Used() - before
				b.StartTimer()
				view := describe.Workloads(result, world.WorkloadPointers(), describe.WorkloadOptions{WholeWorld: true})
				if c.format == "" {
					continue
				}
				var printed counter
				if err := output.Write(&printed, c.format, false, view.View()); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(printed))
			}
			b.ReportMetric(float64((cputime.Used()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// BenchmarkInFull describes a single workload of a world that has been
// evaluated.
func BenchmarkInFull(b *testing.B) {
	for _, name := range []string{"large", "xl"} {
		for _, all := range []bool{false, true} {
			b.Run(name+map[bool]string{false: "/touched", true: "/all destinations"}[all], func(b *testing.B) {
				world := generatedWorld(b, name)
				one := world.WorkloadPointers()[len(world.Workloads)/2:][:1]
				b.ReportAllocs()
				start := cputime.Used()
				for b.Loop() {
					b.StopTimer()
					before := cputime.Used()
					result := policy.Evaluate(world) // it remembers answers
					start += cputime.Used() - before
					b.StartTimer()
					view := describe.Workloads(result, one, describe.WorkloadOptions{Details: true, AllDestinations: all})
					if err := output.Write(io.Discard, output.FormatJSON, false, view.View()); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((cputime.Used()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
			})
		}
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
