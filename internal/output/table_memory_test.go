package output_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
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
type heapProbe struct {
	after, lines, heap int
	// last are the last lines that were written.
	last []string
}

func (p *heapProbe) Write(line []byte) (int, error) {
	const kept = 3
	if p.last = append(p.last, strings.TrimSuffix(string(line), "\n")); len(p.last) > kept {
		p.last = p.last[1:]
	}
	if p.lines += bytes.Count(line, []byte("\n")); p.heap == 0 && p.lines >= p.after {
		p.heap = liveHeap()
	}
	return len(line), nil
}

func liveHeap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// allocatedBytes is all that was allocated so far.
func allocatedBytes() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

// TestTableIsStreamed holds that printing a large table keeps nothing of its rows,
// where one that collects them adds 13 MB, and allocates little for each.
func TestTableIsStreamed(t *testing.T) {
	table := manyRows()
	before := liveHeap()
	probe := &heapProbe{after: 60_000}
	printer := output.Printer{Out: probe, Width: 60}
	if err := printer.Print(output.FormatTable, view.View{Table: view.Rows(table)}); err != nil {
		t.Fatal(err)
	}
	if probe.lines != 64_001 {
		t.Errorf("%d lines are printed, want 64001", probe.lines)
	}
	for i, line := range probe.last {
		if want := fmt.Sprintf("cluster-9   VirtualService   namespace   service-%d", 64_000-len(probe.last)+i); line != want {
			t.Errorf("near the end there is %q, want %q", line, want)
		}
	}
	const most = 2 << 20
	if kept := probe.heap - before; kept > most {
		t.Errorf("printing keeps %d bytes while the last rows are written, want at most %d", kept, most)
	}
	runtime.KeepAlive(table)
	const mostAllocated = 64_000 * 200
	start := allocatedBytes()
	if err := printer.Print(output.FormatTable, view.View{Table: view.Rows(table)}); err != nil {
		t.Fatal(err)
	}
	if allocated := allocatedBytes() - start; allocated > mostAllocated {
		t.Errorf("printing allocates %d bytes, want at most %d", allocated, mostAllocated)
	}
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
