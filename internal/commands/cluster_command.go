package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
)

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
	takeSetting(cmd.Flags(), "namespace", settings.Namespace)
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
