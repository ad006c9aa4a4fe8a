package commands

import (
	"github.com/spf13/cobra"
)

func newDescribeCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "describe RESOURCE [NAME...]",
		Short:   "Explain what affects workloads, destinations and meshes, and what policies do",
		GroupID: groupExplain,
		Long: dedent(`
			Explain what the virtual meshes and policies of all clusters mean for a
			resource: which of them affect it, what loses and why. For a policy, explain
			whom it affects.`),
		Example: dedent(`
			# what affects every workload, one line each
			meshctl describe workload -f manifests -R

			# who may call a destination, and what happens to their requests
			meshctl describe destination reviews.bookinfo.east -f manifests -R

			# whom a policy affects
			meshctl describe trafficpolicy reviews-retries -f manifests -R`),
	}
	for _, noun := range describeNouns() {
		cmd.AddCommand(newDescribeNounCmd(f, noun, nil))
	}
	return withSubcommands(cmd, "resource")
}

// describeNouns returns the kinds that describe explains.
func describeNouns() []describeNoun {
	return []describeNoun{
		workloadNoun(), destinationNoun(), meshNoun(), virtualMeshNoun(), trafficPolicyNoun(), accessPolicyNoun(), clusterNoun(),
	}
}
