// Package apply is `meshctl apply`: it reviews the plan of package rollout with
// the user, runs it once or continuously (--watch), and reports the results.
package apply

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

type options struct {
	streams *cli.Streams
	clock   cli.Clock
	load    cmdutil.WorldLoader
	// prompter returns who asks questions; it returns nil if nobody can be asked.
	prompter func(ctx context.Context) wizard.Prompter
	// verbosity is how often -v was given.
	verbosity func() int

	world           cmdutil.WorldFlags
	namespace       string
	only            []string
	prune           bool
	allowIncomplete bool
	acceptLoss      bool
	// acceptedDomains are the trust domains that were accepted, as MESH=DOMAIN.
	acceptedDomains []string
	yes             bool
	showDiff        bool
	dryRun          *cmdutil.EnumValue
	output          *cmdutil.EnumValue
	timeout         time.Duration
	watchFlags
	// quiet is for the passes of --watch: it leaves out the plan, what was said about
	// the pass before, and that there is nothing to do.
	quiet bool
}

// NewCmd returns the command `meshctl apply`.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &options{
		streams: f.Streams, clock: f.Clock, load: f.LoadWorld, verbosity: func() int { return f.Streams.Verbosity },
		prompter: func(ctx context.Context) wizard.Prompter { return cmdutil.NewPrompter(ctx, f.Streams) },
		dryRun:   cmdutil.NewEnumValue("none", "none", "client", "server"), output: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:     "apply",
		Short:   "Apply the Istio configuration of virtual meshes and policies to the clusters",
		GroupID: cmdutil.GroupRender,
		Long: cmdutil.Dedent(`
			Render the Istio configuration of every cluster, as 'meshctl render istio' does,
			and apply it: create missing objects, update those that differ, and prune those
			that are no longer rendered. The plan is shown first, with what changes in
			behaviour since the last apply, and applied after you confirm it. Removing
			protection (TLS enforcement, default denial, access rules) takes a confirmation
			of its own.

			The target clusters are the registered ones, or those named with --clusters.
			Only objects with meshctl's label for that cluster are changed or deleted; an
			object of the same name with another owner is reported and left alone. meshctl
			owns the whole spec of its objects: changes by others (drift) are reverted.

			All clusters are written in parallel. In each cluster, hosts and subsets are
			written before the routes that use them, and rules that allow before rules that
			deny. A failing cluster does not block the others; run apply again to finish.
			Afterwards, the status of virtual meshes, policies, meshes and destinations on
			the management cluster records the result: FAILED, with the errors, if
			configuration for them could not be written. With --cluster, the status is not
			changed.

			If part of the input cannot be read, apply refuses to run, because pruning could
			delete live objects.

			An AuthorizationPolicy or PeerAuthentication is deleted, and TLS enforcement
			loosened, only if you deleted or changed its virtual mesh or AccessPolicy on the
			management cluster. If that resource is INVALID, refers to something that no
			longer exists, or is only missing from the manifests of -f, the object is kept
			and the exit code is 1. --accept-loss removes the protection anyway.

			If a mesh changed its trust domain since it was first discovered, nothing is
			written to its cluster, and policies of other clusters keep the previous one,
			until you accept the change by name with --accept-trust-domain.

			With --watch, meshctl keeps running: it applies on every change on the
			management cluster, and regularly to repair drift. If several instances run, one
			applies and the others stand by. 'meshctl install --with-controller' runs it in
			the management cluster.`),
		Example: cmdutil.Dedent(`
			# show the plan with all changes
			meshctl apply --dry-run=client --diff

			# apply without a confirmation, as in CI
			meshctl apply --yes

			# apply manifests to the clusters of two contexts that are not registered
			meshctl apply -f policies -R --clusters east=kind-east,west=kind-west`),
		Args:              cmdutil.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.world.Settle(cmd)
			if err := errors.Join(opts.checkWatch(cmd), opts.check(cmd)); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.world.Register(cmd, f)
	cmd.Annotations[cmdutil.NeedsCluster] = "true"
	cmdutil.RegisterNamespace(cmd, &opts.namespace, "`NAMESPACE` of meshctl's resources on the management cluster")
	flags := cmd.Flags()
	flags.StringSliceVar(&opts.only, "cluster", nil, "apply only to these `CLUSTERS`; repeatable")
	cmdutil.CompleteFlag(cmd, "cluster", opts.completeClusters)
	flags.BoolVar(&opts.prune, "prune", true, "delete objects of meshctl that are no longer rendered")
	flags.BoolVar(&opts.allowIncomplete, "allow-incomplete", false,
		"apply even if part of the input cannot be read, without deleting anything")
	flags.BoolVar(&opts.acceptLoss, "accept-loss", false,
		"delete or loosen the protection of workloads even if the resources that request it are invalid, gone or not in the manifests")
	flags.StringSliceVar(&opts.acceptedDomains, "accept-trust-domain", nil, "accept that a mesh changed its trust domain, as `MESH=DOMAIN`; repeatable")
	cmdutil.CompleteFlag(cmd, "accept-trust-domain", cobra.NoFileCompletions)
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation")
	flags.BoolVar(&opts.showDiff, "diff", false, "show every change as a unified diff")
	cmdutil.AddDryRunFlag(cmd, opts.dryRun)
	flags.Lookup("dry-run").Usage = "show the plan and write nothing; server validates it with the API servers"
	cmdutil.AddOutputFlag(cmd, opts.output, "output format of the result or the plan")
	opts.register(cmd)
	flags.DurationVar(&opts.timeout, "timeout", kube.DefaultDeadline, "`DURATION` after which an unreachable cluster is skipped")
	return cmd
}

// completeClusters offers the names of the registered clusters.
func (o *options) completeClusters(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return (&cmdutil.ClusterCommand{Kube: o.world.Kube, Namespace: o.namespace}).CompleteRegistered(cmd, nil, typed)
}

// check validates the combination of flags.
func (o *options) check(cmd *cobra.Command) error {
	switch {
	case cmd.Flags().Changed("cluster") && len(o.only) == 0:
		return cli.Usagef("--cluster must not be empty")
	case !o.world.FromManagement() && len(o.world.Contexts) == 0:
		return cli.Usagef("no target clusters: use --clusters or --context")
	case !o.yes && !o.watch && o.writes() && !o.streams.CanPrompt():
		return cli.Usagef("not a terminal: pass --yes to confirm")
	case o.showDiff && !o.output.Format().ForPeople():
		return cli.Usagef("--diff and -o %s cannot be combined: that format already lists the changes of each object", o.output)
	case o.timeout <= 0:
		return cli.Usagef("--timeout must be more than 0")
	default:
		return o.checkAccepted()
	}
}

// writes reports whether anything is written.
func (o *options) writes() bool { return o.dryRun.String() == "none" }

func (o *options) run(ctx context.Context) error {
	if o.watch {
		return o.runWatch(ctx)
	}
	return o.runOnce(ctx)
}

// runOnce applies once.
func (o *options) runOnce(ctx context.Context) error {
	a := &applyRun{options: o}
	in, err := o.readInput(ctx)
	a.reportInput(in.World)
	if err != nil {
		return inputError(err)
	}
	if err := a.review(ctx, in); err != nil {
		return err
	}
	if o.dryRun.String() != "client" {
		a.plan.Run(ctx, rollout.RunOptions{DryRun: kube.DryRun(o.dryRun.String()), Begun: a.reportStart, Done: a.reportCluster})
	}
	a.reportStatuses()
	if err := a.showResults(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		a.reportInterrupted()
		return err
	}
	a.reportUnfinished()
	return a.outcome()
}

// readInput loads the world and finds the target clusters. After an error, it
// returns what was read until then.
func (o *options) readInput(ctx context.Context) (rollout.Input, error) {
	var in rollout.Input
	var err error
	if in.World, err = o.load(ctx, o.world, o.streams.In); err != nil {
		return in, err
	}
	options := o.planOptions()
	if err := options.CheckInput(in.World); err != nil {
		return in, err
	}
	members, err := o.world.Members(ctx, o.namespace)
	if err != nil {
		return in, err
	}
	in.Management, in.Members, in.Failures = members.Management, members.Connections, members.Failures
	if in.World, err = o.acceptDomains(ctx, in); err != nil {
		return in, err
	}
	in.Complete = o.world.FromManagement() && len(o.world.Filenames) == 0
	return in, nil
}

func (o *options) planOptions() rollout.Options {
	return rollout.Options{Namespace: o.namespace, Only: o.only, Keep: !o.prune, AllowIncomplete: o.allowIncomplete, AcceptLoss: o.acceptLoss, Deadline: o.timeout}
}

// inputError returns the error of the command for input that cannot be planned.
func inputError(err error) error {
	if errors.Is(err, rollout.ErrIncomplete) {
		return cli.ErrReported
	}
	var unknown *rollout.UnknownClusterError
	if errors.As(err, &unknown) {
		return cli.Usagef("%w%s; there are %s", unknown, spelling.DidYouMean(unknown.Name, unknown.Known), view.OrNone(strings.Join(unknown.Known, ", ")))
	}
	return err
}

// applyRun is one pass of apply.
type applyRun struct {
	*options
	plan *rollout.Plan
	// behaviour compares the plan with what was applied last; nil if that is not
	// recorded or not shown.
	behaviour *impact.ChangeView
}

// say prints a line about progress on standard error.
func (a *applyRun) say(format string, args ...any) {
	a.streams.Say(format, args...)
}

// outcome returns the error of the command, nil if all clusters are up to date, or
// would be after the dry run.
func (a *applyRun) outcome() error {
	if a.plan.Failed() {
		return cli.ErrReported
	}
	return nil
}
