package apply

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/rollout"
)

// watchFlags are the flags of --watch.
type watchFlags struct {
	watch bool
	// resync is the time between full comparisons, even if no change was seen.
	resync time.Duration
	// healthAddress is where probes are served; empty for nowhere.
	healthAddress string
}

// The bounds of --resync.
const (
	defaultResync = 5 * time.Minute
	minResync     = 10 * time.Second
)

func (w *watchFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&w.watch, "watch", false, "keep running and apply every change on the management cluster; on a terminal, confirm the first plan")
	flags.DurationVar(&w.resync, "resync", defaultResync, "with --watch, the `DURATION` between full comparisons of the clusters, to repair drift")
	flags.StringVar(&w.healthAddress, "health-address", "", "with --watch, serve /healthz, /readyz and /metrics at this `ADDRESS`, such as :8081")
}

// checkWatch validates the flags that depend on --watch.
func (o *options) checkWatch(cmd *cobra.Command) error {
	flags := cmd.Flags()
	if !o.watch {
		for _, name := range []string{"resync", "health-address"} {
			if flags.Changed(name) {
				return cli.Usagef("--%s requires --watch", name)
			}
		}
		return nil
	}
	switch {
	case !o.world.FromManagement():
		return cli.Usagef("--watch requires a management cluster: add --context")
	case !o.writes():
		return cli.Usagef("--watch and --dry-run=%s cannot be combined", o.dryRun)
	case !o.output.Format().ForPeople():
		return cli.Usagef("--watch and -o %s cannot be combined", o.output)
	case o.acceptLoss:
		return cli.Usagef("--watch never gives up protection by itself: run apply once with --accept-loss")
	case len(o.acceptedDomains) > 0:
		return cli.Usagef("--watch never accepts a trust domain by itself: run apply once with --accept-trust-domain")
	case o.showDiff:
		return cli.Usagef("--watch and --diff cannot be combined: use --diff with --dry-run=client")
	case slices.Contains(o.world.Filenames, "-"):
		return cli.Usagef("--watch cannot read manifests from standard input")
	case o.resync < minResync:
		return cli.Usagef("--resync must be at least %s", minResync)
	default:
		return nil
	}
}

// runWatch applies until ctx ends, which is the normal end. Of several processes
// only the one that holds the Lease applies.
func (o *options) runWatch(ctx context.Context) error {
	management, err := o.world.Kube.Management()
	if err != nil {
		return err
	}
	if err := o.reviewWatch(ctx); err != nil {
		return err
	}
	w := &watchRun{options: o, metrics: &metrics{}}
	stop, err := w.serveHealth(ctx)
	if err != nil {
		return err
	}
	defer stop()
	identity, err := watchIdentity()
	if err != nil {
		return err
	}
	err = rollout.Watch(ctx, rollout.WatchOptions{
		Management: management, Resync: o.resync, Input: o.readInput, Options: o.planOptions(), Handle: w.reportPass,
		Lease: kube.LeaseOptions{
			Namespace: o.namespace, Name: registration.ControllerName, Identity: identity, Action: "acquire the Lease",
			Observe: func(leader string) {
				if leader != identity && leader != "" {
					w.log("%s holds the Lease; standing by", leader)
				}
			},
			Lost: func() {
				w.metrics.standBy()
				w.log("lost the Lease; standing by")
			},
		},
		Begin: func() {
			w.log("applying to the clusters registered in namespace %s of cluster %s", o.namespace, management.Name)
		},
		GiveUp: func(err error) bool {
			// On the first pass this is a mistake on the command line.
			var usage *cli.UsageError
			return errors.As(inputError(err), &usage)
		},
	})
	if ctx.Err() != nil {
		return nil // interrupted: the normal end
	}
	return inputError(err)
}

// watchIdentity returns the name of this process as a holder of the Lease.
func watchIdentity() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("get the hostname for the Lease: %w", err)
	}
	return host + "_" + strings.ToLower(rand.Text()[:8]), nil
}

// watchRun is one run of apply --watch.
type watchRun struct {
	*options
	metrics *metrics
}

// log prints a line with the time on standard error.
func (w *watchRun) log(format string, args ...any) {
	w.streams.Say("%s %s", w.clock().UTC().Format(time.RFC3339), fmt.Sprintf(format, args...))
}

// Write implements io.Writer: it logs lines, each of which must be whole.
func (w *watchRun) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		w.log("%s", strings.TrimRight(line, "\n"))
	}
	return len(text), nil
}

// reportPass reports a pass, unless it repeats the previous one, and prints the
// objects that were written. What is held back is reported when it changes.
func (w *watchRun) reportPass(pass *rollout.Pass) error {
	w.metrics.note(pass)
	var out io.Writer = w
	if pass.Repeated {
		out = io.Discard
	}
	opts := *w.options
	opts.streams, opts.yes, opts.quiet = w.streams.WithErr(out), true, true
	a := &applyRun{options: &opts, plan: pass.Plan}
	a.reportInput(pass.Input.World)
	var printing error
	if a.plan != nil {
		printing = a.reportPlan()
	}
	for _, untold := range cli.Unreported(errors.Join(inputError(pass.Err), printing)) {
		a.say("error: %s", untold)
	}
	a.reportHolds(pass)
	return errors.Join(printing, w.streams.Flush())
}

// reportPlan reports a plan that was carried out.
func (a *applyRun) reportPlan() error {
	a.reportIdle()
	a.reportOmissions()
	if err := a.showPlan(); err != nil {
		return err
	}
	for _, warning := range lostFederation(a.plan) {
		a.say("warning: %s", warning)
	}
	a.reportErrors()
	for i := range a.plan.Clusters {
		if c := &a.plan.Clusters[i]; c.TakesPart() {
			a.reportStart(c)
			a.reportCluster(c)
		}
	}
	a.reportStatuses()
	if err := a.showResults(); err != nil {
		return err
	}
	a.reportUnfinished()
	return nil
}
