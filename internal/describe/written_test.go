package describe

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/output/view"
)

func TestNoteWritten(t *testing.T) {
	t.Parallel()
	const note = "WRITTEN is what meshctl wrote last; 'meshctl check' compares it with the clusters"
	tests := []struct {
		name  string
		cells []string
		want  string
	}{
		{"written", []string{"no", "yes"}, note},
		{"not written", []string{"no", "1/2", "outdated"}, ""},
		{"manifests", []string{view.Unknown}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			table := view.Table{Columns: view.Columns("NAME", "WRITTEN")}
			for _, cell := range tt.cells {
				table.Add("yes", cell)
			}
			noteWritten(&table)
			if diff := cmp.Diff([]string{"", tt.want}, []string{table.Columns[0].Note, table.Columns[1].Note}); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}
