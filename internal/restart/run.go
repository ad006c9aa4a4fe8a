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

// RunOptions say how to run a plan.
type RunOptions struct {
	// RestartedAt is the value of the annotation, RFC 3339: the same for all of a
	// run, so that a run can go on with another. It must not be empty.
	RestartedAt string
	// DryRun has the API server judge every restart, and write nothing.
	DryRun bool
	// NoWait does not wait for gateways and workloads, which then are all begun at
	// once. The control plane is always waited for.
	NoWait bool
	// FailFast begins nothing more once something failed or was not ready in time.
	FailFast bool
	// MaxParallel is how many items are restarted at the same time,
	// DefaultMaxParallel if 0.
	MaxParallel int
	// Timeout is how long one item may take to be ready; DefaultTimeout if 0.
	Timeout time.Duration
	// Poll is how often an item is looked at, DefaultPoll if 0.
	Poll time.Duration
	// Clock tells the time.
	Clock cli.Clock
}

// The defaults of RunOptions.
const (
	DefaultMaxParallel = 5
	// DefaultTimeout is that of a Deployment's own progress.
	DefaultTimeout = 10 * time.Minute
	DefaultPoll    = time.Second
)

// Run restarts what the plan says on the cluster of the connection, stage by
// stage, and waits for it. One item that fails does not keep the others from
// being restarted, unless it is the control plane or the options ask for that.
//
// When ctx ends, nothing more is begun and nothing is undone: a new plan says
// what is left. The report has what was done until then.
func Run(ctx context.Context, c *kube.Connection, plan *Plan, opts RunOptions, observe Observer) Report {
	if !opts.DryRun {
		waitPast(ctx, plan.TrustChanged, func() (time.Time, bool) { return kube.ServerTime(ctx, c) })
	}
	return run(ctx, &remote{c}, plan, opts, observe)
}

// The bounds of waiting for the next second.
const (
	secondAttempts = 8
	secondPause    = 250 * time.Millisecond
)

// waitPast waits until the second is over in which the certificate authority
// changed. Clusters tell times to the second, so that pods that start right in
// it could not be told from older ones.
func waitPast(ctx context.Context, changed time.Time, serverTime func() (time.Time, bool)) {
	for range secondAttempts {
		now, known := serverTime()
		if !known || now.After(changed) || sleep(ctx, secondPause) != nil {
			return
		}
	}
}

// target is the cluster as far as a run needs it.
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
	// stopped says that nothing more is begun.
	stopped bool
	// results each belong to one goroutine while they are worked on.
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

// maxBegun is how many restarts are begun at the same time if none is waited
// for.
const maxBegun = 20

func (r *runner) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

func (r *runner) tell(state State, item *Item, detail string, result *Result) {
	if r.observe != nil {
		r.observe(Event{Mesh: r.plan.Mesh, Cluster: r.plan.Cluster, State: state, Stage: item.Stage, Item: item, Detail: detail, Result: result})
	}
}

func (r *runner) runItem(ctx context.Context, result *Result) {
	item := result.Item
	began := r.opts.Clock()
	r.tell(StateStarted, item, "", nil)
	result.Outcome, result.Err = r.restart(ctx, item)
	result.Took = r.opts.Clock().Sub(began)
	if result.Outcome == OutcomeFailed || result.Outcome == OutcomeTimeout {
		if item.Stage == StageControlPlane || r.opts.FailFast {
			r.mu.Lock()
			r.stopped = true
			r.mu.Unlock()
		}
	}
	r.tell(StateEnded, item, "", result)
}

// restart restarts an item and waits for it.
func (r *runner) restart(ctx context.Context, item *Item) (Outcome, error) {
	limited, stop := context.WithTimeout(ctx, r.opts.Timeout)
	defer stop()
	if item.Action == ActionRestart {
		if err := r.begin(limited, item); err != nil {
			if ctx.Err() != nil {
				// It may have been written or not: the next plan finds out.
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
			message = "nothing is known about it"
		}
		return OutcomeTimeout, fmt.Errorf("%s on cluster %s was not ready within %s: %s", item.Ref, r.plan.Cluster, r.opts.Timeout, message)
	default:
		return OutcomeFailed, err
	}
}

// begin sets the annotation, unless something changed since the plan was made.
func (r *runner) begin(ctx context.Context, item *Item) error {
	object, err := r.target.get(ctx, item)
	if err != nil {
		return err
	}
	if string(object.GetUID()) != item.uid {
		return fmt.Errorf("%s on cluster %s was replaced since the plan: run the command again", item.Ref, r.plan.Cluster)
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

// tolerance is how long a cluster may be away while something is waited for.
const tolerance = 30 * time.Second

// wait waits until the rollout of an item is done, and returns what it waited
// for last.
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
				r.tell(StateProgress, item, now, nil)
			}
		}
		if err := sleep(ctx, r.opts.Poll); err != nil {
			return message, err
		}
	}
}

// isTransient reports whether an error may be over in a moment.
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

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
