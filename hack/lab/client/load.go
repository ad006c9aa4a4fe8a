package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Load says how often and how a request is sent.
type Load struct {
	Count int
	// Rate is how many requests per second are started at most, 0 for no limit.
	// It is kept only if Concurrency lets enough requests be under way.
	Rate float64
	// Concurrency is how many requests are under way at a time, at least 1.
	Concurrency int
	// Fresh uses a connection for each request; otherwise there is one kept
	// connection for each of Concurrency.
	Fresh bool
	// GiveUp is after how many requests the others are not sent, if those all ended in
	// a timeout, and count as such, too; 0 for never.
	GiveUp int
}

// SendMany sends a request Count times. It returns one outcome for each of them
// in the order in which they were started, also for those that were not sent
// because ctx ended.
func (c *Client) SendMany(ctx context.Context, request Request, load Load) []Outcome {
	outcomes := make([]Outcome, max(load.Count, 0))
	start := time.Now()
	var next, hanging, answered atomic.Int64
	var group sync.WaitGroup
	for range min(max(load.Concurrency, 1), len(outcomes)) {
		group.Go(func() {
			session := c.NewSession()
			defer session.Close()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(outcomes) {
					return
				}
				if err := waitUntil(ctx, load.due(start, i)); err != nil {
					outcomes[i] = Outcome{GRPCStatus: -1}
					outcomes[i].fail(FailedOther, fmt.Errorf("not sent: %w", err))
					continue
				}
				if l := load.GiveUp; l > 0 && hanging.Load() >= int64(l) && answered.Load() == 0 {
					outcomes[i] = Outcome{GRPCStatus: -1}
					outcomes[i].fail(FailedTimeout, errors.New("not sent: those before ended in a timeout"))
					continue
				}
				outcomes[i] = session.Send(ctx, request)
				if outcomes[i].Failure == FailedTimeout {
					hanging.Add(1)
				} else {
					answered.Add(1)
				}
				if load.Fresh {
					session.Close()
				}
			}
		})
	}
	group.Wait()
	return outcomes
}

// due is when a request may be started.
func (l Load) due(start time.Time, i int) time.Time {
	if l.Rate <= 0 {
		return start
	}
	return start.Add(time.Duration(float64(i) / l.Rate * float64(time.Second)))
}

func waitUntil(ctx context.Context, due time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
