package commands

import (
	"github.com/spf13/cobra"
)

func newDescribeCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "describe RESOURCE [NAME...]",
		Short:   "Explain what affects workloads",
		GroupID: groupExplain,
		Long: dedent(`
			Explain what the virtual meshes and policies of all clusters mean for a
			resource: which of them affect it, what loses and why.`),
		Example: dedent(`
			# what affects every workload, one line each
			meshctl describe workload -f manifests -R`),
	}
	cmd.AddCommand(newDescribeWorkloadCmd(f, nil))
	return withSubcommands(cmd, "resource")
}
