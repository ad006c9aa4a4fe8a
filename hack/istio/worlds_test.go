package istiocheck

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// renderedWorld is a world and what is rendered of it.
type renderedWorld struct {
	name      string
	result    *policy.Result
	clusters  map[string][]istio.Object
	omissions map[string][]istio.Omission
	names     []string
}

func evaluated(name string, objects world.Objects) *renderedWorld {
	return renderedWith(name, objects, istio.Options{})
}

func renderedWith(name string, objects world.Objects, options istio.Options) *renderedWorld {
	w := &renderedWorld{name: name, result: policy.Evaluate(world.New(objects)), clusters: map[string][]istio.Object{}, omissions: map[string][]istio.Omission{}}
	renderer := istio.New(w.result, options)
	w.names = renderer.Clusters()
	for _, cluster := range w.names {
		w.clusters[cluster], w.omissions[cluster] = renderer.Cluster(cluster)
	}
	return w
}

// meshIn returns the first Istio mesh of a cluster, nil if there is none.
func (w *renderedWorld) meshIn(cluster string) *world.Mesh {
	for i := range w.result.World.Meshes {
		if m := &w.result.World.Meshes[i]; m.Cluster == cluster && m.Type == world.MeshIstio && m.Namespace != "" {
			return m
		}
	}
	return nil
}

// rootNamespace is where configuration holds for the whole mesh.
func rootNamespace(m *world.Mesh) string {
	if m == nil {
		return "istio-system"
	}
	return cmp.Or(m.Resource.Spec.Istio.RootNamespace, m.Namespace)
}

// unexported reports whether meshctl render says that other clusters do not
// get to know a Destination, which has no port or no valid hostname.
func (w *renderedWorld) unexported(d *world.Destination) bool {
	return slices.ContainsFunc(w.omissions[d.Ref.ClusterName], func(o istio.Omission) bool {
		return o.Object == world.DestinationID(d) && strings.Contains(o.Reason, "it is not exported to other clusters")
	})
}

// number returns a number that the environment may set.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// eachWorld calls f with the bundled world, the cases of the grids, generated
// worlds and random ones.
func eachWorld(t *testing.T, f func(t *testing.T, w *renderedWorld)) {
	validator := validation.New()
	root := filepath.Join("..", "..", "testdata")
	run := func(name string, objects world.Objects) {
		t.Run(name, func(t *testing.T) { f(t, evaluated(name, objects)) })
	}
	objects, err := load.Files(context.Background(), load.FileOptions{Paths: []string{filepath.Join(root, "worlds", "bookinfo-two-clusters")}, Recursive: true}, validator)
	if err != nil {
		t.Fatal(err)
	}
	run("bookinfo", objects)
	for _, grid := range []string{"grid", "istio"} {
		files, err := filepath.Glob(filepath.Join(root, grid, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			objects, err := gridWorld(file, validator)
			if err != nil {
				t.Logf("%s: %v", file, err)
				continue
			}
			run(grid+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), objects)
		}
	}
	for seed := range number("GENERATED", 5) {
		run(fmt.Sprintf("generated-%d", seed), genworld.Objects(genworld.Size{
			Clusters: 2 + seed%3, Services: 6 + 3*(seed%4), Traffic: 20 + 10*(seed%5), Access: 20, Seed: uint64(seed),
		}))
	}
	from := number("FIRST", 0)
	for seed := from; seed < from+number("WORLDS", 40); seed++ {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		objects := randomworld.Objects(random)
		randomworld.AddPods(random, objects)
		if seed%4 != 0 {
			randomworld.Federate(random, &objects)
		}
		check(t, validator, &objects)
		run(fmt.Sprintf("random-%d", seed), objects)
	}
}

func gridWorld(file string, validator *validation.Validator) (world.Objects, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return world.Objects{}, err
	}
	var manifests []string
	for line := range strings.Lines(string(archive.Comment)) {
		if base, found := strings.CutPrefix(strings.TrimSpace(line), "base: "); found {
			text, err := os.ReadFile(filepath.Join(filepath.Dir(file), base))
			if err != nil {
				return world.Objects{}, err
			}
			manifests = append(manifests, string(text))
		}
	}
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".yaml") && !strings.HasPrefix(f.Name, "want") {
			manifests = append(manifests, string(f.Data))
		}
	}
	return load.Files(context.Background(), load.FileOptions{Paths: []string{"-"}, Stdin: strings.NewReader(strings.Join(manifests, "\n---\n"))}, validator)
}

// check gives every object of the user the errors that its schema would.
func check(t *testing.T, validator *validation.Validator, objects *world.Objects) {
	checkKind(t, validator, "TrafficPolicy", objects.TrafficPolicies)
	checkKind(t, validator, "AccessPolicy", objects.AccessPolicies)
	checkKind(t, validator, "VirtualMesh", objects.VirtualMeshes)
}

func checkKind[T any](t *testing.T, validator *validation.Validator, kind string, objects []world.Object[T]) {
	gvk := schema.GroupVersionKind{Group: networkingv1.GroupName, Version: "v1", Kind: kind}
	for i := range objects {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(objects[i].Resource)
		if err != nil {
			t.Fatal(err)
		}
		report, err := validator.Check(gvk, fields)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range report.Errors {
			objects[i].Errors = append(slices.Clip(objects[i].Errors), e.Path+": "+e.Message)
		}
	}
}

// text writes objects as YAML.
func text(t *testing.T, objects []istio.Object) string {
	var out strings.Builder
	encoder := istio.NewEncoder()
	for i := range objects {
		manifest, err := encoder.YAML(&objects[i])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "---\n%s", manifest)
	}
	return out.String()
}
