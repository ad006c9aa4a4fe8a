// Package mesh implements `meshctl mesh`: list and restart.
package mesh

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// NewCmd returns the command `meshctl mesh` with its subcommands.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "mesh COMMAND",
		Short:   "List meshes, and restart their workloads",
		GroupID: cmdutil.GroupClusters,
		Long: cmdutil.Dedent(`
			List meshes, and restart their control planes, gateways and workloads in order,
			for example after their CA was replaced.`),
		Example: cmdutil.Dedent(`
			# list all meshes
			meshctl mesh list -f manifests -R`),
	}
	cmd.AddCommand(newListCmd(f), newRestartCmd(f))
	return cmdutil.WithSubcommands(cmd, "command")
}
