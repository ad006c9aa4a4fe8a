package kube

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// DefaultDeadline is the default time limit for all that one command reads from
// one cluster.
const DefaultDeadline = 60 * time.Second

// maxClusters limits the clusters that are used at the same time.
const maxClusters = 64

// MaxQuestions limits the parallel requests to one cluster.
const MaxQuestions = 6

// Question is one of several requests to a cluster.
type Question func(ctx context.Context) error

// Ask runs all questions in parallel and stops when the deadline (DefaultDeadline
// if 0) has passed or when the answers together exceed the read limit of the
// connection.
//
// A question that fails because it is forbidden or the kind is not served does
// not stop the others: the first result holds these errors in the order of the
// questions. The second result is the error that makes the cluster as a whole
// unusable, or that of ctx; the answers so far must then not be used.
func Ask(ctx context.Context, c *Connection, deadline time.Duration, questions ...Question) ([]*Error, error) {
	if deadline <= 0 {
		deadline = DefaultDeadline
	}
	limited, stop := context.WithTimeoutCause(c.withBudget(ctx), deadline, errDeadline)
	defer stop()
	limited, giveUp := context.WithCancelCause(limited)
	defer giveUp(nil)
	failed := make([]*Error, len(questions))
	free := make(chan struct{}, MaxQuestions)
	var pending sync.WaitGroup
	for i, question := range questions {
		pending.Go(func() {
			select {
			case free <- struct{}{}:
				defer func() { <-free }()
			case <-limited.Done():
				return
			}
			err := c.Translate("ask", question(limited))
			if err != nil && err.WholeCluster() {
				giveUp(err)
			}
			failed[i] = err
		})
	}
	answered := make(chan struct{})
	go func() {
		pending.Wait()
		close(answered)
	}()
	select {
	case <-answered:
	case <-limited.Done():
		// Do not wait for questions that ignore cancellation, such as a
		// credential plugin that waits for the user.
	}
	if end := context.Cause(limited); end != nil {
		return nil, c.end(ctx, end, deadline)
	}
	var notes []*Error
	for _, e := range failed {
		if e != nil {
			notes = append(notes, e)
		}
	}
	return notes, nil
}

// errDeadline means that reading the cluster exceeded its time limit.
var errDeadline = fmt.Errorf("the cluster used up its time: %w", context.DeadlineExceeded)

// end returns the error that makes a cluster unusable.
func (c *Connection) end(ctx context.Context, end error, deadline time.Duration) error {
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return err
	}
	e := *c.Translate("", end) // a copy, as others may hold the original
	e.Action = ""              // which question failed first is arbitrary
	if errors.Is(end, errDeadline) {
		e.Why = fmt.Sprintf("%s timed out after %s", c.server(), deadline)
	}
	return &e
}

// Each calls do for every connection in parallel and returns the results in the
// order of the connections.
func Each[T any](connections []*Connection, do func(*Connection) T) []T {
	return Parallel(maxClusters, connections, do)
}

// ParallelRequests calls do, which sends requests to a single cluster, for every
// input, a few at a time, and returns the results in the order of the inputs.
func ParallelRequests[I, O any](inputs []I, do func(I) O) []O {
	return Parallel(MaxQuestions, inputs, do)
}

// Parallel calls do for every input, at most limit at a time, and returns the
// results in the order of the inputs.
func Parallel[I, O any](limit int, inputs []I, do func(I) O) []O {
	outputs := make([]O, len(inputs))
	free := make(chan struct{}, limit)
	var pending sync.WaitGroup
	for i, input := range inputs {
		free <- struct{}{}
		pending.Go(func() {
			defer func() { <-free }()
			outputs[i] = do(input)
		})
	}
	pending.Wait()
	return outputs
}
