package istio_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestUpdates applies renderings of all kinds over each other, in random order, as
// an API server with Istio's CRDs does: each must be accepted, and be what is
// there afterwards (D75).
func TestUpdates(t *testing.T) {
	t.Parallel()
	byKind := map[istio.Kind][]map[string]any{}
	for _, fields := range renderedSpecs(t) {
		if len(fields.spec) == 0 {
			continue // global-access-control, which never is anything else
		}
		byKind[fields.kind] = append(byKind[fields.kind], fields.spec)
	}
	for _, kind := range istio.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			specs := byKind[kind]
			if len(specs) < 2 {
				t.Fatalf("%d renderings show nothing", len(specs))
			}
			server := newFakeServer(t, kind)
			random := rand.New(rand.NewPCG(1, uint64(len(specs))))
			for range 2 {
				random.Shuffle(len(specs), func(i, k int) { specs[i], specs[k] = specs[k], specs[i] })
				for _, desired := range specs {
					before := server.spec()
					if reasons := server.apply(t, desired); len(reasons) > 0 {
						t.Fatalf("an API server would refuse %v\nover %v:\n%s", desired, before, strings.Join(reasons, "\n"))
					}
					if diff := cmp.Diff(desired, server.spec()); diff != "" {
						t.Fatalf("over %v (-applied +stored)\n%s", before, diff)
					}
				}
			}
		})
	}
}

// TestUpdatesBite shows that an update is refused that leaves nothing of an
// object.
func TestUpdatesBite(t *testing.T) {
	t.Parallel()
	rule := func(tls map[string]any) map[string]any {
		return map[string]any{"host": "a", "trafficPolicy": map[string]any{"tls": tls}}
	}
	server := newFakeServer(t, istio.KindDestinationRule)
	if reasons := server.apply(t, rule(map[string]any{"mode": "ISTIO_MUTUAL"})); len(reasons) > 0 {
		t.Fatal(reasons)
	}
	if reasons := server.apply(t, rule(map[string]any{})); len(reasons) == 0 {
		t.Errorf("what is left is accepted: %v", server.spec())
	}
}

type renderedSpec struct {
	kind istio.Kind
	spec map[string]any
}

// renderedSpecs returns what is rendered of all cases and of a generated world.
func renderedSpecs(t *testing.T) []renderedSpec {
	t.Helper()
	var worlds []rendered
	validator := validation.New()
	for _, grid := range []string{"istio", "grid"} {
		dir := filepath.Join("..", "..", "..", "testdata", grid)
		files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no cases in %s (%v)", dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			archive := txtar.Parse(text)
			archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want") })
			worlds = append(worlds, render(loadText(t, validator, strings.Join(parseCase(t, dir, archive).manifests, "\n---\n"))))
		}
	}
	worlds = append(worlds, render(genworld.Objects(genworld.Size{Clusters: 3, Services: 12, Traffic: 60, Access: 30, Seed: 11})))
	var specs []renderedSpec
	for _, world := range worlds {
		for i := range world.objects {
			fields, err := world.objects[i].Fields()
			if err != nil {
				t.Fatal(err)
			}
			spec, _ := fields["spec"].(map[string]any)
			specs = append(specs, renderedSpec{world.objects[i].Kind, spec})
		}
	}
	return specs
}

// fakeServer has one object of a kind, and treats it as an API server does that
// has Istio's CRDs.
type fakeServer struct {
	kind    istio.Kind
	manager *managedfields.FieldManager
	stored  *unstructured.Unstructured
}

func newFakeServer(t *testing.T, kind istio.Kind) *fakeServer {
	t.Helper()
	schemas, err := crdSchemas()
	if err != nil {
		t.Fatal(err)
	}
	gvk := schema.FromAPIVersionAndKind(kind.APIVersion(), string(kind))
	model := schemas[kind].structural.ToKubeOpenAPI()
	model.AddExtension("x-kubernetes-group-version-kind", []any{map[string]any{"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind}})
	for _, name := range []string{"apiVersion", "kind"} {
		model.Properties[name] = *spec.StringProperty()
	}
	metadata := *spec.MapProperty(nil)
	metadata.AddExtension("x-kubernetes-preserve-unknown-fields", true)
	model.Properties["metadata"] = metadata
	models := map[string]*spec.Schema{"object": model}
	converter, err := managedfields.NewTypeConverter(models, false)
	if err != nil {
		t.Fatal(err)
	}
	manager, err := managedfields.NewDefaultCRDFieldManager(converter, sameVersion{}, sameVersion{}, sameVersion{}, gvk, gvk.GroupVersion(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeServer{kind: kind, manager: manager}
}

func (s *fakeServer) spec() map[string]any {
	if s.stored == nil {
		return nil
	}
	spec, _ := s.stored.Object["spec"].(map[string]any)
	return spec
}

// apply returns why the specification is refused; it is stored otherwise.
func (s *fakeServer) apply(t *testing.T, desired map[string]any) []string {
	t.Helper()
	applied := &unstructured.Unstructured{Object: map[string]any{"spec": runtime.DeepCopyJSON(desired)}}
	applied.SetAPIVersion(s.kind.APIVersion())
	applied.SetKind(string(s.kind))
	applied.SetNamespace("a")
	applied.SetName("b")
	live := s.stored
	if live == nil {
		live = &unstructured.Unstructured{Object: map[string]any{}}
		live.SetGroupVersionKind(applied.GroupVersionKind())
	}
	merged, err := s.manager.Apply(live, applied, "meshctl", true)
	if err != nil {
		return []string{err.Error()}
	}
	object, ok := merged.(*unstructured.Unstructured)
	if !ok {
		t.Fatalf("got a %T", merged)
	}
	if reasons := fieldErrors(t, s.kind, object.Object); len(reasons) > 0 {
		return reasons
	}
	s.stored = object
	return nil
}

// sameVersion converts between the versions of a kind that has one, and has no
// defaults.
type sameVersion struct{}

// Convert implements runtime.ObjectConvertor.
func (sameVersion) Convert(_, _, _ any) error { return nil }

// ConvertToVersion implements runtime.ObjectConvertor.
func (sameVersion) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

// ConvertFieldLabel implements runtime.ObjectConvertor.
func (sameVersion) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

// Default implements runtime.ObjectDefaulter.
func (sameVersion) Default(runtime.Object) {}

// New implements runtime.ObjectCreater.
func (sameVersion) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetGroupVersionKind(kind)
	return object, nil
}
