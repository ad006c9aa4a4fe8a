package istio_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// loadText loads manifests the way files are loaded.
func loadText(t *testing.T, validator *validation.Validator, text string) world.Objects {
	t.Helper()
	objects, err := load.Files(context.Background(), load.FileOptions{Paths: []string{"-"}, Stdin: strings.NewReader(text)}, validator)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// rendered is everything that is rendered of a world.
type rendered struct {
	result    *policy.Result
	objects   []istio.Object
	omissions []istio.Omission
}

func render(objects world.Objects) rendered {
	all := rendered{result: policy.Evaluate(world.New(objects))}
	renderer := istio.New(all.result, istio.Options{})
	for _, cluster := range renderer.Clusters() {
		some, omissions := renderer.Cluster(cluster)
		all.objects = append(all.objects, some...)
		all.omissions = append(all.omissions, omissions...)
	}
	all.omissions = append(all.omissions, renderer.Omissions()...)
	return all
}

// text writes the objects that a filter keeps, and what was left out.
func (r rendered) text(t *testing.T, keep func(*istio.Object) bool) string {
	t.Helper()
	var out strings.Builder
	encoder := istio.NewEncoder()
	for i := range r.objects {
		o := &r.objects[i]
		if !keep(o) {
			continue
		}
		manifest, err := encoder.YAML(o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "---\n%s", manifest)
	}
	out.WriteString(omissionsText(r.omissions))
	return out.String()
}

func omissionsText(omissions []istio.Omission) string {
	var lines []string
	for _, o := range omissions {
		line := fmt.Sprintf("# %s left out", o.Object)
		if len(o.Targets) > 0 {
			line += " on " + strings.Join(o.Targets, ", ")
		}
		if o.Cluster != "" {
			line += " in " + o.Cluster
		}
		lines = append(lines, line+": "+o.Reason+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// selecting returns the selector of one Service.
func selecting(ref core.ClusterObjectRef) []core.DestinationSelector {
	return []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{ref}}}}
}
