// Package cluster implements `meshctl cluster`: register, deregister, list and rotate-token.
package cluster

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// NewCmd returns the command `meshctl cluster` with its subcommands.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cluster COMMAND",
		Short:   "Register, list and deregister clusters, and rotate their tokens",
		GroupID: cmdutil.GroupClusters,
		Long: cmdutil.Dedent(`
			Register clusters with the management cluster. Registration creates a service
			account on the cluster with only the permissions that meshctl needs, and stores
			its token on the management cluster. No component is installed on either of
			them.`),
		Example: cmdutil.Dedent(`
			# register the cluster of a context as east
			meshctl cluster register east --remote-context kind-east

			# list all registered clusters
			meshctl cluster list`),
		Annotations: map[string]string{cmdutil.NeedsCluster: "true"},
	}
	cmd.AddCommand(
		newDeregisterCmd(f),
		newListCmd(f),
		newRegisterCmd(f),
		newRotateTokenCmd(f),
	)
	cmdutil.WithSubcommands(cmd, "command")
	cmd.Annotations[cmdutil.NeedsCluster] = "true"
	return cmd
}

// oneCluster is the cobra.PositionalArgs of commands that take the name of one cluster.
func oneCluster(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return cli.Usagef("%s needs the name of a cluster", cmd.CommandPath())
	case 1:
		return nil
	default:
		return cli.Usagef("%s takes one name, got %s", cmd.CommandPath(), cmdutil.QuoteAll(args))
	}
}
