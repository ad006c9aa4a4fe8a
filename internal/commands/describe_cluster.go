package commands

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

func clusterNoun() describeNoun {
	return describeNoun{
		name: "cluster", plural: "clusters", aliases: []string{"clusters"}, kind: "KubernetesCluster",
		short: "Show the clusters, registered or only seen, and the meshes in them",
		long: dedent(`
			Show the clusters, registered or only seen, and the meshes in them.

			Without a name, print one line per cluster; with names, describe those in full.`),
		example: dedent(`
			# every cluster, one line each
			meshctl describe cluster -f manifests -R

			# one cluster, and what is wrong in it
			meshctl describe cluster west -f manifests -R`),
		objects: func(w *world.World) []world.Names {
			return namesOfAll(w.Clusters(), func(name string) world.Names { return world.Names{Kind: "KubernetesCluster", Name: name} })
		},
		hint: hintCluster,
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.Clusters(result, at(result.World.Clusters(), positions), describe.Options{Details: detail.full})
		},
		global: true,
	}
}
