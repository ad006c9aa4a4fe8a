//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"

	"github.com/meshctl/meshctl/pkg/api/crds"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// installCRDs creates the CRDs of the mesh API and waits until they can be
// used. It returns where the API server keeps each kind.
func installCRDs(t *testing.T, c *clustertest.Cluster) map[schema.GroupKind]schema.GroupVersionResource {
	t.Helper()
	client, err := apiextensions.NewForConfig(c.Admin().Config())
	if err != nil {
		t.Fatal(err)
	}
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	resources := map[schema.GroupKind]schema.GroupVersionResource{}
	for _, crd := range all {
		options := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
		if _, err := client.ApiextensionsV1().CustomResourceDefinitions().Create(t.Context(), crd, options); err != nil {
			t.Fatal(err)
		}
		kind := schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind}
		resources[kind] = schema.GroupVersionResource{Group: crd.Spec.Group, Version: crd.Spec.Versions[0].Name, Resource: crd.Spec.Names.Plural}
	}
	for _, crd := range all {
		if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
			current, err := client.ApiextensionsV1().CustomResourceDefinitions().Get(ctx, crd.Name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			return established(current)
		}); err != nil {
			t.Fatalf("%s: %v", crd.Name, err)
		}
	}
	return resources
}

// established returns an error unless the CRD is served and has nothing to
// complain about.
func established(crd *apiextensionsv1.CustomResourceDefinition) error {
	found := false
	for _, condition := range crd.Status.Conditions {
		switch condition.Type {
		case apiextensionsv1.Established:
			found = condition.Status == apiextensionsv1.ConditionTrue
		case apiextensionsv1.NonStructuralSchema, apiextensionsv1.Terminating:
			if condition.Status == apiextensionsv1.ConditionTrue {
				return fmt.Errorf("%s: %s", condition.Type, condition.Message)
			}
		default: // Says nothing about whether it can be used.
		}
	}
	if !found {
		return errors.New("not established")
	}
	return nil
}

// apply sends the object with server-side apply. Unknown and duplicate fields
// are errors.
func apply(ctx context.Context, client dynamic.Interface, resource schema.GroupVersionResource, object *unstructured.Unstructured) error {
	body, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = client.Resource(resource).Namespace(object.GetNamespace()).Patch(ctx, object.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: "e2e", FieldValidation: metav1.FieldValidationStrict})
	return err
}

// manifest is one object of a file.
type manifest struct {
	path   string
	object *unstructured.Unstructured
}

// manifests reads all objects of the YAML files below the directory.
func manifests(t *testing.T, dir string) []manifest {
	t.Helper()
	var all []manifest
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
		for {
			object := &unstructured.Unstructured{}
			err := decoder.Decode(&object.Object)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if len(object.Object) > 0 {
				all = append(all, manifest{path, object})
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAPIServerAcceptsTheBundledWorld(t *testing.T) {
	t.Parallel()
	library := newCluster(t, "library")
	resources := installCRDs(t, library)
	client, err := dynamic.NewForConfig(library.Admin().Config())
	if err != nil {
		t.Fatal(err)
	}
	namespace(t, clientset(t, library.Admin().Config()), "gloo-mesh")

	world := manifests(t, "../../testdata/worlds/bookinfo-two-clusters")
	applied := map[schema.GroupKind]int{}
	for _, m := range world {
		kind := m.object.GroupVersionKind().GroupKind()
		resource, ours := resources[kind]
		if !ours {
			t.Errorf("%s: %s is not of the mesh API", m.path, kind)
			continue
		}
		if err := apply(t.Context(), client, resource, m.object); err != nil {
			t.Errorf("%s: %v", m.path, err)
		}
		applied[kind]++
	}
	for kind := range resources {
		if applied[kind] == 0 {
			t.Errorf("the bundled world has no %s", kind)
		}
	}

	t.Run("but no unknown field", func(t *testing.T) {
		t.Parallel()
		object := world[0].object.DeepCopy()
		if err := unstructured.SetNestedField(object.Object, "x", "spec", "noSuchField"); err != nil {
			t.Fatal(err)
		}
		err := apply(t.Context(), client, resources[object.GroupVersionKind().GroupKind()], object)
		if err == nil || !strings.Contains(err.Error(), "noSuchField") {
			t.Errorf("got error %v, want one that names the field", err)
		}
	})
}
