package istio_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml "go.yaml.in/yaml/v2"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
)

// TestEncoder holds what is put together from remembered texts to what the
// fields say.
func TestEncoder(t *testing.T) {
	t.Parallel()
	all := render(genworld.Objects(genworld.Size{Clusters: 3, Services: 12, Traffic: 60, Access: 30, Seed: 5}))
	encoder := istio.NewEncoder()
	for i := range all.objects {
		o := &all.objects[i]
		got, err := encoder.YAML(o)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := o.Fields()
		if err != nil {
			t.Fatal(err)
		}
		want, err := yaml.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		var read, meant map[string]any
		if err := yaml.Unmarshal(got, &read); err != nil {
			t.Fatalf("%s: %v\n%s", o.ID(), err, got)
		}
		if err := yaml.Unmarshal(want, &meant); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(meant, read); diff != "" {
			t.Fatalf("%s (-fields +yaml)\n%s", o.ID(), diff)
		}
	}
}
