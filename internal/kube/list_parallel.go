package kube

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// DefaultDeadline bounds all that one command reads of one cluster, unless told
// otherwise.
const DefaultDeadline = 60 * time.Second

// maxClusters bounds how many clusters are used at the same time.
const maxClusters = 64

// MaxQuestions bounds how many requests one cluster gets at the same time.
const MaxQuestions = 6

// Question is one of several things to ask a cluster.
type Question func(ctx context.Context) error

// Ask asks a cluster all questions, several at the same time, and stops when
// the deadline (DefaultDeadline if 0) has passed, or when the answers together
// are larger than the limit of the connection, however many there are.
//
// A question that fails for itself alone, because it is forbidden or because
// the cluster does not know the kind, does not keep the others from being
// answered: the first result has these errors in the order of the questions.
// The second result is what makes the cluster as a whole unusable, or the error
// of ctx if that ended; what was answered until then must not be used.
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
		// Nobody waits for what does not heed the end, such as a credential
		// plugin that waits for the user.
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

// errDeadline says that a cluster used up all of its time.
var errDeadline = fmt.Errorf("the cluster used up its time: %w", context.DeadlineExceeded)

// end says why a cluster cannot be used at all.
func (c *Connection) end(ctx context.Context, end error, deadline time.Duration) error {
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return err
	}
	e := *c.Translate("", end) // others may be looking at the original
	e.Action = ""              // which of the questions failed first says nothing
	if errors.Is(end, errDeadline) {
		e.Why = fmt.Sprintf("%s timed out after %s", c.server(), deadline)
	}
	return &e
}

// Each does the same for every connection, at the same time, and returns the
// results in the order of the connections.
func Each[T any](connections []*Connection, do func(*Connection) T) []T {
	return Parallel(maxClusters, connections, do)
}

// ParallelRequests does what concerns a single cluster for every input, a few at a time,
// and returns the results in the order of the inputs.
func ParallelRequests[I, O any](inputs []I, do func(I) O) []O {
	return Parallel(MaxQuestions, inputs, do)
}

// Parallel is a loop of which so many rounds run at the same time.
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
