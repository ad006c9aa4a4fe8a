package commands

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
)

// watchFlags say how to keep applying.
type watchFlags struct {
	watch bool
	// resync is how often everything is compared even if nothing seems to change.
	resync time.Duration
	// healthAddress is where to answer probes; nowhere if empty.
	healthAddress string
}

// The bounds of waiting between two passes.
const (
	defaultResync = 5 * time.Minute
	minResync     = 10 * time.Second
	// settling is how long to wait for further changes after the first one.
	settling = time.Second
	// firstRetry doubles after each failure, up to the time of a resync.
	firstRetry = 5 * time.Second
)

func (w *watchFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&w.watch, "watch", false, "keep applying, without asking, whenever something changes on the management cluster, until interrupted")
	flags.DurationVar(&w.resync, "resync", defaultResync, "with --watch, the `DURATION` after which the clusters are compared even if nothing changed")
	flags.StringVar(&w.healthAddress, "health-address", "", "with --watch, answer /healthz and /readyz at this `ADDRESS`, such as :8081")
}

// checkWatch refuses what cannot be combined with --watch.
func (o *applyOptions) checkWatch(cmd *cobra.Command) error {
	flags := cmd.Flags()
	if !o.watch {
		for _, name := range []string{"resync", "health-address"} {
			if flags.Changed(name) {
				return cli.Usagef("--%s is for --watch", name)
			}
		}
		return nil
	}
	switch {
	case !o.world.fromManagement():
		return cli.Usagef("--watch watches the management cluster: name it with --context")
	case !o.writes():
		return cli.Usagef("--watch writes; it cannot be combined with --dry-run=%s", o.dryRun)
	case o.output.String() != "table":
		return cli.Usagef("--watch never ends, so there is no -o %s of it", o.output)
	case o.showDiff:
		return cli.Usagef("--watch does not show what it is going to do; see that with --diff and --dry-run=client")
	case slices.Contains(o.world.filenames, "-"):
		return cli.Usagef("--watch reads the manifests again and again, and standard input can be read only once")
	case o.resync < minResync:
		return cli.Usagef("--resync must be at least %s", minResync)
	default:
		return nil
	}
}

// runWatch keeps applying until ctx ends, which is how it is meant to end. Of
// several processes only the one that holds the Lease applies.
func (o *applyOptions) runWatch(ctx context.Context) error {
	management, err := o.world.kube.management()
	if err != nil {
		return err
	}
	w := &watching{applyOptions: o, management: management}
	stop, err := w.serveHealth(ctx)
	if err != nil {
		return err
	}
	defer stop()
	identity, err := watchIdentity()
	if err != nil {
		return err
	}
	err = kube.Lead(ctx, management, kube.LeaseOptions{
		Namespace: o.namespace, Name: registration.ControllerName, Identity: identity, Action: "decide who applies by a Lease",
		Observe: func(leader string) {
			if leader != identity && leader != "" {
				w.log("%s applies; waiting for its Lease", leader)
			}
		},
		Lost: func() { w.log("the Lease could not be renewed, so somebody else may apply now; waiting for it again") },
	}, w.loop)
	if ctx.Err() != nil {
		return nil // interrupted, which is how it is meant to end
	}
	return err
}

// watchIdentity tells this process from all others that may want the Lease.
func watchIdentity() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("find out the name of this host for the Lease: %w", err)
	}
	return host + "_" + strings.ToLower(rand.Text()[:8]), nil
}

// watching is one run of apply --watch.
type watching struct {
	*applyOptions
	management *kube.Connection
	// said is what the last pass said.
	said string
}

// log prints a line with the time on standard error.
func (w *watching) log(format string, args ...any) {
	fmt.Fprintf(w.streams.Err, "%s %s\n", w.clock().UTC().Format(time.RFC3339), printable(fmt.Sprintf(format, args...)))
}

// loop applies again and again while this process holds the Lease.
func (w *watching) loop(ctx context.Context) error {
	w.log("applying to the clusters that are registered in namespace %s of cluster %s", w.namespace, w.management.Name)
	changed := make(chan struct{}, 1)
	watched := make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		watched <- kube.Watch(ctx, w.management, func() {
			select {
			case changed <- struct{}{}:
			default: // it is known already
			}
		})
	}()
	pauses := pauses{resync: w.resync}
	for first := true; ; first = false {
		err := w.pass(ctx)
		var usage *cli.UsageError
		if first && errors.As(err, &usage) {
			return err // what was asked for cannot be; later, it is the world that changed
		}
		pause := pauses.after(err)
		select {
		case <-ctx.Done():
			return <-watched
		case err := <-watched:
			return err
		case <-time.After(pause):
		case <-changed:
			select {
			case <-ctx.Done():
			case <-time.After(settling):
			}
			select {
			case <-changed:
			default:
			}
		}
	}
}

// pauses are the times to wait between passes.
type pauses struct {
	resync, retry time.Duration
}

// after returns how long to wait after a pass: until the next resync if it went
// well, and otherwise from firstRetry on twice as long each time, but no longer
// than that.
func (p *pauses) after(err error) time.Duration {
	if err == nil {
		p.retry = 0
		return p.resync
	}
	p.retry = min(max(firstRetry, 2*p.retry), p.resync)
	return p.retry
}

// pass applies once. What it says is printed if it differs from what the last
// one said.
func (w *watching) pass(ctx context.Context) error {
	var said bytes.Buffer
	streams := *w.streams
	streams.Err, streams.ErrTerminal = &said, false
	opts := *w.applyOptions
	opts.streams, opts.yes, opts.quiet = &streams, true, true
	err := opts.runOnce(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, untold := range cli.Untold(err) {
		fmt.Fprintf(&said, "error: %s\n", printable(untold.Error()))
	}
	if text := said.String(); text != w.said {
		for line := range strings.Lines(text) {
			w.log("%s", strings.TrimRight(line, "\n"))
		}
		w.said = text
	}
	return errors.Join(err, w.streams.Flush())
}

// serveHealth answers probes: /healthz as long as the process runs, /readyz too.
// A pod that waits for the Lease is as it should be.
func (w *watching) serveHealth(ctx context.Context) (stop func(), err error) {
	if w.healthAddress == "" {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", w.healthAddress)
	if err != nil {
		return nil, fmt.Errorf("answer probes at %s: %w", w.healthAddress, err)
	}
	w.log("answering probes at http://%s/healthz and /readyz", listener.Addr())
	answer := func(out http.ResponseWriter, _ *http.Request) { _, _ = out.Write([]byte("ok\n")) }
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", answer)
	mux.HandleFunc("/readyz", answer)
	const patience = 5 * time.Second
	server := &http.Server{Handler: mux, ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Close() }, nil
}
