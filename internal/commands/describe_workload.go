package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/snapshot"
)

type describeWorkloadOptions struct {
	streams *cli.Streams
	load    worldLoader

	world           worldFlags
	names           []string
	filter          workloadFilter
	format          *enumValue
	details         bool
	allDestinations bool
	failOnFindings  bool
}

// workloadFilter narrows the workloads down; empty fields do not.
type workloadFilter struct {
	namespace string
	clusters  []string
	selector  string
	search    []string
}

func newDescribeWorkloadCmd(f *Factory, runF func(*describeWorkloadOptions) error) *cobra.Command {
	opts := &describeWorkloadOptions{
		streams: f.Streams, load: f.LoadWorld,
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
	incomplete := reportProblems(opts.streams, world)

	workloads, err := opts.filter.apply(world)
	if err != nil {
		return err
	}
	whole := len(workloads) == len(world.Workloads) && len(opts.names) == 0
	if len(opts.names) > 0 {
		if workloads, err = resolveWorkloads(world, workloads, opts.names); err != nil {
			return errors.Join(err, incomplete)
		}
	}
	view := describe.Workloads(policy.Evaluate(world), workloads, describe.WorkloadOptions{
		Details:         opts.details || len(opts.names) > 0,
		AllDestinations: opts.allDestinations,
		WholeWorld:      whole,
	})
	if len(workloads) == 0 {
		fmt.Fprintln(opts.streams.Err, "No workloads found.")
	}
	err = describe.Print(opts.streams.Out, view, describe.Format(opts.format.String()), describe.Style{Color: opts.streams.OutColor()})
	if err != nil {
		return err
	}
	if opts.failOnFindings && view.NeedsAttention() {
		return errors.Join(incomplete, cli.ErrFindings)
	}
	return incomplete
}

// apply returns the workloads that pass the filter, in the world's order.
func (f *workloadFilter) apply(world *snapshot.World) ([]*snapshot.Workload, error) {
	selector, err := labels.Parse(f.selector)
	if err != nil {
		return nil, cli.Usagef("invalid --selector %q: %w", f.selector, err)
	}
	return slices.DeleteFunc(world.WorkloadPointers(), func(w *snapshot.Workload) bool {
		return (f.namespace != "" && w.Namespace != f.namespace) ||
			(len(f.clusters) > 0 && !slices.Contains(f.clusters, w.Cluster)) ||
			!selector.Matches(labels.Set(w.Labels)) ||
			(len(f.search) > 0 && !slices.ContainsFunc(f.search, func(text string) bool { return strings.Contains(w.Name, text) }))
	}), nil
}

// resolveWorkloads finds the named workloads among those that pass the filter,
// each once, in the world's order. All names that do not resolve are reported
// together.
func resolveWorkloads(world *snapshot.World, filtered []*snapshot.Workload, names []string) ([]*snapshot.Workload, error) {
	var found []*snapshot.Workload
	var failures []error
	for _, name := range names {
		w, err := snapshot.Resolve("workload", filtered, (*snapshot.Workload).Names, name)
		var missing *snapshot.NotFoundError
		if errors.As(err, &missing) && len(filtered) < len(world.Workloads) {
			if other, elsewhere := snapshot.Resolve("workload", world.WorkloadPointers(), (*snapshot.Workload).Names, name); elsewhere == nil {
				err = fmt.Errorf("workload %q is %s, which the given filters exclude", name, other.Key())
			}
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		found = append(found, w)
	}
	slices.SortFunc(found, func(a, b *snapshot.Workload) int { return a.ID - b.ID })
	return slices.Compact(found), errors.Join(failures...)
}
