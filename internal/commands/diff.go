package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

type diffOptions struct {
	streams   *cli.Streams
	verbosity func() int

	// current are the sources of the world as it is; its filenames are those of
	// --base.
	current   worldFlags
	filenames []string
	deleted   []string
	namespace string
	full      bool
	format    *enumValue
}

func newDiffCmd(f *Factory) *cobra.Command {
	opts := &diffOptions{
		streams: f.Streams, verbosity: func() int { return f.Streams.Verbosity },
		format: newOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:     "diff",
		Short:   "Show what manifests would change, in behaviour and in configuration",
		GroupID: groupRender,
		Long: dedent(`
			Compare the world as it is with the world plus the manifests of --filename:
			which workloads would be allowed or denied, get other settings or hostnames, and
			which Istio objects would be added, changed and removed in which cluster.

			The world as it is comes from the management cluster, from the clusters of
			--clusters, or from the manifests of --base; then no cluster is contacted. A
			manifest replaces the object of the same kind, namespace and name. --delete says
			what would be gone. Manifests of discovered objects and Settings take part in
			both worlds when behaviour is compared, and change the configuration only.

			The exit code is 0 if nothing would change, 1 if something would, and 2 or more
			if that cannot be said.`),
		Example: dedent(`
			# what would these manifests change in the world of the management cluster?
			meshctl diff -f new-policies

			# the same for two directories, as in CI
			meshctl diff --base manifests -R -f new-policies.yaml

			# what would deleting a policy change, down to every line of configuration?
			meshctl diff --base manifests -R --delete trafficpolicy/retries --diff`),
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.current.settle(cmd)
			if err := opts.check(cmd); err != nil {
				return err
			}
			return troubled(opts.run(cmd.Context()))
		},
	}
	opts.register(f, cmd)
	return cmd
}

func (o *diffOptions) register(f *Factory, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.filenames, "filename", "f", nil, "`FILE` or directory with the manifests to compare with, or - for standard input; repeatable")
	flags.StringSliceVar(&o.current.filenames, "base", nil, "`FILE` or directory with the world as it is; repeatable. No cluster is contacted then")
	flags.BoolVarP(&o.current.recursive, "recursive", "R", false, "read directories recursively")
	flags.StringSliceVar(&o.current.contexts, "clusters", nil,
		"discover the clusters of these `CONTEXTS` of the kubeconfig on the fly, nothing needs to be installed in them; NAME=CONTEXT names one")
	for _, name := range []string{"filename", "base"} {
		_ = cmd.MarkFlagFilename(name, "yaml", "yml", "json")
	}
	takeSetting(flags, "base", settings.Filename)
	takeSetting(flags, "recursive", settings.Recursive)
	o.current.kube = newKubeFlags(f)
	o.current.kube.register(cmd)
	flags.Lookup("clusters").Annotations = map[string][]string{flagGroup: {clusterFlagGroup}}
	completeFlag(cmd, "clusters", o.current.kube.completeContexts)
	registerNamespace(cmd, &o.namespace, "`NAMESPACE` of meshctl's resources")
	flags.StringSliceVar(&o.deleted, "delete", nil, "compare with the world without this `KIND/NAME`; repeatable")
	flags.BoolVar(&o.full, "diff", false, "show the configuration that changes as a unified diff")
	addOutputFlag(cmd, o.format, "output format")
}

// troubled gives failures of diff an exit code that is not that of differences.
func troubled(err error) error {
	if err == nil || errors.Is(err, cli.ErrDifferences) && len(cli.Untold(err)) == 0 && !errors.Is(err, cli.ErrReported) {
		return err
	}
	return &cli.TroubleError{Err: err}
}

func (o *diffOptions) check(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("base") && (o.current.onTop || len(o.current.contexts) > 0) {
		o.current.filenames = nil // an explicit source beats what the settings name
	}
	stdin := 0
	for _, name := range slices.Concat(o.filenames, o.current.filenames) {
		if name == "-" {
			stdin++
		}
	}
	switch {
	case len(o.filenames)+len(o.deleted) == 0:
		return cli.Usagef("nothing to compare with: name manifests with --filename, or something to delete with --delete")
	case stdin > 1:
		return cli.Usagef("standard input can be read only once")
	case o.full && !o.format.format().ForPeople():
		return cli.Usagef("--diff is for people; -o %s names the fields that change", o.format)
	default:
		return nil
	}
}

func (o *diffOptions) run(ctx context.Context) error {
	objects, err := o.current.load(ctx, o.namespace, o.streams.In)
	if errors.Is(err, kube.ErrNoKubeconfig) {
		return cli.Usagef("no kubeconfig leads to the world as it is: name its manifests with --base, or a kubeconfig with --kubeconfig")
	}
	if err != nil {
		return err
	}
	before := world.New(objects)
	incomplete := reportProblems(o.streams, before)
	add, err := o.loadNew(ctx)
	if err != nil {
		return errors.Join(err, incomplete)
	}
	authored, environment := load.Split(add)
	incomplete = errors.Join(incomplete, reportProblems(o.streams, world.New(world.Objects{Problems: add.Problems})))
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
	d := &differing{diffOptions: o, before: policy.Evaluate(before)}
	d.after = policy.Evaluate(after)
	shownBefore := d.before
	if shared != before {
		shownBefore = policy.Evaluate(shared)
	}
	d.changes = describe.Changes(compare.Results(shownBefore, d.after))
	if err := d.compareObjects(ctx); err != nil {
		return errors.Join(err, incomplete)
	}
	if err := output.Print(d.streams, d.format.format(), d.view()); err != nil {
		return err
	}
	if incomplete == nil && d.differ() {
		return cli.ErrDifferences
	}
	return incomplete
}

func (o *diffOptions) loadNew(ctx context.Context) (world.Objects, error) {
	if len(o.filenames) == 0 {
		return world.Objects{}, nil
	}
	return load.Files(ctx, load.FileOptions{
		Paths: o.filenames, Recursive: o.current.recursive, Stdin: o.streams.In, DefaultNamespace: o.namespace,
	}, validation.New())
}

// without returns the world without an object that is named KIND/NAME or
// KIND/NAME.NAMESPACE.
func without(w *world.World, text string) (*world.World, error) {
	kindText, name, ok := strings.Cut(text, "/")
	if !ok {
		return nil, cli.Usagef("invalid --delete %q: it must be KIND/NAME, such as trafficpolicy/retries", text)
	}
	type deletable struct {
		kind  string
		names []world.Names
	}
	of := map[string]deletable{
		"virtualmesh":   {"VirtualMesh", virtualMeshKind().objects(w)},
		"trafficpolicy": {"TrafficPolicy", trafficPolicyKind().objects(w)},
		"accesspolicy":  {"AccessPolicy", accessPolicyKind().objects(w)},
	}
	aliases := map[string]string{
		"vm": "virtualmesh", "virtualmeshes": "virtualmesh", "tp": "trafficpolicy", "trafficpolicies": "trafficpolicy",
		"ap": "accesspolicy", "accesspolicies": "accesspolicy",
	}
	word := strings.ToLower(kindText)
	if long, isAlias := aliases[word]; isAlias {
		word = long
	}
	found, known := of[word]
	if !known {
		return nil, cli.Usagef("invalid --delete %q: the kind must be virtualmesh, trafficpolicy or accesspolicy", text)
	}
	all := make([]int, len(found.names))
	for i := range all {
		all[i] = i
	}
	i, err := world.Resolve(word, all, func(i int) world.Names { return found.names[i] }, name)
	if err != nil {
		return nil, err
	}
	changed, there := w.Without(found.kind, found.names[i].Namespace, found.names[i].Name)
	if !there {
		return nil, fmt.Errorf("%s %s cannot be taken out of the world", word, found.names[i].Full())
	}
	return changed, nil
}

// differing is one run of diff.
type differing struct {
	*diffOptions
	before, after *policy.Result
	changes       describe.ChangeView
	// objects are those that differ, by cluster.
	objects []objectDifference
}

// differ reports whether anything differs.
func (d *differing) differ() bool {
	return len(d.objects) > 0 || len(describe.AllChangeLines(d.changes)) > 0
}
