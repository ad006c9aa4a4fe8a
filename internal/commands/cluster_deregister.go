package commands

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/registration"
)

type clusterDeregisterOptions struct {
	clusterCommand
	remote remoteFlags
	force  bool
	yes    bool
	output *enumValue
}

func newClusterDeregisterCmd(f *Factory) *cobra.Command {
	opts := &clusterDeregisterOptions{clusterCommand: newClusterCommand(f), output: newOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:   "deregister NAME",
		Short: "Deregister a cluster and revoke meshctl's access",
		Long: dedent(`
			Deregister a cluster, revoke meshctl's access to it, and delete the objects
			discovered there from the management cluster. Policies, virtual meshes and
			configuration applied to the cluster are kept; they are listed with the commands
			that remove them.

			By default the registered token is used to remove the registration. To remove
			the namespace as well, pass your own credentials with --remote-context. If the
			cluster is gone or its token is no longer valid, add --force.`),
		Example: dedent(`
			# deregister east; asks you to confirm its name
			meshctl cluster deregister east

			# deregister east in a script
			meshctl cluster deregister east --yes

			# deregister a cluster that no longer exists
			meshctl cluster deregister east --force --yes`),
		Args: oneCluster,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.cluster = args[0]
			return opts.run(cmd.Context())
		},
	}
	cmd.ValidArgsFunction = opts.completeRegistered
	opts.register(cmd)
	opts.remote.register(cmd, opts.kube, "`CONTEXT` of the registered cluster (default: the registered token)")
	cmd.Flags().BoolVar(&opts.force, "force", false, "deregister the cluster even if it is unreachable, and list the objects left behind")
	cmd.Flags().BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation")
	addOutputFlag(cmd, opts.output, "output format")
	return cmd
}

func (o *clusterDeregisterOptions) run(ctx context.Context) error {
	management, err := o.kube.management()
	if err != nil {
		return err
	}
	var remote *kube.Connection
	if o.remote.context != "" {
		if remote, err = o.remote.connect(o.kube, o.cluster); err != nil {
			return err
		}
	}
	connection, err := o.kube.options()
	if err != nil {
		return err
	}
	consequence := fmt.Sprintf("Cluster %s will be deregistered from management cluster %s, and the objects discovered there will be deleted.", o.cluster, management.Name)
	if err := confirmByName(ctx, o.streams, o.yes, consequence, o.cluster); err != nil {
		return err
	}
	ctx, stop := o.limited(ctx)
	defer stop()
	deregistration, err := registration.Deregister(ctx, management, remote, registration.DeregisterOptions{
		Cluster: o.cluster, Namespace: o.namespace, Force: o.force,
		Kubeconfig: o.kube.kubeconfigPath(), RemoteKubeconfig: o.remote.path(o.kube), Connection: connection,
	}, observePhases(o.streams))
	if err != nil {
		return err
	}
	if err := printResults(o.streams, o.output.format(), kube.DryRunNone, deregistration.Results); err != nil {
		return err
	}
	printLeftovers(o.streams, deregistration.Leftovers)
	o.streams.Say("Deregistered cluster %s.", deregistration.Cluster)
	return nil
}
