package cmdutil

import (
	"github.com/meshctl/meshctl/internal/render/istio"
)

// ParentNames returns the objects that a rendered object comes from, by their
// names.
func ParentNames(o *istio.Object) []string {
	names := []string{}
	for _, parent := range o.Parents {
		names = append(names, parent.String())
	}
	return names
}

// RenderedName names an object in one word: CLUSTER/KIND.GROUP/NAMESPACE/NAME.
func RenderedName(o *istio.Object) string {
	return o.Cluster + "/" + ObjectName(o.Kind.GVK().GroupKind(), o.Namespace+"/"+o.Name)
}
