package snapshot_test

import (
	"bytes"
	"testing"

	"github.com/meshctl/meshctl/internal/snapshot"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// BenchmarkLoadWorld reads generated worlds from YAML and checks them against
// their schemas.
func BenchmarkLoadWorld(b *testing.B) {
	for _, name := range []string{"medium", "large", "xl"} {
		b.Run(name, func(b *testing.B) {
			size, _ := genworld.Named(name)
			var text bytes.Buffer
			if err := genworld.Write(&text, genworld.Objects(size)); err != nil {
				b.Fatal(err)
			}
			validator := validation.New()
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			start := cputime.Used()
			for b.Loop() {
				objects, err := snapshot.LoadFiles(b.Context(), snapshot.FileOptions{
					Paths: []string{"-"}, Stdin: bytes.NewReader(text.Bytes()),
				}, validator)
				if err != nil || len(objects.Problems) > 0 {
					b.Fatalf("loading failed: %v, problems %v", err, objects.Problems)
				}
			}
			b.ReportMetric(float64((cputime.Used()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// BenchmarkNew sorts and indexes the objects of generated worlds.
func BenchmarkNew(b *testing.B) {
	for _, name := range []string{"large", "xl"} {
		b.Run(name, func(b *testing.B) {
			size, _ := genworld.Named(name)
			objects := genworld.Objects(size)
			b.ReportAllocs()
			start := cputime.Used()
			for b.Loop() {
				snapshot.New(objects)
			}
			b.ReportMetric(float64((cputime.Used()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}
