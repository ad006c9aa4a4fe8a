package commands

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func virtualMeshNoun() describeNoun {
	return describeNoun{
		objectKind: virtualMeshKind(), aliases: []string{"virtualmeshes", "vmesh", "vm"},
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
		trust: true,
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.VirtualMeshes(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusVirtualMesh,
	}
}
