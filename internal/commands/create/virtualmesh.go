package create

import (
	"time"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func virtualMeshCreation() creation[render.VirtualMeshInput, *networkingv1.VirtualMesh] {
	return creation[render.VirtualMeshInput, *networkingv1.VirtualMesh]{
		kind: render.VirtualMesh(), aliases: []string{"virtualmeshes", "vmesh", "vm"},
		short: "Create a virtual mesh that groups meshes",
		long: cmdutil.Dedent(`
			Group meshes into a virtual mesh. Its meshes trust each other, can call
			federated destinations, and share a default for access.

			On a terminal, meshctl prompts for what the flags leave open. The values of
			--federate, --gateway and --vault are lists of KEY=VALUE; 'meshctl help
			flag-forms' has their syntax.`),
		example: cmdutil.Dedent(`
			# group two meshes with a generated root CA, and federate all destinations
			meshctl create virtualmesh prod -f manifests/meshes.yaml \
			  --mesh istiod-istio-system-east --mesh istiod-istio-system-west \
			  --trust shared --federate everything

			# deny all calls that no access policy allows
			meshctl create vm prod -f manifests/meshes.yaml --mesh istiod-istio-system-east \
			  --trust shared --global-access-policy ENABLED --tls-enforcement STRICT

			# start from an existing virtual mesh, make it stricter, and save the result
			meshctl create virtualmesh -f manifests -R --from manifests/virtualmesh.yaml \
			  --tls-enforcement STRICT --save stricter.yaml -o name`),
		questions: wizard.VirtualMesh, revisit: wizard.RevisitVirtualMesh,
		missing: func(vm *networkingv1.VirtualMesh) string {
			if len(vm.Spec.Meshes) == 0 {
				return "--mesh"
			}
			return ""
		},
		existing: cmdutil.VirtualMeshKind().Objects,
		joining: func(w *world.World, resource *networkingv1.VirtualMesh, now time.Time) world.Objects {
			return world.Objects{VirtualMeshes: joining(w.VirtualMeshes, resource, now)}
		},
	}
}
