package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
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
		newClusterDeregisterCmd(f, nil),
		newClusterListCmd(f, nil),
		newClusterRegisterCmd(f, nil),
		newClusterRotateTokenCmd(f, nil),
	)
	withSubcommands(cmd, "command")
	cmd.Annotations[needsCluster] = "true"
	return cmd
}

// clusterCommand is what all commands about registered clusters have.
type clusterCommand struct {
	streams *cli.Streams
	clock   cli.Clock
	kube    *kubeFlags

	cluster   string
	namespace string
	timeout   time.Duration
}

func newClusterCommand(f *Factory) clusterCommand {
	return clusterCommand{streams: f.Streams, clock: f.Clock, kube: newKubeFlags(f)}
}

// defaultClusterTimeout bounds a command that works on two clusters.
const defaultClusterTimeout = 2 * time.Minute

func (c *clusterCommand) register(cmd *cobra.Command) {
	c.kube.register(cmd)
	registerNamespace(cmd, &c.namespace, "`NAMESPACE` of the registrations on the management cluster")
	cmd.Flags().DurationVar(&c.timeout, "timeout", defaultClusterTimeout, "`DURATION` after which to give up")
}

// registerNamespace adds the flag for the namespace of meshctl's resources.
func registerNamespace(cmd *cobra.Command, namespace *string, usage string) {
	cmd.Flags().StringVarP(namespace, "namespace", "n", world.DefaultNamespace, usage)
	takeSetting(cmd.Flags(), "namespace", settingNamespace)
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

// limited returns the context of the command with its timeout.
func (c *clusterCommand) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.timeout)
}

// completeRegistered offers the names of the registered clusters. It reads
// nothing but metadata, and says nothing if that fails.
func (c *clusterCommand) completeRegistered(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	management, err := c.kube.management()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, stop := context.WithTimeout(cmd.Context(), completionPatience)
	defer stop()
	names, err := registration.RegisteredNames(ctx, management, c.namespace)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
