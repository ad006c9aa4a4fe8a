package commands

import (
	"github.com/meshctl/meshctl/internal/render/istio"
)

func parentNames(o *istio.Object) []string {
	names := []string{}
	for _, parent := range o.Parents {
		names = append(names, parent.String())
	}
	return names
}

// renderedName names an object in one word: CLUSTER/KIND.GROUP/NAMESPACE/NAME.
func renderedName(o *istio.Object) string {
	return o.Cluster + "/" + objectName(o.Kind.GVK().GroupKind(), o.Namespace+"/"+o.Name)
}
