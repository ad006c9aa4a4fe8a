package cluster

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/registration"
)

type deregisterOptions struct {
	cmdutil.ClusterCommand
	remote remoteFlags
	force  bool
	yes    bool
	output *cmdutil.EnumValue
}

func newDeregisterCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &deregisterOptions{ClusterCommand: cmdutil.NewClusterCommand(f), output: cmdutil.NewOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:   "deregister NAME",
		Short: "Deregister a cluster and revoke meshctl's access",
		Long: cmdutil.Dedent(`
			Deregister a cluster, revoke meshctl's access to it, and delete the objects
			discovered there from the management cluster. Policies, virtual meshes and
			configuration applied to the cluster are kept; they are listed with the commands
			that remove them.

			By default the registered token is used to remove the registration. To remove
			the namespace as well, pass your own credentials with --remote-context. If the
			cluster is gone or its token is no longer valid, add --force.`),
		Example: cmdutil.Dedent(`
			# deregister east; asks you to confirm its name
			meshctl cluster deregister east

			# deregister east in a script
			meshctl cluster deregister east --yes

			# deregister a cluster that no longer exists
			meshctl cluster deregister east --force --yes`),
		Args: oneCluster,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Cluster = args[0]
			return opts.run(cmd.Context())
		},
	}
	cmd.ValidArgsFunction = opts.CompleteRegistered
	opts.Register(cmd)
	opts.remote.register(cmd, opts.Kube, "`CONTEXT` of the registered cluster (default: the registered token)")
	cmd.Flags().BoolVar(&opts.force, "force", false, "deregister the cluster even if it is unreachable, and list the objects left behind")
	cmd.Flags().BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation")
	cmdutil.AddOutputFlag(cmd, opts.output, "output format")
	return cmd
}

func (o *deregisterOptions) run(ctx context.Context) error {
	management, err := o.Kube.Management()
	if err != nil {
		return err
	}
	var remote *kube.Connection
	if o.remote.context != "" {
		if remote, err = o.remote.connect(o.Kube, o.Cluster); err != nil {
			return err
		}
	}
	connection, err := o.Kube.Options()
	if err != nil {
		return err
	}
	consequence := fmt.Sprintf("Cluster %s will be deregistered from management cluster %s, and the objects discovered there will be deleted.", o.Cluster, management.Name)
	if err := cmdutil.ConfirmByName(ctx, o.Streams, o.yes, consequence, o.Cluster); err != nil {
		return err
	}
	ctx, stop := o.Limited(ctx)
	defer stop()
	deregistration, err := registration.Deregister(ctx, management, remote, registration.DeregisterOptions{
		Cluster: o.Cluster, Namespace: o.Namespace, Force: o.force,
		Kubeconfig: o.Kube.KubeconfigPath(), RemoteKubeconfig: o.remote.path(o.Kube), Connection: connection,
	}, cmdutil.ObservePhases(o.Streams))
	if err != nil {
		return err
	}
	if err := cmdutil.PrintResults(o.Streams, o.output.Format(), kube.DryRunNone, deregistration.Results); err != nil {
		return err
	}
	cmdutil.PrintLeftovers(o.Streams, deregistration.Leftovers)
	o.Streams.Say("Deregistered cluster %s.", deregistration.Cluster)
	return nil
}
