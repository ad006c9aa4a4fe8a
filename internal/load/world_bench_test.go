package load_test

import (
	"bytes"
	"testing"

	"github.com/meshctl/meshctl/internal/load"
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
				objects, err := load.Files(b.Context(), load.FileOptions{
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
