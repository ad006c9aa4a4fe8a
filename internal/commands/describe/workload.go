package describe

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func workloadNoun() describeNoun {
	return describeNoun{
		ObjectKind: cmdutil.WorkloadKind(), aliases: []string{"workloads"},
		short: "Show which policies affect workloads, and which calls are allowed",
		long: cmdutil.Dedent(`
			Show which policies affect workloads, which destinations they may call, and who
			may call them.

			Without a name, print one line per workload. With names (NAME, NAME.NAMESPACE or
			NAME.NAMESPACE.CLUSTER), describe these workloads in full.`),
		example: cmdutil.Dedent(`
			# list all workloads, with the number of policies that affect them
			meshctl describe workload -f manifests -R

			# describe one workload in full
			meshctl describe workload productpage-v1.bookinfo.east -f manifests -R

			# describe the workloads of a cluster with a label, as JSON
			meshctl describe workload --cluster west -l app=reviews -f manifests -R -o json

			# include all reachable destinations, also those without a policy
			meshctl describe workload productpage-v1 --cluster east --all-destinations -f manifests -R

			# in CI: exit with 3 if there are errors or warnings
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
