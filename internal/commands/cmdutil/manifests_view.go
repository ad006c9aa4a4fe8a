package cmdutil

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/output/view"
)

// ManifestsView returns a view of objects as manifests and names. comment, which may be nil,
// returns the comment above the object at a position in YAML.
func ManifestsView(objects []*unstructured.Unstructured, comment func(i int) string) view.View {
	items := func(yield func(view.Manifest, error) bool) {
		for i, object := range objects {
			manifest := view.Manifest{Object: func() (any, error) { return object.Object, nil }}
			if comment != nil {
				manifest.Comment = comment(i)
			}
			if !yield(manifest, nil) {
				return
			}
		}
	}
	return view.View{
		Document: view.Value(view.Manifests{Items: items}),
		Names: view.NameEach(objects, func(object **unstructured.Unstructured) string {
			return ObjectName((*object).GroupVersionKind().GroupKind(), (*object).GetName())
		}),
	}
}
