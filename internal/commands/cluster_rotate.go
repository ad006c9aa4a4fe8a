package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/registration"
)

type clusterRotateTokenOptions struct {
	clusterCommand
	remote        remoteFlags
	tokenTTL      time.Duration
	tokenTTLGiven bool
	output        *enumValue
}

func newClusterRotateTokenCmd(f *Factory) *cobra.Command {
	opts := &clusterRotateTokenOptions{clusterCommand: newClusterCommand(f), output: newOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:   "rotate-token NAME",
		Short: "Rotate the token of a registered cluster",
		Long: dedent(`
			Rotate the token of a registered cluster and revoke the old one. The new token
			is tested before it replaces the old one, so that the cluster stays usable if a
			step fails. The registered token cannot renew itself, so that a stolen token
			cannot be renewed either: pass your own credentials with --remote-context.`),
		Example: dedent(`
			# rotate the token of east
			meshctl cluster rotate-token east --remote-context kind-east

			# use a token that expires after thirty days
			meshctl cluster rotate-token east --remote-context kind-east --token-ttl 720h`),
		Args: oneCluster,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.cluster = args[0]
			opts.tokenTTLGiven = cmd.Flags().Changed("token-ttl")
			if err := checkTokenTTL(opts.tokenTTL); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	cmd.ValidArgsFunction = opts.completeRegistered
	opts.register(cmd)
	opts.remote.register(cmd, opts.kube, "`CONTEXT` of the registered cluster, with permission to create tokens")
	cmd.Flags().DurationVar(&opts.tokenTTL, "token-ttl", 0, "`DURATION` after which the token expires, 10m or more, or 0 for a token that does not expire (default: that of the old token)")
	addOutputFlag(cmd, opts.output, "output format")
	return cmd
}

func (o *clusterRotateTokenOptions) run(ctx context.Context) error {
	management, err := o.kube.management()
	if err != nil {
		return err
	}
	if err := o.remote.require(ctx, o.streams, o.kube, management, "Which context is cluster "+o.cluster+"?"); err != nil {
		return err
	}
	remote, err := o.remote.connect(o.kube, o.cluster)
	if err != nil {
		return err
	}
	connection, err := o.kube.options()
	if err != nil {
		return err
	}
	ctx, stop := o.limited(ctx)
	defer stop()
	opts := registration.RotateOptions{
		Cluster: o.cluster, Namespace: o.namespace,
		Kubeconfig: o.kube.kubeconfigPath(), RemoteKubeconfig: o.remote.path(o.kube), Connection: connection,
	}
	if o.tokenTTLGiven {
		opts.TokenTTL = &o.tokenTTL
	}
	rotation, err := registration.RotateToken(ctx, management, remote, opts, observePhases(o.streams))
	if err != nil {
		return tellLeftovers(o.streams, err)
	}
	if err := printResults(o.streams, o.output.format(), kube.DryRunNone, rotation.Results); err != nil {
		return err
	}
	o.streams.Say("Rotated the token of cluster %s.", rotation.Cluster)
	return nil
}
