// Package describe implements `meshctl describe`, which selects objects of the world and
// prints their views.
package describe

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// NewCmd returns the command `meshctl describe` with its subcommands.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "describe RESOURCE [NAME...]",
		Short:   "Explain which policies affect workloads, destinations and meshes, and why",
		GroupID: cmdutil.GroupExplain,
		Long: cmdutil.Dedent(`
			Explain what the virtual meshes and policies of all clusters mean for a
			resource: which of them affect it, what is overridden, and why. For a policy,
			show which workloads and destinations it affects.`),
		Example: cmdutil.Dedent(`
			# list all workloads, with the number of policies that affect them
			meshctl describe workload -f manifests -R

			# show who may call a destination, and the settings of these requests
			meshctl describe destination reviews.bookinfo.east -f manifests -R

			# show what a policy affects
			meshctl describe trafficpolicy reviews-retries -f manifests -R`),
	}
	for _, noun := range describeNouns() {
		cmd.AddCommand(newNounCmd(f, noun, nil))
	}
	return cmdutil.WithSubcommands(cmd, "resource")
}

// describeNouns returns the kinds of the subcommands.
func describeNouns() []describeNoun {
	return []describeNoun{
		workloadNoun(), destinationNoun(), meshNoun(), virtualMeshNoun(), trafficPolicyNoun(), accessPolicyNoun(), clusterNoun(),
	}
}
