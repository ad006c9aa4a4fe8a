package describe

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func virtualMeshNoun() describeNoun {
	return describeNoun{
		ObjectKind: cmdutil.VirtualMeshKind(), aliases: []string{"virtualmeshes", "vmesh", "vm"},
		short: "Show virtual meshes: trust, federation, access and state of their members",
		long: cmdutil.Dedent(`
			Show virtual meshes: trust, federation, access and the state of their members.

			Without a name, print one line per virtual mesh. With names (NAME or
			NAME.NAMESPACE), describe these virtual meshes in full: which destinations are
			exported to which mesh through which gateway, and which meshes belong to another
			virtual mesh.`),
		example: cmdutil.Dedent(`
			# list all virtual meshes
			meshctl describe virtualmesh -f manifests -R

			# show what one virtual mesh shares between its meshes
			meshctl describe vm bookinfo -f manifests -R

			# print the status of a virtual mesh
			meshctl describe virtualmesh bookinfo -f manifests -R --status -o yaml`),
		trust: true,
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.VirtualMeshes(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusVirtualMesh,
	}
}
