package cluster

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/registration"
)

type rotateTokenOptions struct {
	cmdutil.ClusterCommand
	remote        remoteFlags
	tokenTTL      time.Duration
	tokenTTLGiven bool
	output        *cmdutil.EnumValue
}

func newRotateTokenCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &rotateTokenOptions{ClusterCommand: cmdutil.NewClusterCommand(f), output: cmdutil.NewOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:   "rotate-token NAME",
		Short: "Rotate the token of a registered cluster",
		Long: cmdutil.Dedent(`
			Rotate the token of a registered cluster and revoke the old one. The new token
			is tested before it replaces the old one, so that the cluster stays usable if a
			step fails. The registered token cannot renew itself, so that a stolen token
			cannot be renewed either: pass your own credentials with --remote-context.`),
		Example: cmdutil.Dedent(`
			# rotate the token of east
			meshctl cluster rotate-token east --remote-context kind-east

			# use a token that expires after thirty days
			meshctl cluster rotate-token east --remote-context kind-east --token-ttl 720h`),
		Args: oneCluster,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Cluster = args[0]
			opts.tokenTTLGiven = cmd.Flags().Changed("token-ttl")
			if err := checkTokenTTL(opts.tokenTTL); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	cmd.ValidArgsFunction = opts.CompleteRegistered
	opts.Register(cmd)
	opts.remote.register(cmd, opts.Kube, "`CONTEXT` of the registered cluster, with permission to create tokens")
	cmd.Flags().DurationVar(&opts.tokenTTL, "token-ttl", 0, "`DURATION` after which the token expires, 10m or more, or 0 for a token that does not expire (default: that of the old token)")
	cmdutil.AddOutputFlag(cmd, opts.output, "output format")
	return cmd
}

func (o *rotateTokenOptions) run(ctx context.Context) error {
	management, err := o.Kube.Management()
	if err != nil {
		return err
	}
	if o.remote.context == "" {
		chooser := newChooser(ctx, &o.ClusterCommand, &o.remote, management)
		if chooser == nil {
			return errNoContext()
		}
		if err := chooser.selectRegistered(ctx); err != nil {
			return err
		}
	}
	remote, err := o.remote.connect(o.Kube, o.Cluster)
	if err != nil {
		return err
	}
	connection, err := o.Kube.Options()
	if err != nil {
		return err
	}
	ctx, stop := o.Limited(ctx)
	defer stop()
	opts := registration.RotateOptions{
		Cluster: o.Cluster, Namespace: o.Namespace,
		Kubeconfig: o.Kube.KubeconfigPath(), RemoteKubeconfig: o.remote.path(o.Kube), Connection: connection,
	}
	if o.tokenTTLGiven {
		opts.TokenTTL = &o.tokenTTL
	}
	rotation, err := registration.RotateToken(ctx, management, remote, opts, cmdutil.ObservePhases(o.Streams))
	if err != nil {
		return cmdutil.ReportLeftovers(o.Streams, err)
	}
	if err := cmdutil.PrintResults(o.Streams, o.output.Format(), kube.DryRunNone, rotation.Results); err != nil {
		return err
	}
	o.Streams.Say("Rotated the token of cluster %s.", rotation.Cluster)
	return nil
}
