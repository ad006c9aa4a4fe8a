package commands

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
)

func newClusterCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cluster COMMAND",
		Short:   "Register clusters, list them, renew their tokens, and deregister them",
		GroupID: groupClusters,
		Long: dedent(`
			Register clusters with the management cluster. To register a cluster means to
			make a service account on it that may do what meshctl does there and no more,
			and to keep its token on the management cluster. Nothing runs on either of
			them because of it.`),
		Example: dedent(`
			# register the cluster of a context as east
			meshctl cluster register east --remote-context kind-east

			# are all of them well?
			meshctl cluster list`),
		Annotations: map[string]string{needsCluster: "true"},
	}
	cmd.AddCommand(
		newClusterDeregisterCmd(f),
		newClusterListCmd(f),
		newClusterRegisterCmd(f),
		newClusterRotateTokenCmd(f),
	)
	withSubcommands(cmd, "command")
	cmd.Annotations[needsCluster] = "true"
	return cmd
}

// oneCluster is the cobra.PositionalArgs of commands about one cluster; it is
// NAME for the user.
func oneCluster(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return cli.Usagef("%s needs the name of a cluster", cmd.CommandPath())
	case 1:
		return nil
	default:
		return cli.Usagef("%s takes one name, got %s", cmd.CommandPath(), quoteAll(args))
	}
}
