package rollout

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
)

// Waiting times between passes.
const (
	// settleTime is how long to wait for more changes after the first one.
	settleTime = time.Second
	// firstRetry doubles after each failure, up to the resync period.
	firstRetry = 5 * time.Second
)

// WatchOptions configure Watch.
type WatchOptions struct {
	// Management is the cluster to watch; it also holds the Lease.
	Management *kube.Connection
	// Lease elects the process that rolls out.
	Lease kube.LeaseOptions
	// Resync is the period after which the clusters are compared even if nothing changed.
	Resync time.Duration
	// Input reads the input of each pass. What it returns together with an error becomes part of
	// the Pass, too.
	Input func(context.Context) (Input, error)
	// Options are the options of each plan.
	Options Options
	// Begin is called whenever this process acquires the Lease; it may be nil.
	Begin func()
	// Handle is called after each pass, never concurrently. If it returns an error, the pass
	// counts as failed.
	Handle func(*Pass) error
	// GiveUp reports whether to stop after an error of the first pass, because a retry would not
	// help. If it is nil, Watch never stops.
	GiveUp func(error) bool
}

// Pass is one pass of Watch.
type Pass struct {
	Input Input
	// Plan is the executed plan; nil if there is none.
	Plan *Plan
	// Err is why there is no Plan.
	Err error
	// Repeated is true if the result is the same as that of the previous pass.
	Repeated bool
	// Interrupted says that the pass did not finish, so that it says nothing new.
	Interrupted bool
	// Held is what is held back now. Of that, NewlyHeld was not held back in the pass
	// before, or for another reason; Released is held back no longer.
	Held, NewlyHeld, Released []Hold
}

// Watch rolls out whenever something changes in the management cluster, and periodically,
// until ctx ends. Only the process that holds the Lease does so; others wait for it. It
// returns errors of the lease and of watching, and those for which GiveUp returns true.
func Watch(ctx context.Context, opts WatchOptions) error {
	return kube.Lead(ctx, opts.Management, opts.Lease, func(ctx context.Context) error {
		if opts.Begin != nil {
			opts.Begin()
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		changed, watched := make(chan struct{}, 1), make(chan error, 1)
		go func() {
			watched <- kube.Watch(ctx, opts.Management, func() {
				select {
				case changed <- struct{}{}:
				default: // a change is already pending
				}
			})
		}()
		w := &watcher{opts: opts}
		return w.loop(ctx, changed, watched)
	})
}

// watcher is the state while this process holds the Lease.
type watcher struct {
	opts WatchOptions
	last *report
	// held is what the last pass with a plan held back.
	held []Hold
}

// loop runs passes until ctx ends, watching fails, or the first pass gives up.
func (w *watcher) loop(ctx context.Context, changed <-chan struct{}, watched <-chan error) error {
	pauses := pauses{resync: w.opts.Resync}
	for first := true; ; first = false {
		err := w.pass(ctx)
		if first && err != nil && w.opts.GiveUp != nil && w.opts.GiveUp(err) {
			return err
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
			case <-time.After(settleTime):
			}
			select {
			case <-changed:
			default:
			}
		}
	}
}

// errFailed says that a pass was not entirely successful; its Plan has the details.
var errFailed = errors.New("not everything could be rolled out")

// pass rolls out once.
func (w *watcher) pass(ctx context.Context) error {
	p := &Pass{}
	if p.Input, p.Err = w.opts.Input(ctx); p.Err == nil {
		p.Plan, p.Err = NewPlan(ctx, p.Input, w.opts.Options)
	}
	if p.Err == nil {
		p.Plan.Run(ctx, RunOptions{})
	}
	if err := ctx.Err(); err != nil {
		// The errors are a consequence of the interruption.
		if p.Plan != nil {
			p.Repeated, p.Interrupted = true, true
			err = errors.Join(err, w.opts.Handle(p))
		}
		return err
	}
	if p.Plan != nil {
		p.Held, p.NewlyHeld, p.Released = compareHolds(w.held, p.Plan)
		w.held = p.Held
	}
	report := p.report()
	p.Repeated = w.last != nil && reflect.DeepEqual(w.last, report)
	w.last = report
	err := p.Err
	if err == nil && p.Plan.Failed() {
		err = errFailed
	}
	return errors.Join(err, w.opts.Handle(p))
}

// report is the result of a pass as comparable values.
type report struct {
	problems   []world.Problem
	err        string
	idle       []string
	omissions  []istio.Omission
	incomplete bool
	clusters   []clusterReport
	statuses   []objectReport
}

type clusterReport struct {
	name string
	// errors concern the cluster as a whole and whole kinds.
	errors  []string
	objects []objectReport
}

// objectReport is the outcome of one object.
type objectReport struct {
	key     kube.ObjectKey
	outcome kube.Outcome
	err     string
}

func (p *Pass) report() *report {
	r := &report{err: textOf(p.Err)}
	if p.Input.World != nil {
		r.problems = p.Input.World.Problems
	}
	if p.Plan == nil {
		return r
	}
	r.idle, r.omissions, r.incomplete = p.Plan.Idle, p.Plan.Omissions, p.Plan.Incomplete
	for i := range p.Plan.Clusters {
		c := &p.Plan.Clusters[i]
		cluster := clusterReport{name: c.Name, errors: c.Errors()}
		for k := range c.Changes {
			change := &c.Changes[k]
			cluster.objects = append(cluster.objects, newObjectReport(change.Key, change.Outcome, change.Err))
		}
		r.clusters = append(r.clusters, cluster)
	}
	for i := range p.Plan.Statuses {
		s := &p.Plan.Statuses[i]
		r.statuses = append(r.statuses, newObjectReport(s.Key(), s.Outcome, s.Err))
	}
	if p.Plan.StatusErr != nil {
		r.statuses = append(r.statuses, objectReport{err: p.Plan.StatusErr.Error()})
	}
	return r
}

func newObjectReport(key kube.ObjectKey, outcome kube.Outcome, e *kube.Error) objectReport {
	r := objectReport{key: key, outcome: outcome}
	if e != nil {
		r.err = e.Error()
	}
	return r
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// pauses computes the waiting times between passes.
type pauses struct {
	resync, retry time.Duration
}

// after returns how long to wait after a pass: until the next resync if it succeeded. After
// failures the time starts at firstRetry and doubles, up to the resync period.
func (p *pauses) after(err error) time.Duration {
	if err == nil {
		p.retry = 0
		return p.resync
	}
	p.retry = min(max(firstRetry, 2*p.retry), p.resync)
	return p.retry
}
