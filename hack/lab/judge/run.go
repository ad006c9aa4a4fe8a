package judge

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
)

// Sender sends requests from inside of a mesh.
type Sender interface {
	// Send sends a request n times from a pod of the workload, over a connection of
	// its own each time if fresh. The error is for requests that could not be sent
	// at all, for want of a pod.
	Send(ctx context.Context, from WorkloadRef, request client.Request, n int, fresh bool) ([]client.Outcome, error)
	// SeenBy returns what the echo servers of all clusters saw of an ID.
	SeenBy(ctx context.Context, id string) ([]echo.Seen, error)
	// ResponseFlags returns what the caller's proxy noted about an ID; "" if
	// nothing.
	ResponseFlags(ctx context.Context, from WorkloadRef, id string) (string, error)
}

// Runner asks questions.
type Runner struct {
	Sender   Sender
	Parallel int
	// Known are the disagreements that are expected; see Known.
	Known []Entry
	// Explain returns the objects of Istio and the configuration of proxies for the
	// host of a question. It may be nil, and is only called where there is a
	// disagreement that is not known.
	Explain func(ctx context.Context, q Question) string
	// Settle is how long to wait for copies of mirrors; 3 seconds if 0.
	Settle time.Duration
}

// Run asks all questions, some at the same time.
func Run(ctx context.Context, sender Sender, questions []Question, parallel int) Report {
	runner := Runner{Sender: sender, Parallel: parallel, Known: Known()}
	return runner.Run(ctx, questions)
}

// Run asks all questions.
func (r *Runner) Run(ctx context.Context, questions []Question) Report {
	started := time.Now()
	// Backends count by ID: another run must not have the same ones.
	run := strings.ToLower(rand.Text()[:6])
	results := make([]result, len(questions))
	var workers sync.WaitGroup
	next := make(chan int)
	for range max(r.Parallel, 1) {
		workers.Go(func() {
			for i := range next {
				results[i] = r.ask(ctx, questions[i], run)
			}
		})
	}
	for i := range questions {
		next <- i
	}
	close(next)
	workers.Wait()

	report := Report{Asked: len(questions), Duration: time.Since(started)}
	for i, result := range results {
		report.Unknown += boolInt(questions[i].Expect.Verdict == Unknown)
		report.Again += boolInt(result.again)
		report.Disagreements = append(report.Disagreements, result.disagreements...)
		if result.err != nil {
			report.Errors = append(report.Errors, fmt.Sprintf("%s: %v", questions[i], result.err))
		}
	}
	return report
}

type result struct {
	disagreements []Disagreement
	again         bool
	err           error
}

// ask asks one question. Time on a busy machine is no evidence: what takes too
// long once is asked again.
func (r *Runner) ask(ctx context.Context, q Question, run string) result {
	const attempts = 3
	var last result
	for attempt := range attempts {
		last = r.once(ctx, q, fmt.Sprintf("%s-%s-%d", q.Request.ID, run, attempt))
		last.again = attempt > 0
		if last.err != nil || !aboutTime(q) || len(last.disagreements) == 0 {
			break
		}
	}
	last.again = last.again && len(last.disagreements) == 0
	return last
}

// aboutTime reports whether the outcome depends on how fast the machine is.
func aboutTime(q Question) bool {
	limit := q.Expect.limit()
	return ordersOf(q.Request).delay > 0 || limit > 0 && limit <= time.Second
}

// longestQuestion is more than questions need whose answers are as expected; the rest
// of the requests is not sent then.
const longestQuestion = 3 * time.Minute

func (r *Runner) once(ctx context.Context, q Question, id string) result {
	request := q.Request
	request.ID = id
	sending, cancel := context.WithTimeout(ctx, longestQuestion)
	defer cancel()
	outcomes, err := r.Sender.Send(sending, q.From, request, q.Repeat, q.Fresh)
	if err != nil {
		return result{err: err}
	}
	disagreements, err := r.judge(ctx, q, id, outcomes)
	if err != nil {
		return result{err: err}
	}
	if len(disagreements) == 0 {
		return result{}
	}
	flags, err := r.Sender.ResponseFlags(ctx, q.From, id)
	if err != nil {
		flags = "not known: " + err.Error()
	}
	explained := ""
	for i := range disagreements {
		d := &disagreements[i]
		d.Flags, d.Known = flags, knownBy(r.Known, *d)
		if d.Known == "" && r.Explain != nil {
			if explained == "" {
				explained = r.Explain(ctx, q)
			}
			d.Evidence = explained
		}
	}
	return result{disagreements: disagreements}
}

// judge waits for copies, which arrive after the answer.
func (r *Runner) judge(ctx context.Context, q Question, id string, outcomes []client.Outcome) ([]Disagreement, error) {
	settle := r.Settle
	if settle == 0 {
		settle = 3 * time.Second
	}
	until := time.Now().Add(settle)
	for {
		seen, err := r.Sender.SeenBy(ctx, id)
		if err != nil {
			return nil, err
		}
		disagreements := Judge(q, Observation{Outcomes: outcomes, Seen: seen})
		early := slices.ContainsFunc(disagreements, func(d Disagreement) bool { return d.Aspect == "mirror" || d.Aspect == "attempts" })
		if !early || time.Now().After(until) {
			return disagreements, nil
		}
		select {
		case <-ctx.Done():
			return disagreements, nil
		case <-time.After(settle / 30):
		}
	}
}
