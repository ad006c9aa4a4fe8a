package commands

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func virtualMeshNoun() describeNoun {
	return describeNoun{
		name: "virtualmesh", plural: "virtual meshes", aliases: []string{"virtualmeshes", "vmesh", "vm"}, kind: "VirtualMesh",
		short: "Show virtual meshes: trust, federation, access and the state of their members",
		long: dedent(`
			Show virtual meshes: trust, federation, access and the state of their members.

			Without a name, print one line per virtual mesh. A name is NAME or
			NAME.NAMESPACE, and gives the full description: what is exported to which mesh
			through which gateway, and which meshes another virtual mesh holds.`),
		example: dedent(`
			# every virtual mesh, one line each
			meshctl describe virtualmesh -f manifests -R

			# what one virtual mesh shares between its meshes
			meshctl describe vm bookinfo -f manifests -R

			# the status that it would get
			meshctl describe virtualmesh bookinfo -f manifests -R --status -o yaml`),
		objects: func(w *world.World) []world.Names {
			return resourceNames("VirtualMesh", w.VirtualMeshes, func(r *networkingv1.VirtualMesh) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.VirtualMeshes[i].Resource.Labels },
		labelled: "labels",
		trust:    true,
		hint:     hintVirtualMesh,
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.VirtualMeshes(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusVirtualMesh,
	}
}

// resourceNames returns the names of resources that live on the management
// cluster.
func resourceNames[T any](kind string, objects []world.Object[T], meta func(*T) *metav1.ObjectMeta) []world.Names {
	return namesOfAll(objects, func(o world.Object[T]) world.Names {
		m := meta(o.Resource)
		return world.Names{Kind: kind, Name: m.Name, Namespace: m.Namespace}
	})
}
