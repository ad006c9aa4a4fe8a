package describe_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
)

// TestJSONInParts holds the lists, which are written part by part, against
// encoding them as a whole.
func TestJSONInParts(t *testing.T) {
	t.Parallel()
	size, _ := genworld.Named("small")
	lonely := size
	lonely.Traffic, lonely.Access = 0, 0
	for name, c := range map[string]struct {
		size    genworld.Size
		options describe.WorkloadOptions
	}{
		"summary":             {size, describe.WorkloadOptions{WholeWorld: true}},
		"details":             {size, describe.WorkloadOptions{Details: true}},
		"all destinations":    {size, describe.WorkloadOptions{AllDestinations: true}},
		"no policies":         {lonely, describe.WorkloadOptions{WholeWorld: true}},
		"no policies in full": {lonely, describe.WorkloadOptions{Details: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world.New(genworld.Objects(c.size))
			view := describe.Workloads(policy.Evaluate(w), w.WorkloadPointers(), c.options)
			var want, got bytes.Buffer
			encoder := json.NewEncoder(&want)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(view); err != nil {
				t.Fatal(err)
			}
			if err := output.Write(&got, output.FormatJSON, false, view.View()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
