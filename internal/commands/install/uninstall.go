package install

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/registration"
)

type uninstallOptions struct {
	streams *cli.Streams
	kube    *cmdutil.KubeFlags

	namespace       string
	deleteResources bool
	yes             bool
	dryRun          *cmdutil.EnumValue
	output          *cmdutil.EnumValue
	timeout         time.Duration
}

// NewUninstallCmd returns the command `meshctl uninstall`.
func NewUninstallCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &uninstallOptions{
		streams: f.Streams, kube: cmdutil.NewKubeFlags(f), dryRun: cmdutil.NewEnumValue("none", "none", "server"), output: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:     "uninstall",
		Short:   "Remove the CRDs of meshctl from the management cluster",
		GroupID: cmdutil.GroupClusters,
		Long: cmdutil.Dedent(`
			Remove what 'meshctl install' created on the management cluster, and nothing
			else. If resources of meshctl still exist, the command is refused; pass
			--delete-resources to delete all of them. The namespace is deleted only if it is
			empty.

			Secrets with private keys of root CAs stay, since meshes still need them: those
			of generated root CAs, and those of yours. So do the Secrets cacerts of meshes.
			Secrets with the credentials of clusters that meshctl registered are deleted.`),
		Example: cmdutil.Dedent(`
			# uninstall; asks you to confirm the name of the cluster
			meshctl uninstall

			# uninstall in a script, and delete all virtual meshes and policies
			meshctl uninstall --context kind-management --delete-resources --yes`),
		Args:              cmdutil.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opts.run(cmd.Context())
		},
	}
	opts.kube.Register(cmd)
	cmdutil.RegisterNamespace(cmd, &opts.namespace, "`NAMESPACE` of meshctl's resources")
	flags := cmd.Flags()
	flags.BoolVar(&opts.deleteResources, "delete-resources", false, "delete all resources of meshctl's kinds, in all namespaces")
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation")
	cmdutil.AddEnumFlag(cmd, opts.dryRun, "dry-run", "", "delete nothing; validate with the API server")
	flags.Lookup("dry-run").NoOptDefVal = "server"
	cmdutil.AddOutputFlag(cmd, opts.output, "output format")
	flags.DurationVar(&opts.timeout, "timeout", cmdutil.DefaultClusterTimeout, "`DURATION` after which to give up")
	return cmd
}

func (o *uninstallOptions) run(ctx context.Context) error {
	dryRun := kube.DryRun(o.dryRun.String())
	yes := o.yes || dryRun == kube.DryRunServer
	if !yes && !o.streams.CanPrompt() {
		return cmdutil.ErrCannotConfirm()
	}
	management, err := o.kube.Management()
	if err != nil {
		return err
	}
	plan, err := o.plan(ctx, management, dryRun)
	if err != nil {
		return err
	}
	consequence := fmt.Sprintf("The installation of meshctl on cluster %s (%s) will be removed.", management.Name, management.Server())
	if len(plan.Resources) > 0 {
		consequence += fmt.Sprintf(" All resources of meshctl there will be deleted: %s.", strings.Join(plan.Resources, ", "))
	}
	for _, key := range plan.Keys {
		consequence += fmt.Sprintf(" Kept: %s.", key.Object)
	}
	if err := cmdutil.ConfirmByName(ctx, o.streams, yes, consequence, management.Name); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	removed, err := plan.Run(ctx)
	if printErr := cmdutil.PrintResults(o.streams, o.output.Format(), dryRun, removed.Results); err == nil {
		err = printErr
	}
	if err != nil {
		return err
	}
	for _, kept := range removed.Kept {
		o.streams.Say("kept: %s", kept)
	}
	cmdutil.PrintLeftovers(o.streams, removed.Leftovers)
	return nil
}

// plan determines what to remove, before the user is asked for confirmation.
func (o *uninstallOptions) plan(ctx context.Context, management *kube.Connection, dryRun kube.DryRun) (*registration.UninstallPlan, error) {
	ctx, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	return registration.PlanUninstall(ctx, management, registration.UninstallOptions{
		Namespace: o.namespace, DeleteResources: o.deleteResources, DryRun: dryRun, Kubeconfig: o.kube.KubeconfigPath(),
	}, cmdutil.ObservePhases(o.streams))
}
