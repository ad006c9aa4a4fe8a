package output_test

import (
	"bytes"
	"io"
	"runtime"
	"strconv"
	"testing"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// manyRows is a table like that of `render istio` on a large world.
func manyRows() view.Table {
	table := view.Table{Columns: view.Columns("CLUSTER", "KIND", "NAMESPACE", "NAME")}
	for i := range 64_000 {
		table.Add("cluster-"+strconv.Itoa(i/6400), "VirtualService", "namespace", "service-"+strconv.Itoa(i))
	}
	return table
}

// heapProbe measures the live heap once, after a number of lines.
type heapProbe struct{ after, lines, heap int }

func (p *heapProbe) Write(line []byte) (int, error) {
	if p.lines += bytes.Count(line, []byte("\n")); p.heap == 0 && p.lines >= p.after {
		p.heap = liveHeap()
	}
	return len(line), nil
}

func liveHeap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc) //nolint:gosec // far below the limit
}

// TestTableIsStreamed holds that printing a large table keeps nothing of its rows:
// one that collects them adds 13 MB to those of the table.
func TestTableIsStreamed(t *testing.T) {
	table := manyRows()
	before := liveHeap()
	probe := &heapProbe{after: 60_000}
	printer := output.Printer{Out: probe, Width: 50}
	if err := printer.Print(output.FormatTable, view.View{Table: view.Rows(table)}); err != nil {
		t.Fatal(err)
	}
	if probe.lines != 64_001 {
		t.Errorf("%d lines are printed, want 64001", probe.lines)
	}
	const most = 2 << 20
	if kept := probe.heap - before; kept > most {
		t.Errorf("printing keeps %d bytes while the last rows are written, want at most %d", kept, most)
	}
	runtime.KeepAlive(table)
}

func BenchmarkTable(b *testing.B) {
	v := view.View{Table: view.Rows(manyRows())}
	for _, width := range []int{0, 50} {
		b.Run("width "+strconv.Itoa(width), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := (output.Printer{Out: io.Discard, Width: width}).Print(output.FormatTable, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
