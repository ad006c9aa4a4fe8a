package describe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// describeNoun is a kind with its subcommand. Its objects are identified by their position in
// the world.
type describeNoun struct {
	cmdutil.ObjectKind
	aliases              []string
	short, long, example string

	// answer describes the objects at the positions.
	answer func(result *policy.Result, positions []int, detail queryDetail) describe.Answer
	// status is the kind of the objects' status; empty if they have none.
	status describe.StatusKind
	// trust is true if --trust adds information about the objects.
	trust bool
	// reaches is true if the objects call destinations.
	reaches bool
}

// queryDetail is the level of detail of a description.
type queryDetail struct {
	// full requests full descriptions; allDestinations includes all reachable destinations.
	full, allDestinations bool
	// wholeKind is true if all objects of the kind are described.
	wholeKind bool
}

// query is an invocation of a describe command.
type query struct {
	streams   *cli.Streams
	load      cmdutil.WorldLoader
	verbosity func() int
	noun      describeNoun

	world           cmdutil.WorldFlags
	names           []string
	filter          cmdutil.ObjectFilter
	format          *cmdutil.EnumValue
	details         bool
	allDestinations bool
	status          bool
	failOnFindings  bool
	trustFlags
}

// newNounCmd returns the command that describes one kind. If runF is not nil, it is called
// with the query instead of running it.
func newNounCmd(f *cmdutil.Factory, noun describeNoun, runF func(*query) error) *cobra.Command {
	query := &query{
		streams: f.Streams, load: f.LoadWorld, verbosity: func() int { return f.Streams.Verbosity }, noun: noun,
		format: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use: noun.Name + " [NAME...]", Aliases: noun.aliases,
		Short: noun.short, Long: noun.long, Example: noun.example,
		RunE: func(cmd *cobra.Command, args []string) error {
			query.names = args
			query.world.Settle(cmd)
			if err := errors.Join(query.filter.Check(), query.trustFlags.check(cmd, &query.world)); err != nil {
				return err
			}
			if runF != nil {
				return runF(query)
			}
			return query.run(cmd.Context())
		},
	}
	query.world.Register(cmd, f)
	query.filter.Register(cmd, noun.ObjectKind)
	cmdutil.CompleteObjects(f, cmd, noun.ObjectKind, &query.filter)
	flags := cmd.Flags()
	flags.BoolVar(&query.details, "details", false, "describe every listed "+noun.Name+" in full")
	if noun.reaches {
		flags.BoolVar(&query.allDestinations, "all-destinations", false,
			"list all reachable destinations, not only those with policies (implies --details)")
	}
	flags.BoolVar(&query.failOnFindings, "fail-on-findings", false, "exit with 3 if there is a finding of severity error or warning")
	if noun.trust {
		query.trustFlags.register(cmd, f, noun)
	}
	if noun.status != "" {
		flags.BoolVar(&query.status, "status", false, "print the computed status of each resource instead of a description")
	}
	cmdutil.AddOutputFlag(cmd, query.format, "output format")
	return cmd
}

func (q *query) run(ctx context.Context) error {
	world, err := q.load(ctx, q.world, q.streams.In)
	if err != nil {
		return err
	}
	if q.verbosity() > 0 {
		q.streams.Say("Ignored %s of kinds that meshctl does not use.", text.Count(world.Ignored, "object"))
	}
	incomplete := cmdutil.ReportProblems(q.streams, world)
	all := q.noun.Objects(world)
	positions, err := q.filter.Apply(world, q.noun.ObjectKind, all)
	if err != nil {
		return err
	}
	if len(q.names) > 0 {
		if positions, err = q.filter.Resolve(q.noun.ObjectKind, all, positions, q.names); err != nil {
			return errors.Join(err, incomplete)
		}
	}
	if len(positions) == 0 {
		q.streams.Say("%s", q.explainNothing(all, world.Incomplete()))
	}
	result := policy.Evaluate(world)
	if q.trust {
		if err := q.lookAtTrust(ctx, q.world, result); err != nil {
			return errors.Join(err, incomplete)
		}
	}
	answer := q.noun.answer(result, positions, queryDetail{
		full: q.detailed(), allDestinations: q.allDestinations, wholeKind: len(positions) == len(all) && len(q.names) == 0,
	})
	if err := q.print(result, positions, answer); err != nil {
		return err
	}
	if q.failOnFindings && q.summariseFindings(answer.CountFindings()) {
		return errors.Join(incomplete, cli.ErrFindings)
	}
	return incomplete
}

func (q *query) print(result *policy.Result, positions []int, answer describe.Answer) error {
	if q.status {
		return output.Print(q.streams, q.format.Format(), describe.Statuses(result, q.noun.status, positions).View())
	}
	return output.Print(q.streams, q.format.Format(), answer.View())
}

// detailed reports whether the objects are described in full.
func (q *query) detailed() bool { return q.details || q.allDestinations || len(q.names) > 0 }

// summariseFindings reports whether any finding needs attention. It prints a reason for the
// exit code if the output does not show the findings.
func (q *query) summariseFindings(count map[finding.Severity]int) bool {
	failures, warnings := count[finding.SeverityError], count[finding.SeverityWarning]
	if failures+warnings == 0 {
		return false
	}
	shown := false
	switch q.format.Format() {
	case output.FormatJSON, output.FormatYAML:
		shown = !q.status
	case output.FormatTable, output.FormatWide:
		shown = !q.status && q.detailed()
	case output.FormatName:
	}
	if !shown {
		q.streams.Say("Findings: %d of severity error, %d of severity warning; -o json or --details shows them.", failures, warnings)
	}
	return true
}

// explainNothing says why no object is described. Of an incomplete world, nobody
// knows whether there is none.
func (q *query) explainNothing(all []world.Names, incomplete bool) string {
	switch {
	case len(all) > 0:
		text := fmt.Sprintf("No %s found: none of %d matches %s", q.noun.Plural, len(all), q.filter.Explain(all))
		if incomplete {
			text += ", and part of the input could not be read"
		}
		return text + "."
	case incomplete:
		return fmt.Sprintf("No %s found: part of the input could not be read.", q.noun.Plural)
	}
	text := fmt.Sprintf("No %s found: no object of kind %s.", q.noun.Plural, q.noun.Kind)
	if !q.world.Recursive && slices.ContainsFunc(q.world.Filenames, cmdutil.IsDirectory) {
		text += " Add -R to read subdirectories too."
	}
	return text
}
