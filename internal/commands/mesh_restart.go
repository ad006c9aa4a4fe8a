package commands

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/world"
)

type meshRestartOptions struct {
	streams   *cli.Streams
	clock     cli.Clock
	load      worldLoader
	settings  func() (*settings.Settings, error)
	verbosity func() int

	world         worldFlags
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
	dryRun      *enumValue
	output      *enumValue
}

func newMeshRestartCmd(f *Factory) *cobra.Command {
	opts := &meshRestartOptions{
		streams: f.Streams, clock: f.Clock, load: f.LoadWorld, settings: f.Settings, verbosity: func() int { return f.Streams.Verbosity },
		dryRun: newEnumValue("none", "none", "client", "server"),
		output: newOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:   "restart [NAME...]",
		Short: "Restart what runs in meshes, in order and one after the other",
		Long: dedent(`
			Restart what needs it in meshes: the control plane, then, once that is ready,
			the gateways, then the workloads with a sidecar. What will be restarted and why
			is shown first, and done once you agree.

			What needs a restart are pods that are older than the certificate authority of
			their mesh, the Secret cacerts in the namespace of the control plane: they may
			run with an older certificate or root. --all-workloads restarts everything. A
			NAME is NAME or NAME.NAMESPACE; 'meshctl mesh list' lists them.

			A restart is the one of 'kubectl rollout restart': an annotation of the pod
			template, which has the Deployment, DaemonSet or StatefulSet replace its pods
			within the limits of its strategy. No pod is deleted. What cannot be restarted
			like that is listed with what to do: paused Deployments, the strategy OnDelete,
			pods without a controller. Pods of Jobs are left to end.

			Only the mesh's own cluster is touched, and there only what runs with a proxy of
			this mesh, whatever has the same name or labels elsewhere. Meshes of different
			clusters are restarted at the same time. One workload that fails does not keep
			the others from being restarted, unless --fail-fast; a control plane that fails
			ends the restart of its mesh.

			It can be interrupted at any time. Run it again to go on: what has been restarted
			is not restarted again, and what is being restarted is waited for. After
			--all-workloads, --resume with the value that was printed does the same.

			It exits with 1 if something failed, with 4 if all that failed was not ready in
			time, and with 3 if all is well but something is left that only its owner can
			restart.`),
		Example: dedent(`
			# look at what would be restarted, and why
			meshctl mesh restart istiod-istio-system-east --dry-run

			# restart what needs it in all meshes of a virtual mesh, as in CI
			meshctl mesh restart --virtual-mesh prod --yes

			# everything in one namespace but one workload, at most two at a time
			meshctl mesh restart istiod-istio-system-east --all-workloads -n shop --exclude deployment/db --max-parallel 2`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			opts.world.settle(cmd)
			if err := opts.check(); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.world.register(cmd, f)
	cmd.Annotations[needsCluster] = "true"
	opts.registerFlags(cmd)
	cmd.ValidArgsFunction = f.completeFromWorld(func(result *policy.Result, args []string, _ string) []cobra.Completion {
		return offerMeshNames(result, args)
	})
	completeFlag(cmd, "virtual-mesh", f.completeFromWorld(func(result *policy.Result, _ []string, typed string) []cobra.Completion {
		var names []cobra.Completion
		for _, vm := range result.World.VirtualMeshes {
			names = append(names, vm.Resource.Name+"."+vm.Resource.Namespace)
		}
		return inList(typed, opts.virtualMeshes, names)
	}))
	return cmd
}

func (o *meshRestartOptions) registerFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&o.virtualMeshes, "virtual-mesh", nil, "restart the meshes of these virtual `MESHES`; repeatable")
	flags.BoolVar(&o.all, "all", false, "restart all meshes")
	flags.BoolVar(&o.allWorkloads, "all-workloads", false, "restart also what does not need it")
	flags.StringSliceVarP(&o.namespaces, "namespace", "n", nil, "restart only what runs in these `NAMESPACES`; repeatable")
	flags.StringVarP(&o.selector, "selector", "l", "", "restart only what has pods that match this label `QUERY`")
	flags.StringSliceVar(&o.exclude, "exclude", nil, "leave out what has this `NAME`, also as NAME.NAMESPACE and KIND/NAME; repeatable")
	flags.StringVar(&o.resume, "resume", "", "go on with the run that set this `VALUE` of "+restart.RestartedAtAnnotation)
	flags.IntVar(&o.maxParallel, "max-parallel", restart.DefaultMaxParallel, "restart at most this `NUMBER` of workloads of a mesh at the same time")
	flags.DurationVar(&o.timeout, "timeout", restart.DefaultTimeout, "`DURATION` after which a single workload that is not ready is given up; its rollout goes on")
	flags.BoolVar(&o.wait, "wait", true, "wait until everything is ready; the control plane is always waited for")
	flags.BoolVar(&o.failFast, "fail-fast", false, "begin nothing more in a mesh once something there fails")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	addDryRunFlag(cmd, o.dryRun)
	flags.Lookup("dry-run").Usage = "show what would be done, and write nothing; with server, let the API servers judge"
	addOutputFlag(cmd, o.output, "output format of what was done, or would be")
}

// offerMeshNames offers the meshes that are not named yet.
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
			offered = append(offered, cobra.CompletionWithDesc(mesh.Names().Full(), hintMesh(result, i)))
		}
	}
	return offered
}

// check refuses what cannot be meant.
func (o *meshRestartOptions) check() error {
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
		complain("name the meshes to restart, or choose them with --virtual-mesh or --all; 'meshctl mesh list' lists them")
	case ways > 1:
		complain("names of meshes, --virtual-mesh and --all exclude one another")
	}
	if !o.world.fromManagement() && len(o.world.contexts) == 0 {
		complain("restart needs clusters, and with manifests alone none is contacted: name contexts with --clusters, or the management cluster with --context")
	}
	if !o.yes && o.dryRun.String() == "none" && !o.streams.CanPrompt() {
		complain("not a terminal: pass --yes to confirm; see what would be done with --dry-run")
	}
	if _, err := labels.Parse(o.selector); err != nil {
		complain("invalid --selector %q: %w", o.selector, err)
	}
	if o.resume != "" {
		if _, err := time.Parse(time.RFC3339, o.resume); err != nil {
			complain("invalid value %q for --resume: it is a time such as 2026-01-31T12:00:00Z, which the run to go on with has printed", o.resume)
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

func (o *meshRestartOptions) run(ctx context.Context) error {
	r := &restarting{meshRestartOptions: o}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if err := r.showPlan(); err != nil {
		return err
	}
	if r.fleet.Count(restart.ActionRestart, restart.ActionWait) == 0 {
		r.explainNothing()
		return errors.Join(r.print(), r.outcome())
	}
	if !r.planOnly {
		r.checkPermissions(ctx)
	}
	if err := r.confirm(ctx); err != nil {
		return err
	}
	r.runFleet(ctx)
	if err := r.print(); err != nil {
		return err
	}
	r.summarise(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.outcome()
}
