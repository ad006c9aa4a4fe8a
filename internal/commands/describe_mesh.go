package commands

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func meshNoun() describeNoun {
	return describeNoun{
		objectKind: meshKind(), aliases: []string{"meshes"},
		short: "Show the meshes, their gateways and what they share with other meshes",
		long: dedent(`
			Show the meshes, their gateways and what they share with other meshes.

			Without a name, print one line per mesh. A name is NAME or NAME.NAMESPACE, and
			gives the full description of that mesh.`),
		example: dedent(`
			# every mesh, one line each
			meshctl describe mesh -f manifests -R

			# the mesh of a cluster in full, with the destinations that it exports
			meshctl describe mesh --cluster east --details -f manifests -R`),
		trust: true,
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.Meshes(result, at(result.World.MeshPointers(), positions), describe.Options{Details: detail.full})
		},
		status: describe.StatusMesh,
	}
}
