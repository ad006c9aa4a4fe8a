package inventory

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
)

// factsField is the field of a spec with the facts that meshctl adds.
const factsField = "meshctl"

// kindsWithoutFacts returns the kinds whose CRDs have no field for facts, as those of other
// tools. The API server drops them there, so that every plan would contain the same changes.
// It reads a CRD only if objects of its kind are stored and none of them has facts. If it may
// not be read, facts are written.
func kindsWithoutFacts(ctx context.Context, c *kube.Connection, stored *Stored) []string {
	var without []string
	for _, gvk := range stored.kinds {
		if !stored.lacksFacts(gvk) {
			continue
		}
		resource, err := c.Resource(ctx, gvk)
		if err != nil {
			continue
		}
		crd, err := kube.Get(ctx, c, kube.ObjectKey{
			GVK:  schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"},
			Name: resource.GroupResource().String(),
		})
		if err == nil && prunesFacts(crd, gvk.Version) {
			without = append(without, gvk.Kind)
		}
	}
	return without
}

// lacksFacts reports whether there are objects of a kind, and none of them has facts.
func (s *Stored) lacksFacts(gvk schema.GroupVersionKind) bool {
	some := false
	for key, object := range s.objects {
		if key.GVK != gvk {
			continue
		}
		if _, found, _ := unstructured.NestedFieldNoCopy(object.Object, "spec", factsField); found {
			return false
		}
		some = true
	}
	return some
}

// prunesFacts reports whether a version of a CRD certainly has no field for facts.
func prunesFacts(crd *unstructured.Unstructured, version string) bool {
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, item := range versions {
		fields, _ := item.(map[string]any)
		if name, _, _ := unstructured.NestedString(fields, "name"); name != version {
			continue
		}
		spec, found, _ := unstructured.NestedMap(fields, "schema", "openAPIV3Schema", "properties", "spec")
		_, hasFacts, _ := unstructured.NestedMap(spec, "properties", factsField)
		preserves, _, _ := unstructured.NestedBool(spec, "x-kubernetes-preserve-unknown-fields")
		return found && !hasFacts && !preserves
	}
	return false
}
