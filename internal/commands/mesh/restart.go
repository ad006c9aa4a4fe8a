package mesh

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/world"
)

type restartOptions struct {
	streams   *cli.Streams
	clock     cli.Clock
	load      cmdutil.WorldLoader
	settings  func() (*settings.Settings, error)
	verbosity func() int

	world         cmdutil.WorldFlags
	names         []string
	virtualMeshes []string
	all           bool

	allWorkloads bool
	namespaces   []string
	selector     string
	exclude      []string
	resume       string

	maxParallel int
	timeout     time.Duration
	wait        bool
	failFast    bool
	yes         bool
	dryRun      *cmdutil.EnumValue
	output      *cmdutil.EnumValue
}

func newRestartCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &restartOptions{
		streams: f.Streams, clock: f.Clock, load: f.LoadWorld, settings: f.Settings, verbosity: func() int { return f.Streams.Verbosity },
		dryRun: cmdutil.NewEnumValue("none", "none", "client", "server"),
		output: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:   "restart [NAME...]",
		Short: "Restart the control plane, gateways and workloads of meshes in order",
		Long: cmdutil.Dedent(`
			Restart the control plane of a mesh, then, when it is ready, the gateways, then
			the workloads with a sidecar, as far as they need a restart. The plan is shown
			first and executed after you confirm it.

			A pod needs a restart if it is older than the CA of its mesh, the Secret cacerts
			in the namespace of the control plane: it may use an outdated certificate or
			root. --all-workloads restarts everything. Write NAME as NAME or NAME.NAMESPACE;
			'meshctl mesh list' lists the meshes.

			A restart is a rollout restart, as kubectl does it: an annotation of the pod
			template makes the Deployment, DaemonSet or StatefulSet replace its pods within
			the limits of its strategy. meshctl deletes no pod. What cannot be restarted that
			way is listed with what to do: paused Deployments, the strategy OnDelete, pods
			without a controller. Pods of Jobs are left to complete.

			Only the mesh's own cluster is touched, and only pods with a proxy of this mesh.
			Meshes of different clusters are restarted in parallel. A workload that fails
			does not block the others, unless you pass --fail-fast; a control plane that
			fails ends the restart of its mesh.

			You can interrupt the command at any time and run it again to continue: restarted
			workloads are not restarted again, and running rollouts are waited for. After
			--all-workloads, pass --resume with the value that was printed.

			The exit code is 1 if something failed, 4 if something was not ready in time and
			nothing else failed, and 3 if only restarts are left that meshctl cannot do.`),
		Example: cmdutil.Dedent(`
			# show what would be restarted, and why
			meshctl mesh restart istiod-istio-system-east --dry-run

			# restart what needs it in all meshes of a virtual mesh, as in CI
			meshctl mesh restart --virtual-mesh prod --yes

			# restart one namespace except for one workload, at most two at a time
			meshctl mesh restart istiod-istio-system-east --all-workloads -n shop --exclude deployment/db --max-parallel 2`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			opts.world.Settle(cmd)
			if err := opts.check(); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.world.Register(cmd, f)
	cmd.Annotations[cmdutil.NeedsCluster] = "true"
	opts.registerFlags(cmd)
	cmdutil.CompleteSelector(f, cmd, cmdutil.WorkloadKind())
	cmd.ValidArgsFunction = f.CompleteFromWorld(func(result *policy.Result, args []string, _ string) []cobra.Completion {
		return offerMeshNames(result, args)
	})
	cmdutil.CompleteFlag(cmd, "virtual-mesh", f.CompleteFromWorld(func(result *policy.Result, _ []string, typed string) []cobra.Completion {
		var names []cobra.Completion
		for _, vm := range result.World.VirtualMeshes {
			names = append(names, vm.Resource.Name+"."+vm.Resource.Namespace)
		}
		return cmdutil.InList(typed, opts.virtualMeshes, names)
	}))
	return cmd
}

func (o *restartOptions) registerFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&o.virtualMeshes, "virtual-mesh", nil, "restart the meshes of these virtual `MESHES`; repeatable")
	flags.BoolVar(&o.all, "all", false, "restart all meshes")
	flags.BoolVar(&o.allWorkloads, "all-workloads", false, "restart all workloads, whether they need it or not")
	flags.StringSliceVarP(&o.namespaces, "namespace", "n", nil, "restart only workloads in these `NAMESPACES`; repeatable")
	flags.StringVarP(&o.selector, "selector", "l", "", "restart only workloads whose pods match this label `QUERY`")
	flags.StringSliceVar(&o.exclude, "exclude", nil, "exclude the workload `NAME`, also as NAME.NAMESPACE or KIND/NAME; repeatable")
	flags.StringVar(&o.resume, "resume", "", "continue the run with this `VALUE` of "+restart.RestartedAtAnnotation)
	flags.IntVar(&o.maxParallel, "max-parallel", restart.DefaultMaxParallel, "maximum `NUMBER` of workloads of a mesh to restart in parallel")
	flags.DurationVar(&o.timeout, "timeout", restart.DefaultTimeout, "`DURATION` to wait for a workload to become ready; its rollout continues after that")
	flags.BoolVar(&o.wait, "wait", true, "wait until all workloads are ready; meshctl always waits for the control plane")
	flags.BoolVar(&o.failFast, "fail-fast", false, "stop the restarts of a mesh after the first failure")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	cmdutil.AddDryRunFlag(cmd, o.dryRun)
	flags.Lookup("dry-run").Usage = "show the plan and write nothing; server validates it with the API servers"
	cmdutil.AddOutputFlag(cmd, o.output, "output format of the result or the plan")
}

// offerMeshNames completes the meshes that are not yet in the arguments.
func offerMeshNames(result *policy.Result, args []string) []cobra.Completion {
	meshes := result.World.MeshPointers()
	named := map[*world.Mesh]bool{}
	for _, arg := range args {
		if mesh, err := world.Resolve("mesh", meshes, (*world.Mesh).Names, arg); err == nil {
			named[mesh] = true
		}
	}
	var offered []cobra.Completion
	for i, mesh := range meshes {
		if !named[mesh] {
			offered = append(offered, cobra.CompletionWithDesc(mesh.Names().Full(), cmdutil.HintMesh(result, i)))
		}
	}
	return offered
}

// check validates the combination of arguments and flags.
func (o *restartOptions) check() error {
	ways := 0
	for _, given := range []bool{len(o.names) > 0, len(o.virtualMeshes) > 0, o.all} {
		if given {
			ways++
		}
	}
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, cli.Usagef(format, args...)) }
	switch {
	case ways == 0:
		complain("no meshes given: name them, or use --virtual-mesh or --all ('meshctl mesh list' lists them)")
	case ways > 1:
		complain("names of meshes, --virtual-mesh and --all cannot be combined")
	}
	if !o.world.FromManagement() && len(o.world.Contexts) == 0 {
		complain("no target clusters: use --clusters or --context")
	}
	if !o.yes && o.dryRun.String() == "none" && !o.streams.CanPrompt() {
		complain("not a terminal: pass --yes to confirm")
	}
	if _, err := labels.Parse(o.selector); err != nil {
		complain("invalid --selector %q: %w", o.selector, err)
	}
	if o.resume != "" {
		if _, err := time.Parse(time.RFC3339, o.resume); err != nil {
			complain("invalid value %q for --resume: must be the time printed by the run to continue, such as 2026-01-31T12:00:00Z", o.resume)
		}
	}
	if o.maxParallel < 1 {
		complain("--max-parallel must be at least 1")
	}
	if o.timeout <= 0 {
		complain("--timeout must be more than 0")
	}
	return errors.Join(errs...)
}

func (o *restartOptions) run(ctx context.Context) error {
	r := &restarting{restartOptions: o}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if err := r.showPlan(); err != nil {
		return err
	}
	if r.Fleet.Count(restart.ActionRestart, restart.ActionWait) == 0 {
		r.ExplainNothing()
		return errors.Join(r.print(), r.Outcome())
	}
	if !r.PlanOnly {
		r.CheckPermissions(ctx)
	}
	if err := r.confirm(ctx); err != nil {
		return err
	}
	r.RunFleet(ctx)
	if err := r.print(); err != nil {
		return err
	}
	r.Summarise(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.Outcome()
}
