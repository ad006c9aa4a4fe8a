package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/snapshot"
)

type describeWorkloadOptions struct {
	streams   *cli.Streams
	load      worldLoader
	verbosity func() int

	world           worldFlags
	names           []string
	filter          workloadFilter
	format          *enumValue
	details         bool
	allDestinations bool
	failOnFindings  bool
}

func newDescribeWorkloadCmd(f *Factory, runF func(*describeWorkloadOptions) error) *cobra.Command {
	opts := &describeWorkloadOptions{
		streams: f.Streams, load: f.LoadWorld, verbosity: func() int { return f.Verbosity },
		format: newEnumValue(string(describe.FormatTable), describe.Formats()...),
	}
	cmd := &cobra.Command{
		Use:     "workload [NAME...]",
		Aliases: []string{"workloads"},
		Short:   "Show which policies affect workloads, whom they may call and who may call them",
		Long: dedent(`
			Show which policies affect workloads, whom they may call and who may call them.

			Without a name, print one line per workload. A name is NAME, NAME.NAMESPACE or
			NAME.NAMESPACE.CLUSTER, and gives the full description of that workload.`),
		Example: dedent(`
			# what affects every workload, one line each
			meshctl describe workload -f manifests -R

			# everything about one workload
			meshctl describe workload productpage-v1.bookinfo.east -f manifests -R

			# the workloads of a cluster that carry a label, as JSON
			meshctl describe workload --cluster west -l app=reviews -f manifests -R -o json

			# every destination within reach, also those that no policy touches
			meshctl describe workload productpage-v1 --cluster east --all-destinations -f manifests -R

			# in CI: exit with 3 if anything is wrong
			meshctl describe workload --fail-on-findings -f manifests -R`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			if err := opts.world.check(); err != nil {
				return err
			}
			if _, err := labels.Parse(opts.filter.selector); err != nil {
				return cli.Usagef("invalid --selector %q: %w", opts.filter.selector, err)
			}
			if runF != nil {
				return runF(opts)
			}
			return runDescribeWorkload(cmd.Context(), opts)
		},
	}
	opts.world.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&opts.filter.namespace, "namespace", "n", "", "only workloads of this `NAMESPACE`")
	flags.StringSliceVar(&opts.filter.clusters, "cluster", nil, "only workloads of this `CLUSTER`; repeatable")
	flags.StringVarP(&opts.filter.selector, "selector", "l", "", "only workloads whose pod labels match this label `QUERY`")
	flags.StringSliceVar(&opts.filter.search, "search", nil, "only workloads whose name contains one of these `TEXTS`, separated by commas")
	flags.BoolVar(&opts.details, "details", false, "describe every listed workload in full")
	flags.BoolVar(&opts.allDestinations, "all-destinations", false,
		"list every destination within reach, not only those that policies touch (implies --details)")
	flags.BoolVar(&opts.failOnFindings, "fail-on-findings", false, "exit with 3 if there is a finding of severity error or warning")
	addEnumFlag(cmd, opts.format, "output", "o", "output format")
	return cmd
}

func runDescribeWorkload(ctx context.Context, opts *describeWorkloadOptions) error {
	world, err := opts.load(ctx, opts.world, opts.streams.In)
	if err != nil {
		return err
	}
	if opts.verbosity() > 0 {
		fmt.Fprintf(opts.streams.Err, "Objects of kinds that meshctl does not model, ignored: %d.\n", world.Ignored)
	}
	incomplete := reportProblems(opts.streams, world)

	workloads, err := opts.filter.apply(world)
	if err != nil {
		return err
	}
	whole := len(workloads) == len(world.Workloads) && len(opts.names) == 0
	if len(opts.names) > 0 {
		if workloads, err = opts.filter.resolve(world, workloads, opts.names); err != nil {
			return errors.Join(err, incomplete)
		}
	}
	view := describe.Workloads(policy.Evaluate(world), workloads, describe.WorkloadOptions{
		Details:         opts.detailed(),
		AllDestinations: opts.allDestinations,
		WholeWorld:      whole,
	})
	if len(workloads) == 0 {
		fmt.Fprintln(opts.streams.Err, opts.explainNothing(world))
	}
	err = describe.Print(opts.streams.Out, view, describe.Format(opts.format.String()), describe.Style{Color: opts.streams.OutColor()})
	if err != nil {
		return err
	}
	if opts.failOnFindings && view.NeedsAttention() {
		opts.summariseFindings(view.Findings)
		return errors.Join(incomplete, cli.ErrFindings)
	}
	return incomplete
}

// summariseFindings explains the exit code where the output does not: where
// it only has names or numbers.
func (opts *describeWorkloadOptions) summariseFindings(findings []describe.Finding) {
	format := describe.Format(opts.format.String())
	switch {
	case format == describe.FormatJSON, format == describe.FormatYAML:
		return
	case format != describe.FormatName && opts.detailed():
		return
	}
	count := map[policy.Severity]int{}
	for _, f := range findings {
		count[f.Severity]++
	}
	fmt.Fprintf(opts.streams.Err, "Findings: %d of severity error, %d of severity warning; -o json or --details shows them.\n",
		count[policy.SeverityError], count[policy.SeverityWarning])
}

// detailed reports whether workloads are described in full.
func (opts *describeWorkloadOptions) detailed() bool {
	return opts.details || opts.allDestinations || len(opts.names) > 0
}

// explainNothing says why no workload is described.
func (opts *describeWorkloadOptions) explainNothing(world *snapshot.World) string {
	if len(world.Workloads) > 0 {
		return fmt.Sprintf("No workloads found: none of the %d matches %s.", len(world.Workloads), opts.filter.explain(world))
	}
	text := "No workloads found: the manifests hold no object of kind Workload."
	if len(world.Problems) > 0 {
		text = "No workloads found: the manifests hold no object of kind Workload that can be used."
	}
	if !opts.world.recursive && slices.ContainsFunc(opts.world.filenames, isDirectory) {
		text += " Add -R to read subdirectories too."
	}
	return text
}
