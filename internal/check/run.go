package check

import (
	"context"
	"fmt"
	"time"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// Run gathers the facts and judges them. An error means that checks could not be
// run; problems of clusters are part of the report.
func Run(ctx context.Context, opts Options) (*Report, error) {
	facts, err := Gather(ctx, opts)
	if err != nil {
		return nil, err
	}
	return Judge(facts, opts.Categories), nil
}

// WaitOptions configure Wait.
type WaitOptions struct {
	// Timeout is the total time limit, Interval the time between two attempts.
	Timeout, Interval time.Duration
	// Pause waits for d, or returns the error of ctx.
	Pause func(ctx context.Context, d time.Duration) error
}

// Wait repeats the checks until none fails or the timeout is reached, and returns
// the last report, whose Success tells the two apart.
func Wait(ctx context.Context, opts Options, wait WaitOptions) (*Report, error) {
	end := opts.Clock().Add(wait.Timeout)
	deadline := opts.deadline()
	for {
		opts.Deadline = min(deadline, max(end.Sub(opts.Clock()), time.Second))
		report, err := Run(ctx, opts)
		if err != nil || report.Success || !opts.Clock().Add(wait.Interval).Before(end) {
			return report, err
		}
		opts.Observe.begin(fmt.Sprintf("waiting for %s", text.Bounded(report.Failures(), shownNames)))
		if err := wait.Pause(ctx, wait.Interval); err != nil {
			return nil, err
		}
	}
}
