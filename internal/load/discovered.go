package load

import (
	"k8s.io/apimachinery/pkg/runtime"

	meshdiscovery "github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// Discovered returns discovered resources as if they had been read from the management
// cluster. It returns an error if a resource cannot be converted or occurs twice.
func Discovered(found meshdiscovery.Output, v *validation.Validator) (world.Objects, error) {
	a := &assembler{origins: map[objectID]world.Origin{}}
	d := &decoder{parser: newParser(), kinds: newKindTable(), checker: v, namespace: world.DefaultNamespace}
	for _, err := range []error{
		addDiscovered(a, d, found.Meshes), addDiscovered(a, d, found.Workloads), addDiscovered(a, d, found.Destinations),
	} {
		if err != nil {
			return world.Objects{}, err
		}
	}
	return a.objects, a.duplicateError()
}

// addDiscovered passes resources through the same checks as those of files, so that the result
// is the same as after a round trip through a file.
func addDiscovered[T any, P resource[T]](a *assembler, d *decoder, resources []T) error {
	for i := range resources {
		object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&resources[i])
		if err != nil {
			return err
		}
		origin := world.Origin{File: "several clusters"} // only an App Mesh spans clusters
		if cluster := P(&resources[i]).GetObjectMeta().GetLabels()[meshdiscovery.ClusterLabel]; cluster != "" {
			origin = ClusterOrigin(cluster)
		}
		a.addEntry(d.object(object, origin, listType{}))
	}
	return nil
}
