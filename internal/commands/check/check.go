// Package check implements `meshctl check`, which runs checks and prints their report.
package check

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/check"
	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// formatShort is an output format of this command that shows only problems.
const formatShort = "short"

type options struct {
	streams *cli.Streams
	clock   cli.Clock
	getenv  func(string) string

	world         cmdutil.WorldFlags
	categories    []string
	namespace     string
	wait          bool
	timeout       time.Duration
	expiryWarning *cmdutil.DaysValue
	output        *cmdutil.EnumValue
}

// Defaults of check.
const (
	defaultCheckTimeout = time.Minute
	// checkInterval is the time between two attempts of --wait.
	checkInterval = 2 * time.Second
)

// NewCmd returns the command `meshctl check`.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &options{
		streams: f.Streams, clock: f.Clock, getenv: f.Getenv, expiryWarning: &cmdutil.DaysValue{Duration: cmdutil.DefaultExpiryWarning},
		output: cmdutil.NewOutput(output.FormatTable, formatShort),
	}
	cmd := &cobra.Command{
		Use:     "check [CATEGORY...]",
		Short:   "Check clusters, meshes and configuration for problems",
		GroupID: cmdutil.GroupExplain,
		Long: cmdutil.Dedent(`
			Check the management cluster, the registered clusters, their meshes, and the
			configuration. All clusters are checked in parallel, and an unreachable cluster
			does not block the others.

			Categories are management, clusters, meshes, trust and configuration; the
			default is all. With manifests only, no cluster is contacted, and only the
			configuration is checked.

			The exit code is 3 if a check fails; warnings are not failures. With --wait, it
			is 4 if a check still fails when the timeout expires.`),
		Example: cmdutil.Dedent(`
			# check a directory of manifests, as in CI
			meshctl check -f manifests -R

			# show only failures and warnings
			meshctl check configuration -f manifests -R -o short

			# names of failed checks, for scripts
			meshctl check -f manifests -R -o json | jq -r '.categories[].checks[] | select(.result == "failed") | .id'`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.categories = args
			opts.world.Settle(cmd)
			if err := opts.validate(); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.world.Register(cmd, f)
	cmdutil.RegisterNamespace(cmd, &opts.namespace, "`NAMESPACE` of meshctl's resources on the management cluster")
	flags := cmd.Flags()
	flags.BoolVar(&opts.wait, "wait", false, "repeat the checks until none fails or the timeout expires")
	flags.DurationVar(&opts.timeout, "timeout", defaultCheckTimeout, "`DURATION` after which --wait gives up; each attempt waits at most 15s for a cluster")
	flags.Var(opts.expiryWarning, "expiry-warning", "warn of credentials and certificates that expire within this `DURATION`, such as 30d or 12h")
	cmdutil.AddOutputFlag(cmd, opts.output, "output format; short shows only failures and warnings, name only the names of the checks that found problems")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		left := slices.DeleteFunc(check.CategoryIDs(), func(id string) bool { return slices.Contains(args, id) })
		return left, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func (o *options) validate() error {
	known := check.CategoryIDs()
	for _, c := range o.categories {
		if !slices.Contains(known, c) {
			return cli.Usagef("unknown category %q%s: must be one of: %s", c, spelling.DidYouMean(c, known), strings.Join(known, ", "))
		}
	}
	offline := !o.world.FromManagement() && len(o.world.Contexts) == 0
	for _, c := range o.categories {
		if offline && c != check.CategoryConfiguration {
			return cli.Usagef("category %s needs a cluster: use --context or --clusters", c)
		}
	}
	switch {
	case o.timeout <= 0:
		return cli.Usagef("--timeout must be more than 0")
	case o.wait && offline:
		return cli.Usagef("--wait needs a cluster: use --context or --clusters")
	case o.wait && slices.Contains(o.world.Filenames, "-"):
		return cli.Usagef("--wait cannot read manifests from standard input")
	default:
		return nil
	}
}

func (o *options) run(ctx context.Context) error {
	opts, err := o.checks()
	if err != nil {
		return err
	}
	vaults := sharedtrust.NewVaultLogins(opts.Management, o.clock, o.getenv)
	defer vaults.Close(context.WithoutCancel(ctx))
	opts.Vault = vaults.Connect
	var report *check.Report
	if o.wait {
		report, err = check.Wait(ctx, opts, check.WaitOptions{Timeout: o.timeout, Interval: checkInterval, Pause: kube.Pause})
	} else {
		report, err = check.Run(ctx, opts)
	}
	if err != nil {
		return err
	}
	if err := printReport(o.streams, report, o.output.Format()); err != nil {
		return err
	}
	switch {
	case report.Success:
		return nil
	case o.wait:
		return cli.Timeoutf("checks still failing after %s: %s", o.timeout, strings.Join(report.Failures(), ", "))
	default:
		return cli.ErrFindings
	}
}

// checks returns the options of the checks. It sends no requests.
func (o *options) checks() (check.Options, error) {
	connection, err := o.world.Kube.Options()
	if err != nil {
		return check.Options{}, err
	}
	opts := check.Options{
		Categories: o.categories, Namespace: o.namespace, Connection: connection, Clock: o.clock,
		Deadline: min(o.timeout, check.DefaultDeadline), ExpiryWarning: o.expiryWarning.Duration, Observe: o.observe,
		Load: func(ctx context.Context) (world.Objects, error) {
			return o.world.Load(ctx, o.namespace, o.streams.In)
		},
		Complete: o.world.FromManagement() && len(o.world.Filenames) == 0,
	}
	if o.world.FromManagement() {
		opts.Management, err = o.world.Kube.Management()
		if errors.Is(err, kube.ErrNoKubeconfig) {
			return check.Options{}, cli.Usagef("no manifests given, and %w", err)
		}
		if err != nil {
			return check.Options{}, err
		}
	}
	if len(o.world.Contexts) > 0 {
		if opts.Contexts, err = o.world.Discovered(); err != nil {
			return check.Options{}, err
		}
	}
	return opts, nil
}

// observe prints progress on a terminal, and otherwise only what --wait is waiting for.
func (o *options) observe(phase string) {
	if o.streams.ErrTerminal || o.wait && strings.HasPrefix(phase, "waiting ") {
		o.streams.Say("%s ...", phase)
	}
}

// printReport prints a report in one of the formats.
func printReport(streams *cli.Streams, report *check.Report, format output.Format) error {
	short := format == formatShort
	if short {
		format = output.FormatTable
	}
	return output.Print(streams, format, reportView(report, streams.OutTerminal && showsUTF8(streams.Getenv), short))
}
