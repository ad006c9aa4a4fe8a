package world_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
)

// BenchmarkNew sorts and indexes the objects of generated worlds.
func BenchmarkNew(b *testing.B) {
	for _, name := range []string{"large", "xl"} {
		b.Run(name, func(b *testing.B) {
			size, _ := genworld.Named(name)
			objects := genworld.Objects(size)
			b.ReportAllocs()
			start := cputime.Used()
			for b.Loop() {
				world.New(objects)
			}
			b.ReportMetric(float64((cputime.Used()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}
