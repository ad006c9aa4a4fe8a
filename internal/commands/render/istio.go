package render

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

type istioOptions struct {
	streams   *cli.Streams
	load      cmdutil.WorldLoader
	verbosity func() int

	world          cmdutil.WorldFlags
	namespace      string
	clusters       []string
	kinds          []string
	outputDir      string
	dryRun         bool
	explain        bool
	failOnFindings bool
	acceptLoss     bool
	// formatGiven is true if the user specified the format.
	formatGiven bool
	format      *cmdutil.EnumValue
}

func newIstioCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &istioOptions{
		streams: f.Streams, load: f.LoadWorld, verbosity: func() int { return f.Streams.Verbosity },
		format: cmdutil.NewOutput(output.FormatYAML),
	}
	cmd := &cobra.Command{
		Use:   "istio",
		Short: "Render the Istio configuration of every cluster",
		Long: cmdutil.Dedent(`
			Render the Istio objects of every cluster: VirtualService, DestinationRule,
			ServiceEntry, Gateway, AuthorizationPolicy and PeerAuthentication. The same
			input always gives the same bytes.

			Objects go to standard output as YAML documents, sorted by cluster, kind,
			namespace and name; the label cluster.multicluster.solo.io names the cluster of
			an object. With --output-dir, each object gets its own file,
			DIR/CLUSTER/KIND-NAMESPACE-NAME.yaml. Stale files that meshctl rendered earlier
			are removed; other files are never touched. If part of the input cannot be read,
			no file is written.

			If protection would be missing because a virtual mesh or AccessPolicy is INVALID
			or refers to something that is not known, nothing is rendered, and the exit code
			is 1: applying the result would remove the protection.

			Everything else that cannot be rendered is left out and reported on standard
			error: INVALID policies, gateways without an address, meshes of other types.`),
		Example: cmdutil.Dedent(`
			# print everything, as input for kubectl apply
			meshctl render istio -f manifests -R

			# print the objects of one cluster and their sources
			meshctl render istio -f manifests -R --cluster west --kind virtualservice --explain

			# keep a directory of a GitOps repository up to date
			meshctl render istio -f manifests -R --output-dir rendered`),
		Args:              cmdutil.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.world.Settle(cmd)
			if err := opts.check(cmd); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.world.Register(cmd, f)
	cmdutil.RegisterNamespace(cmd, &opts.namespace, "`NAMESPACE` of meshctl's resources, the owner of the rendered objects")
	flags := cmd.Flags()
	flags.StringSliceVar(&opts.clusters, "cluster", nil, "only objects of these `CLUSTERS`; repeatable")
	flags.StringSliceVar(&opts.kinds, "kind", nil, "only objects of these `KINDS`, such as VirtualService or vs; repeatable")
	cmdutil.CompleteFlag(cmd, "kind", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var names []string
		for _, kind := range istio.Kinds() {
			names = append(names, string(kind))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	cmdutil.CompleteFlag(cmd, "cluster", opts.completeClusters(f))
	flags.StringVar(&opts.outputDir, "output-dir", "", "write one file for each object below this `DIRECTORY`, and remove stale ones")
	_ = cmd.MarkFlagDirname("output-dir")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "with --output-dir, show which files would be written and removed")
	flags.BoolVar(&opts.explain, "explain", false, "show the policies and virtual meshes that each object comes from")
	flags.BoolVar(&opts.failOnFindings, "fail-on-findings", false, "exit with 3 if something is left out")
	flags.BoolVar(&opts.acceptLoss, "accept-loss", false, "render even if protection is missing because a resource is invalid or not known")
	cmdutil.AddOutputFlag(cmd, opts.format, "output format of the objects, or with --output-dir of the list of files, which are always YAML")
	return cmd
}

// completeClusters completes the clusters of the world.
func (o *istioOptions) completeClusters(f *cmdutil.Factory) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, stop := context.WithTimeout(cmd.Context(), f.CompletionPatience)
		defer stop()
		o.world.Settle(cmd)
		world, err := o.load(ctx, o.world, nil)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return world.Clusters(), cobra.ShellCompDirectiveNoFileComp
	}
}

func (o *istioOptions) check(cmd *cobra.Command) error {
	o.formatGiven = cmd.Flags().Changed("output")
	for i, text := range o.kinds {
		kind, err := istioKindOf(text)
		if err != nil {
			return err
		}
		o.kinds[i] = string(kind)
	}
	switch {
	case cmd.Flags().Changed("kind") && len(o.kinds) == 0:
		return cli.Usagef("--kind must not be empty")
	case cmd.Flags().Changed("cluster") && len(o.clusters) == 0:
		return cli.Usagef("--cluster must not be empty")
	case o.dryRun && o.outputDir == "":
		return cli.Usagef("--dry-run requires --output-dir: without it, nothing is written")
	case o.outputDir == "" && cmd.Flags().Changed("output-dir"):
		return cli.Usagef("--output-dir must not be empty")
	default:
		return nil
	}
}

// istioKindOf returns the kind with the given name, plural or short name, in upper or lower
// case.
func istioKindOf(text string) (istio.Kind, error) {
	short := map[string]istio.Kind{
		"ap": istio.KindAuthorizationPolicy, "dr": istio.KindDestinationRule, "gw": istio.KindGateway,
		"pa": istio.KindPeerAuthentication, "se": istio.KindServiceEntry, "vs": istio.KindVirtualService,
	}
	name := strings.ToLower(text)
	if kind, known := short[name]; known {
		return kind, nil
	}
	var names []string
	for _, kind := range istio.Kinds() {
		singular := strings.ToLower(string(kind))
		plural := singular + "s"
		if stem, ends := strings.CutSuffix(singular, "y"); ends && !strings.HasSuffix(singular, "ay") {
			plural = stem + "ies"
		}
		if name == singular || name == plural {
			return kind, nil
		}
		names = append(names, string(kind))
	}
	return "", cli.Usagef("unknown kind %q%s: must be one of: %s", text, spelling.DidYouMean(text, names), strings.Join(names, ", "))
}

func (o *istioOptions) run(ctx context.Context) error {
	world, err := o.load(ctx, o.world, o.streams.In)
	if err != nil {
		return err
	}
	if o.verbosity() > 0 {
		o.streams.Say("Ignored %s of kinds that meshctl does not use.", text.Count(world.Ignored, "object"))
	}
	incomplete := cmdutil.ReportProblems(o.streams, world)
	if err := o.checkClusters(world.Clusters()); err != nil {
		return errors.Join(err, incomplete)
	}
	if incomplete != nil && o.outputDir != "" && !o.acceptLoss {
		o.streams.Fail("nothing written: the input is incomplete, and protection could be missing; fix that, or pass --accept-loss to write the rest")
		return incomplete
	}
	result := policy.Evaluate(world)
	r := &rendering{
		istioOptions: o, ctx: ctx, incomplete: world.Incomplete(), renderer: istio.New(result, istio.Options{Namespace: o.namespace}),
	}
	if !o.acceptLoss {
		r.guard = istio.NewGuard(result, true) // in a repository, a missing object was deleted
	}
	r.omissions = r.renderer.Omissions()
	if err := r.checkProtection(); err != nil {
		return err
	}
	if o.outputDir != "" {
		err = r.writeFiles()
	} else {
		err = output.Print(r.streams, r.format.Format(), r.view())
	}
	if err != nil {
		return err
	}
	cmdutil.ReportOmissions(o.streams, r.omissions, o.verbosity() > 0)
	if r.rendered == 0 {
		o.streams.Say("%s", r.nothing())
	}
	if r.incomplete && o.outputDir == "" {
		incomplete = r.warnIncomplete(cmdutil.MissingInput(world))
	}
	if o.failOnFindings && len(r.omissions) > 0 {
		return errors.Join(incomplete, cli.ErrFindings)
	}
	return incomplete
}

// warnIncomplete says below the output that it lacks what could not be read, and
// returns the error of the command: who applies the rest with pruning deletes live
// objects.
func (r *rendering) warnIncomplete(missing []string) error {
	r.streams.Fail("the output is not complete: %s could not be read; do not apply it with pruning", text.Bounded(missing, shownMissing))
	return cli.ErrReported
}

// shownMissing limits the inputs that a message names.
const shownMissing = 3

// checkClusters returns an error for unknown clusters.
func (o *istioOptions) checkClusters(known []string) error {
	for _, name := range o.clusters {
		if !slices.Contains(known, name) {
			known = slices.DeleteFunc(slices.Clone(known), func(name string) bool { return name == "" })
			return cli.Usagef("unknown cluster %q%s: must be one of: %s", name, spelling.DidYouMean(name, known), view.OrNone(strings.Join(known, ", ")))
		}
	}
	return nil
}

// checkProtection returns an error if protection would be missing from the output because of
// broken input: applying the output with pruning would remove it from the clusters (D70).
func (r *rendering) checkProtection() error {
	open := r.renderer.Unprotected()
	if r.acceptLoss || len(open) == 0 {
		return nil
	}
	for i, o := range open {
		if i == cmdutil.ReportedProblems && r.verbosity() == 0 {
			r.streams.Say("... %s; -v shows all", text.More(len(open)-i))
			break
		}
		where := ""
		if o.Cluster != "" {
			where = " in cluster " + o.Cluster
		}
		r.streams.Fail("%s is not enforced%s: %s", o.Object, where, o.Reason)
	}
	r.streams.Fail("nothing rendered: protection would be missing; fix that, or pass --accept-loss to render without it")
	return cli.ErrReported
}

// rendering is one run of render.
type rendering struct {
	*istioOptions
	ctx      context.Context //nolint:containedctx // lives as long as the one call
	renderer *istio.Renderer
	// incomplete is true if part of the input could not be read.
	incomplete bool
	// guard keeps files that protect workloads; nil allows their removal.
	guard     *istio.Guard
	omissions []istio.Omission
	// rendered counts the rendered objects.
	rendered int
}

// nothing returns why nothing is rendered.
func (r *rendering) nothing() string {
	if len(r.clusters)+len(r.kinds) > 0 {
		return "Nothing rendered: no objects match --cluster and --kind."
	}
	if r.incomplete {
		return "Nothing rendered: no Destination of an Istio mesh found, and part of the input could not be read."
	}
	return "Nothing rendered: no Destination of an Istio mesh found. Run 'meshctl discover' first."
}

// each calls do for every selected cluster with its selected objects.
func (r *rendering) each(do func(cluster string, objects []istio.Object) error) error {
	for _, cluster := range r.renderer.Clusters() {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if len(r.clusters) > 0 && !slices.Contains(r.clusters, cluster) {
			continue
		}
		objects, omissions := r.renderer.Cluster(cluster)
		r.omissions = append(r.omissions, omissions...)
		if len(r.kinds) > 0 {
			objects = slices.DeleteFunc(objects, func(o istio.Object) bool { return !slices.Contains(r.kinds, string(o.Kind)) })
		}
		r.rendered += len(objects)
		if err := do(cluster, objects); err != nil {
			return err
		}
	}
	return nil
}
