//go:build linux

package tests

import (
	"testing"

	"github.com/meshctl/meshctl/hack/lab/judge"
	"github.com/meshctl/meshctl/hack/lab/mesh"
)

// TestKnown holds the list of known disagreements to be true: each entry's own
// case still disagrees, and in the way that the entry describes. An entry that
// fails here was repaired, or never right: delete it.
func TestKnown(t *testing.T) {
	known := judge.Known()
	if len(known) == 0 {
		t.Skip("no disagreements are known")
	}
	current := known[0].Case.World()
	l := startLab(t, mesh.Options{Clusters: mesh.OptionsOf(&current)})
	if err := l.Manage(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Deploy(t.Context(), &current); err != nil {
		t.Fatal(err)
	}
	for i := range known {
		entry := &known[i]
		t.Run(entry.ID, func(t *testing.T) {
			next := entry.Case.World()
			if err := l.Replace(t.Context(), &current, &next); err != nil {
				t.Fatal(err)
			}
			current = next
			question, err := entry.Case.Ask(describe(t, l))
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			runner := judge.Runner{Sender: sender{l}, Known: []judge.Entry{*entry}}
			report := runner.Run(t.Context(), []judge.Question{question})
			t.Log(report)
			if err := report.Err(); err != nil {
				t.Error(err)
			}
			if len(report.Disagreements) == 0 {
				t.Errorf("meshctl and the mesh agree about %s: delete the entry %s", question, entry.ID)
			}
		})
	}
}
