// Package render implements `meshctl render`, which prints Istio objects or writes them to
// files.
package render

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// NewCmd returns the command `meshctl render` with its subcommands.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "render KIND",
		Short:   "Render virtual meshes and policies into mesh configuration",
		GroupID: cmdutil.GroupRender,
		Long: cmdutil.Dedent(`
			Render virtual meshes and policies into the configuration of the meshes of every
			cluster. Nothing is written to any cluster.`),
		Example: cmdutil.Dedent(`
			# print the Istio configuration of every cluster
			meshctl render istio -f manifests -R`),
	}
	cmd.AddCommand(newIstioCmd(f))
	return cmdutil.WithSubcommands(cmd, "kind")
}
