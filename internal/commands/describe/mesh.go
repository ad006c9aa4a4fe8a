package describe

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func meshNoun() describeNoun {
	return describeNoun{
		ObjectKind: cmdutil.MeshKind(), aliases: []string{"meshes"},
		short: "Show meshes, their gateways, and what they share with other meshes",
		long: cmdutil.Dedent(`
			Show meshes, their gateways, and what they share with other meshes.

			Without a name, print one line per mesh. With names (NAME or NAME.NAMESPACE),
			describe these meshes in full.`),
		example: cmdutil.Dedent(`
			# list all meshes
			meshctl describe mesh -f manifests -R

			# describe the mesh of a cluster in full, with the destinations that it exports
			meshctl describe mesh --cluster east --details -f manifests -R`),
		trust: true,
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.Meshes(result, at(result.World.MeshPointers(), positions), describe.Options{Details: detail.full})
		},
		status: describe.StatusMesh,
	}
}
