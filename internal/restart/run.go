package restart

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
)

// RunOptions configure Run.
type RunOptions struct {
	// RestartedAt is the value of the annotation, in RFC 3339. It is the same for the whole run,
	// so that a later run can resume it. It must not be empty.
	RestartedAt string
	// DryRun sends all restarts as a server-side dry run, which writes nothing.
	DryRun bool
	// NoWait starts all gateways and workloads without waiting for them. The control plane is
	// always waited for.
	NoWait bool
	// FailFast starts no further restarts after a failure or timeout.
	FailFast bool
	// MaxParallel is how many items are restarted in parallel; DefaultMaxParallel if 0.
	MaxParallel int
	// Timeout is how long an item may take to become ready; DefaultTimeout if 0.
	Timeout time.Duration
	// Poll is the interval at which an item is checked; DefaultPoll if 0.
	Poll time.Duration
	// Clock returns the current time.
	Clock cli.Clock
}

// Defaults of RunOptions.
const (
	DefaultMaxParallel = 5
	// DefaultTimeout is the default progress deadline of Deployments.
	DefaultTimeout = 10 * time.Minute
	DefaultPoll    = time.Second
)

// Run executes a plan on the cluster of the connection, stage by stage, and waits for it. The
// failure of an item does not affect the others, unless it is the control plane or the options
// say so.
//
// When ctx ends, nothing more is started and nothing is rolled back; a new plan covers what is
// left. The report has the results so far.
func Run(ctx context.Context, c *kube.Connection, plan *Plan, opts RunOptions, observe Observer) Report {
	if !opts.DryRun {
		waitPast(ctx, plan.TrustChanged, func() (time.Time, bool) { return kube.ServerTime(ctx, c) })
	}
	return run(ctx, &remote{c}, plan, opts, observe)
}

// Limits of waiting for the next second.
const (
	secondAttempts = 8
	secondPause    = 250 * time.Millisecond
)

// waitPast waits until the second in which the CA changed has passed. Timestamps in clusters
// have a resolution of one second, so pods started in that second could not be distinguished
// from older ones.
func waitPast(ctx context.Context, changed time.Time, serverTime func() (time.Time, bool)) {
	for range secondAttempts {
		now, known := serverTime()
		if !known || now.After(changed) || kube.Pause(ctx, secondPause) != nil {
			return
		}
	}
}

// target is the part of a cluster that a run needs.
type target interface {
	// get reads the object of an item.
	get(ctx context.Context, item *Item) (*unstructured.Unstructured, error)
	// restart sets the annotation on the pod template of an item.
	restart(ctx context.Context, item *Item, restartedAt string, dryRun bool) error
}

func run(ctx context.Context, t target, plan *Plan, opts RunOptions, observe Observer) Report {
	if opts.MaxParallel <= 0 {
		opts.MaxParallel = DefaultMaxParallel
	}
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.Poll <= 0 {
		opts.Poll = DefaultPoll
	}
	r := &runner{target: t, plan: plan, opts: opts, observe: observe}
	for i := range plan.Items {
		if item := &plan.Items[i]; item.Action == ActionRestart || item.Action == ActionWait {
			r.results = append(r.results, Result{Item: item, Outcome: OutcomeNotStarted})
		}
	}
	for _, stage := range Stages() {
		r.runStage(ctx, stage)
	}
	return Report{Results: r.results}
}

// runner runs one plan.
type runner struct {
	target  target
	plan    *Plan
	opts    RunOptions
	observe Observer

	mu sync.Mutex // guards stopped
	// stopped is true if nothing more is started.
	stopped bool
	// results are each owned by one goroutine while the item is processed.
	results []Result
}

func (r *runner) runStage(ctx context.Context, stage Stage) {
	parallel := r.opts.MaxParallel
	if r.opts.NoWait && stage != StageControlPlane {
		parallel = max(parallel, maxBegun)
	}
	free := make(chan struct{}, parallel)
	var pending sync.WaitGroup
	for i := range r.results {
		result := &r.results[i]
		if result.Item.Stage != stage {
			continue
		}
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil || r.isStopped() {
			break
		}
		pending.Go(func() {
			defer func() { <-free }()
			r.runItem(ctx, result)
		})
	}
	pending.Wait()
}

// maxBegun is how many restarts are started in parallel if the run does not wait for them.
const maxBegun = 20

func (r *runner) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

func (r *runner) notify(state State, item *Item, detail string, result *Result) {
	if r.observe != nil {
		r.observe(Event{Mesh: r.plan.Mesh, Cluster: r.plan.Cluster, State: state, Stage: item.Stage, Item: item, Detail: detail, Result: result})
	}
}

func (r *runner) runItem(ctx context.Context, result *Result) {
	item := result.Item
	began := r.opts.Clock()
	r.notify(StateStarted, item, "", nil)
	result.Outcome, result.Err = r.restart(ctx, item)
	result.Took = r.opts.Clock().Sub(began)
	if result.Outcome == OutcomeFailed || result.Outcome == OutcomeTimeout {
		if item.Stage == StageControlPlane || r.opts.FailFast {
			r.mu.Lock()
			r.stopped = true
			r.mu.Unlock()
		}
	}
	r.notify(StateEnded, item, "", result)
}

// restart restarts an item and waits for it.
func (r *runner) restart(ctx context.Context, item *Item) (Outcome, error) {
	limited, stop := context.WithTimeout(ctx, r.opts.Timeout)
	defer stop()
	if item.Action == ActionRestart {
		if err := r.begin(limited, item); err != nil {
			if ctx.Err() != nil {
				// The patch may or may not have been applied; the next plan finds out.
				return OutcomeInterrupted, nil
			}
			return OutcomeFailed, err
		}
	}
	switch {
	case r.opts.DryRun:
		return OutcomeDryRun, nil
	case r.opts.NoWait && item.Stage != StageControlPlane:
		return OutcomeBegun, nil
	}
	message, err := r.wait(limited, item)
	switch {
	case err == nil:
		return OutcomeRestarted, nil
	case ctx.Err() != nil:
		return OutcomeInterrupted, nil
	case errors.Is(err, context.DeadlineExceeded) && limited.Err() != nil:
		if message == "" {
			message = "its status is unknown"
		}
		return OutcomeTimeout, fmt.Errorf("%s on cluster %s was not ready within %s: %s", item.Ref, r.plan.Cluster, r.opts.Timeout, message)
	default:
		return OutcomeFailed, err
	}
}

// begin sets the annotation, unless the object has been replaced or paused since the plan was
// made.
func (r *runner) begin(ctx context.Context, item *Item) error {
	object, err := r.target.get(ctx, item)
	if err != nil {
		return err
	}
	if string(object.GetUID()) != item.uid {
		return fmt.Errorf("%s on cluster %s was replaced after planning: run the command again", item.Ref, r.plan.Cluster)
	}
	if isPaused(object) {
		return fmt.Errorf("%s on cluster %s is paused now: resume its rollout, then restart again", item.Ref, r.plan.Cluster)
	}
	return r.target.restart(ctx, item, r.opts.RestartedAt, r.opts.DryRun)
}

func isPaused(object *unstructured.Unstructured) bool {
	paused, _, _ := unstructured.NestedBool(object.Object, "spec", "paused")
	return paused
}

// tolerance is how long the cluster may be unreachable during a wait.
const tolerance = 30 * time.Second

// wait waits until the rollout of an item is done, and returns the last status message.
func (r *runner) wait(ctx context.Context, item *Item) (string, error) {
	message := ""
	var away time.Time
	for {
		object, err := r.target.get(ctx, item)
		switch {
		case err != nil && ctx.Err() != nil:
			return message, ctx.Err()
		case err != nil && isTransient(err):
			if away.IsZero() {
				away = r.opts.Clock()
			}
			if r.opts.Clock().Sub(away) > tolerance {
				return message, err
			}
		case err != nil:
			return message, err
		default:
			away = time.Time{}
			now, done, err := rolloutStatus(item.Kind, object)
			switch {
			case err != nil:
				return message, fmt.Errorf("the rollout of %s on cluster %s failed: %w", item.Ref, r.plan.Cluster, err)
			case done:
				return now, nil
			case isPaused(object):
				return message, fmt.Errorf("%s on cluster %s was paused during its rollout: resume its rollout, then restart again", item.Ref, r.plan.Cluster)
			}
			if now != message {
				message = now
				r.notify(StateProgress, item, now, nil)
			}
		}
		if err := kube.Pause(ctx, r.opts.Poll); err != nil {
			return message, err
		}
	}
}

// isTransient reports whether a retry may succeed.
func isTransient(err error) bool {
	var e *kube.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Reason {
	case kube.ReasonUnreachable, kube.ReasonTimeout, kube.ReasonServerTrouble:
		return true
	default:
		return false
	}
}
