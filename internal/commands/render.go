package commands

import "github.com/spf13/cobra"

func newRenderCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "render KIND",
		Short:   "Render virtual meshes and policies into mesh configuration",
		GroupID: groupRender,
		Long: dedent(`
			Render virtual meshes and policies into the configuration of the meshes of every
			cluster. Nothing is written to any cluster.`),
		Example: dedent(`
			# print the Istio configuration of every cluster
			meshctl render istio -f manifests -R`),
	}
	cmd.AddCommand(newRenderIstioCmd(f))
	return withSubcommands(cmd, "kind")
}
