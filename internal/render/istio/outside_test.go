package istio_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestOutsideChangesNothing adds to a world copies of all that people wrote, older and
// accepted, in a namespace that does not count: they claim no mesh, win no conflict,
// admit and deny nobody, and keep nobody from rendering (D72).
func TestOutsideChangesNothing(t *testing.T) {
	t.Parallel()
	validator := validation.New()
	base, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "grid", "two-clusters.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(base) + "\n---" + protected
	want := render(loadText(t, validator, text))
	objects, hostile := loadText(t, validator, text), loadText(t, validator, text)
	errors := []string{"it has no effect"}
	for i := range hostile.VirtualMeshes {
		o := &hostile.VirtualMeshes[i]
		o.Resource.Namespace, o.Resource.Status.State, o.Outside, o.Errors = "aaa", "ACCEPTED", true, errors
	}
	for i := range hostile.AccessPolicies {
		o := &hostile.AccessPolicies[i]
		o.Resource.Namespace, o.Outside, o.Errors = "aaa", true, errors
	}
	for i := range hostile.TrafficPolicies {
		o := &hostile.TrafficPolicies[i]
		o.Resource.Namespace, o.Outside, o.Errors = "aaa", true, errors
	}
	if len(hostile.VirtualMeshes) == 0 || len(hostile.AccessPolicies) == 0 {
		t.Fatal("there is nothing to copy")
	}
	objects.VirtualMeshes = slices.Concat(hostile.VirtualMeshes, objects.VirtualMeshes)
	objects.AccessPolicies = slices.Concat(hostile.AccessPolicies, objects.AccessPolicies)
	objects.TrafficPolicies = slices.Concat(hostile.TrafficPolicies, objects.TrafficPolicies)
	got := render(objects)
	all := func(*istio.Object) bool { return true }
	got.omissions = slices.DeleteFunc(got.omissions, func(o istio.Omission) bool { return o.Object.Namespace == "aaa" })
	if diff := cmp.Diff(want.text(t, all), got.text(t, all)); diff != "" {
		t.Errorf("rendered (-without +with):\n%s", diff)
	}
	result := policy.Evaluate(world.New(objects))
	if open := istio.New(result, istio.Options{}).Unprotected(); len(open) > 0 {
		t.Errorf("rendering is refused because of %+v", open)
	}
	for i := range result.VirtualMeshes {
		if vm := &result.VirtualMeshes[i]; vm.Resource.Namespace == "aaa" && (vm.Effective || vm.State != "INVALID" || len(vm.Meshes) > 0) {
			t.Errorf("%s: effective %t, %s, meshes %v", vm.ID(), vm.Effective, vm.State, vm.Meshes)
		}
	}
}
