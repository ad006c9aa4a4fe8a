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
		Short: "Take meshctl's access to a cluster away, and forget the cluster",
		Long: dedent(`
			Take meshctl's access to a cluster away, and forget the cluster with what was
			discovered there. Policies and virtual meshes stay, and so does configuration
			that was applied to the cluster: what is left behind is listed, with the
			commands that remove it.

			The registration removes itself with its own token, unless --remote-context
			names other credentials, with which the namespace is removed, too. If the
			cluster is gone, or its token does not work any more, add --force.`),
		Example: dedent(`
			# deregister east after confirming its name
			meshctl cluster deregister east

			# in a script
			meshctl cluster deregister east --yes

			# a cluster that does not exist any more
			meshctl cluster deregister east --force --yes`),
		Args: oneCluster,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.cluster = args[0]
			return opts.run(cmd.Context())
		},
	}
	cmd.ValidArgsFunction = opts.completeRegistered
	opts.register(cmd)
	opts.remote.register(cmd, opts.kube, "`CONTEXT` of the registered cluster; the registered token is used if not given")
	cmd.Flags().BoolVar(&opts.force, "force", false, "forget the cluster even if it cannot be reached, and list what is left behind there")
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
	consequence := fmt.Sprintf("Cluster %s will be deregistered from management cluster %s, and what was discovered there is forgotten.", o.cluster, management.Name)
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
	o.streams.Say("Cluster %s is not registered any more.", deregistration.Cluster)
	return nil
}
