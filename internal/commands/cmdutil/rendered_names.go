package cmdutil

import (
	"github.com/meshctl/meshctl/internal/render/istio"
)

// ParentNames returns the names of the objects from which an object is rendered.
func ParentNames(o *istio.Object) []string {
	names := []string{}
	for _, parent := range o.Parents {
		names = append(names, parent.String())
	}
	return names
}

// RenderedName returns a unique name of a rendered object: CLUSTER/KIND.GROUP/NAMESPACE/NAME.
func RenderedName(o *istio.Object) string {
	return o.Cluster + "/" + ObjectName(o.Kind.GVK().GroupKind(), o.Namespace+"/"+o.Name)
}
