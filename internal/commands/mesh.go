package commands

import "github.com/spf13/cobra"

func newMeshCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "mesh COMMAND",
		Short:   "List meshes, and restart their workloads",
		GroupID: groupClusters,
		Long: dedent(`
			List meshes, and restart their control planes, gateways and workloads in order,
			for example after their CA was replaced.`),
		Example: dedent(`
			# list all meshes
			meshctl mesh list -f manifests -R`),
	}
	cmd.AddCommand(newMeshListCmd(f), newMeshRestartCmd(f))
	return withSubcommands(cmd, "command")
}
