package commands

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func clusterNoun() describeNoun {
	return describeNoun{
		objectKind: clusterKind(), aliases: []string{"clusters"},
		short: "Show the clusters, registered or only seen, and the meshes in them",
		long: dedent(`
			Show the clusters, registered or only seen, and the meshes in them.

			Without a name, print one line per cluster; with names, describe those in full.`),
		example: dedent(`
			# every cluster, one line each
			meshctl describe cluster -f manifests -R

			# one cluster, and what is wrong in it
			meshctl describe cluster west -f manifests -R`),
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.Clusters(result, at(result.World.Clusters(), positions), describe.Options{Details: detail.full})
		},
	}
}
