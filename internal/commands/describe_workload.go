package commands

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func workloadNoun() describeNoun {
	return describeNoun{
		objectKind: workloadKind(), aliases: []string{"workloads"},
		short: "Show which policies affect workloads, whom they may call and who may call them",
		long: dedent(`
			Show which policies affect workloads, whom they may call and who may call them.

			Without a name, print one line per workload. A name is NAME, NAME.NAMESPACE or
			NAME.NAMESPACE.CLUSTER, and gives the full description of that workload.`),
		example: dedent(`
			# what affects every workload, one line each
			meshctl describe workload -f manifests -R

			# everything about one workload
			meshctl describe workload productpage-v1.bookinfo.east -f manifests -R

			# the workloads of a cluster that carry a label, as JSON
			meshctl describe workload --cluster west -l app=reviews -f manifests -R -o json

			# every destination within reach, also those that no policy touches
			meshctl describe workload productpage-v1 --cluster east --all-destinations -f manifests -R

			# in CI: exit with 3 if anything is wrong
			meshctl describe workload --fail-on-findings -f manifests -R`),
		trust: true,
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.Workloads(result, at(result.World.WorkloadPointers(), positions), describe.WorkloadOptions{
				Details: detail.full, AllDestinations: detail.allDestinations, WholeWorld: detail.wholeKind,
			})
		},
		status:  describe.StatusWorkload,
		reaches: true,
	}
}
