package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
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
			discovered there from the management cluster. Policies and virtual meshes are
			kept. Configuration applied to the cluster is kept, too, and keeps working: calls
			that it denies stay denied.

			Before anything is deleted, the command shows what stays on the cluster and how
			to remove it, which virtual meshes lose a mesh, and which policies lose what they
			refer to; then it asks you to confirm.

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
	if !o.yes && !o.Streams.CanPrompt() {
		return cmdutil.ErrCannotConfirm()
	}
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
	plan, err := o.plan(ctx, management, remote, connection)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Deregister cluster %s from management cluster %s?", o.Cluster, management.Name)
	if err := cmdutil.ConfirmByName(ctx, o.Streams, o.yes, question, o.Cluster); err != nil {
		return err
	}
	ctx, stop := o.Limited(ctx)
	defer stop()
	deregistration, err := plan.Run(ctx)
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

// plan plans the deregistration and prints what it will do.
func (o *deregisterOptions) plan(ctx context.Context, management, remote *kube.Connection, connection kube.Options) (*registration.DeregistrationPlan, error) {
	ctx, stop := o.Limited(ctx)
	defer stop()
	plan, err := registration.PlanDeregistration(ctx, management, remote, registration.DeregisterOptions{
		Cluster: o.Cluster, Namespace: o.Namespace, Force: o.force,
		Kubeconfig: o.Kube.KubeconfigPath(), RemoteKubeconfig: o.remote.path(o.Kube), Connection: connection,
	}, cmdutil.ObservePhases(o.Streams))
	if err != nil {
		return nil, err
	}
	lines := planLines(plan, management.Name)
	departure, err := o.departure(ctx, management)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		lines = append(lines, fmt.Sprintf("Cannot determine the effects on other clusters: %v", err))
	default:
		lines = append(lines, departureLines(&departure, o.Cluster)...)
	}
	o.Streams.Block("%s", strings.Join(lines, "\n"))
	return plan, nil
}

// departure determines what changes for the other clusters.
func (o *deregisterOptions) departure(ctx context.Context, management *kube.Connection) (compare.Departure, error) {
	objects, err := load.Management(ctx, load.ManagementOptions{Connection: management, Home: o.Namespace}, validation.New())
	if err != nil {
		return compare.Departure{}, err
	}
	for _, p := range objects.Problems {
		if p.HidesInput() || p.Kind == world.UnlistedKind {
			return compare.Departure{}, errors.New(cmdutil.ProblemText(p))
		}
	}
	without, err := load.ReplaceDiscovered(objects, world.Objects{}, []string{o.Cluster})
	if err != nil {
		return compare.Departure{}, err
	}
	return compare.DepartureOf(policy.Evaluate(world.New(objects)), policy.Evaluate(world.New(without)), o.Cluster), nil
}
