package commands

import "github.com/spf13/cobra"

func newMeshCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "mesh COMMAND",
		Short:   "List meshes, and restart what runs in them",
		GroupID: groupClusters,
		Long: dedent(`
			List the meshes, and restart their control planes, gateways and workloads one
			after the other, for example because their certificates are of an authority
			that was replaced.`),
		Example: dedent(`
			# which meshes are there?
			meshctl mesh list -f manifests -R`),
	}
	cmd.AddCommand(newMeshListCmd(f), newMeshRestartCmd(f))
	return withSubcommands(cmd, "command")
}
