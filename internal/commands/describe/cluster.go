package describe

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func clusterNoun() describeNoun {
	return describeNoun{
		ObjectKind: cmdutil.ClusterKind(), aliases: []string{"clusters"},
		short: "Show registered and discovered clusters, and their meshes",
		long: cmdutil.Dedent(`
			Show registered and discovered clusters, and their meshes.

			Without a name, print one line per cluster. With names, describe these clusters
			in full.`),
		example: cmdutil.Dedent(`
			# list all clusters
			meshctl describe cluster -f manifests -R

			# describe one cluster, with its findings
			meshctl describe cluster west -f manifests -R`),
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.Clusters(result, at(result.World.Clusters(), positions), describe.Options{Details: detail.full})
		},
	}
}
