// Package diff is `meshctl diff`: it compares two worlds, in objects and in
// behaviour.
package diff

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

type options struct {
	streams   *cli.Streams
	verbosity func() int

	// current says where the current state comes from; its filenames are those of
	// --base.
	current   cmdutil.WorldFlags
	filenames []string
	deleted   []string
	namespace string
	full      bool
	format    *cmdutil.EnumValue
}

// NewCmd returns the command `meshctl diff`.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &options{
		streams: f.Streams, verbosity: func() int { return f.Streams.Verbosity },
		format: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:     "diff",
		Short:   "Show what manifests would change in behaviour and configuration",
		GroupID: cmdutil.GroupRender,
		Long: cmdutil.Dedent(`
			Compare the current state with the state after applying the manifests of
			--filename: which workloads would be allowed or denied, which settings and
			hostnames would change, and which Istio objects would be added, changed and
			removed in each cluster.

			The current state comes from the management cluster, from the clusters of
			--clusters, or from the manifests of --base; with --base no cluster is contacted.
			A manifest replaces the object of the same kind, namespace and name. --delete
			shows the effect of deleting an object. Manifests of discovered objects and
			Settings are part of both states when behaviour is compared; only the
			configuration shows their changes.

			The exit code is 0 without changes, 1 with changes, and 2 or more on errors.`),
		Example: cmdutil.Dedent(`
			# show what manifests would change on the management cluster
			meshctl diff -f new-policies

			# compare two sets of manifests, as in CI
			meshctl diff --base manifests -R -f new-policies.yaml

			# show what deleting a policy would change, with every line of configuration
			meshctl diff --base manifests -R --delete trafficpolicy/retries --diff`),
		Args:              cmdutil.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.current.Settle(cmd)
			if err := opts.check(); err != nil {
				return err
			}
			return asTrouble(opts.run(cmd.Context()))
		},
	}
	opts.register(f, cmd)
	return cmd
}

func (o *options) register(f *cmdutil.Factory, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.filenames, "filename", "f", nil, "`FILE` or directory with the manifests to compare with, or - for standard input; repeatable")
	flags.StringSliceVar(&o.current.Filenames, "base", nil, "`FILE` or directory with the current state, instead of a cluster; repeatable")
	flags.BoolVarP(&o.current.Recursive, "recursive", "R", false, "read directories recursively")
	flags.StringSliceVar(&o.current.Contexts, "clusters", nil,
		"discover the clusters of these kubeconfig `CONTEXTS` on the fly, without registration; NAME=CONTEXT sets the name of a cluster")
	for _, name := range []string{"filename", "base"} {
		_ = cmd.MarkFlagFilename(name, "yaml", "yml", "json")
	}
	cmdutil.BindSetting(flags, "base", settings.Filename)
	cmdutil.BindSetting(flags, "recursive", settings.Recursive)
	cmdutil.RegisterMaxObjects(cmd, &o.current.MaxObjects)
	o.current.FilesFlag = "base"
	o.current.CompletesFor(cmd, f)
	o.current.Kube = cmdutil.NewKubeFlags(f)
	o.current.Kube.Register(cmd)
	flags.Lookup("clusters").Annotations = map[string][]string{cmdutil.FlagGroup: {cmdutil.ClusterFlagGroup}}
	cmdutil.CompleteFlag(cmd, "clusters", o.current.Kube.CompleteContexts)
	cmdutil.RegisterNamespace(cmd, &o.namespace, "`NAMESPACE` of meshctl's resources")
	flags.StringSliceVar(&o.deleted, "delete", nil, "show the effect of deleting this `KIND/NAME`; repeatable")
	cmdutil.CompleteFlag(cmd, "delete", f.CompleteFromWorld(o.completeDeleted))
	flags.BoolVar(&o.full, "diff", false, "show configuration changes as a unified diff")
	cmdutil.AddOutputFlag(cmd, o.format, "output format")
}

// asTrouble gives failures an exit code other than that of differences.
func asTrouble(err error) error {
	if err == nil || errors.Is(err, cli.ErrDifferences) && len(cli.Unreported(err)) == 0 && !errors.Is(err, cli.ErrReported) {
		return err
	}
	return &cli.TroubleError{Err: err}
}

func (o *options) check() error {
	stdin := 0
	for _, name := range slices.Concat(o.filenames, o.current.Filenames) {
		if name == "-" {
			stdin++
		}
	}
	switch {
	case len(o.filenames)+len(o.deleted) == 0:
		return cli.Usagef("nothing to compare: use --filename or --delete")
	case stdin > 1:
		return cli.Usagef("standard input can only be used once")
	case o.full && !o.format.Format().ForPeople():
		return cli.Usagef("--diff and -o %s cannot be combined: that format already lists the changed fields", o.format)
	default:
		return nil
	}
}

func (o *options) run(ctx context.Context) error {
	objects, err := o.current.Load(ctx, o.namespace, o.streams.In)
	if errors.Is(err, kube.ErrNoKubeconfig) {
		return cli.Usagef("no current state to compare with: use --base or --kubeconfig")
	}
	if err != nil {
		return err
	}
	before := world.New(objects)
	incomplete := cmdutil.ReportProblems(o.streams, before)
	if incomplete != nil && objects.IsEmpty() {
		return incomplete // everything would differ from nothing
	}
	add, err := o.loadNew(ctx)
	if err != nil {
		return errors.Join(err, incomplete)
	}
	authored, environment := load.Split(add)
	incomplete = errors.Join(incomplete, cmdutil.ReportProblems(o.streams, world.New(world.Objects{Problems: add.Problems})))
	shared := before
	if !environment.IsEmpty() {
		shared = world.New(load.Replace(objects, environment))
	}
	after := shared.With(authored)
	for _, text := range o.deleted {
		if after, err = without(after, text); err != nil {
			return errors.Join(err, incomplete)
		}
	}
	d := &diffRun{options: o, before: policy.Evaluate(before)}
	d.after = policy.Evaluate(after)
	shownBefore := d.before
	if shared != before {
		shownBefore = policy.Evaluate(shared)
	}
	d.changes = impact.Changes(compare.Results(shownBefore, d.after))
	if err := d.compareObjects(ctx); err != nil {
		return errors.Join(err, incomplete)
	}
	if err := output.Print(d.streams, d.format.Format(), d.view()); err != nil {
		return err
	}
	if incomplete == nil && d.differ() {
		return cli.ErrDifferences
	}
	return incomplete
}

func (o *options) loadNew(ctx context.Context) (world.Objects, error) {
	if len(o.filenames) == 0 {
		return world.Objects{}, nil
	}
	return load.Files(ctx, load.FileOptions{
		Paths: o.filenames, Recursive: o.current.Recursive, Stdin: o.streams.In, DefaultNamespace: o.namespace, MaxObjects: o.current.MaxObjects,
	}, validation.New())
}

// diffRun is one run of diff.
type diffRun struct {
	*options
	before, after *policy.Result
	changes       impact.ChangeView
	// objects are those that differ, by cluster.
	objects []objectDifference
}

// differ reports whether anything differs.
func (d *diffRun) differ() bool {
	return len(d.objects) > 0 || len(impact.AllChangeLines(d.changes)) > 0
}
