package cmdutil

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
)

// ClusterCommand holds the dependencies and flags shared by all commands for registered
// clusters.
type ClusterCommand struct {
	Streams *cli.Streams
	Clock   cli.Clock
	Kube    *KubeFlags

	Cluster   string
	Namespace string
	Timeout   time.Duration
}

// NewClusterCommand returns a ClusterCommand with the dependencies of the factory.
func NewClusterCommand(f *Factory) ClusterCommand {
	return ClusterCommand{Streams: f.Streams, Clock: f.Clock, Kube: NewKubeFlags(f)}
}

// DefaultClusterTimeout is the default timeout of commands that access two clusters.
const DefaultClusterTimeout = 2 * time.Minute

// Register adds the shared flags.
func (c *ClusterCommand) Register(cmd *cobra.Command) {
	c.Kube.Register(cmd)
	RegisterNamespace(cmd, &c.Namespace, "`NAMESPACE` of the registrations on the management cluster")
	cmd.Flags().DurationVar(&c.Timeout, "timeout", DefaultClusterTimeout, "`DURATION` after which to give up")
}

// RegisterNamespace adds the flag for the namespace of meshctl's resources.
func RegisterNamespace(cmd *cobra.Command, namespace *string, usage string) {
	cmd.Flags().StringVarP(namespace, "namespace", "n", world.DefaultNamespace, usage)
	BindSetting(cmd.Flags(), "namespace", settings.Namespace)
}

// Limited returns the context of the command with its timeout. The caller must call the
// CancelFunc.
func (c *ClusterCommand) Limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.Timeout)
}

// CompleteRegistered completes the names of the registered clusters. It reads only metadata,
// and offers nothing if that fails.
func (c *ClusterCommand) CompleteRegistered(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	management, err := c.Kube.Management()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, stop := context.WithTimeout(cmd.Context(), completionPatience)
	defer stop()
	names, err := registration.RegisteredNames(ctx, management, c.Namespace)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
