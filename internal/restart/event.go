package restart

import "time"

// State is the state of an item in an event.
type State string

// The states of events.
const (
	// StateStarted: the restart of the item starts now.
	StateStarted State = "started"
	// StateProgress: the item is not ready yet; Detail says what it is waiting for. It is
	// reported whenever Detail changes.
	StateProgress State = "progress"
	// StateEnded: the item is finished; Result has the outcome.
	StateEnded State = "ended"
)

// Event reports progress of a run.
type Event struct {
	// Mesh and Cluster identify the plan.
	Mesh, Cluster string
	State         State
	Stage         Stage
	Item          *Item
	// Detail says what the item is waiting for.
	Detail string
	// Result is the result of the item; set for StateEnded.
	Result *Result
}

// Observer receives the events of a run. It is called from several goroutines.
type Observer func(Event)

// Outcome is the outcome of restarting an item.
type Outcome string

// The outcomes.
const (
	// OutcomeRestarted: all its pods are new and ready.
	OutcomeRestarted Outcome = "restarted"
	// OutcomeBegun: the restart was started, and the run does not wait for it.
	OutcomeBegun Outcome = "begun"
	// OutcomeDryRun: the API server would accept the restart.
	OutcomeDryRun Outcome = "accepted"
	// OutcomeFailed: the restart was rejected, or the rollout failed.
	OutcomeFailed Outcome = "failed"
	// OutcomeTimeout: the item was not ready in time; its rollout continues.
	OutcomeTimeout Outcome = "timed out"
	// OutcomeInterrupted: the user stopped waiting; the rollout continues.
	OutcomeInterrupted Outcome = "interrupted"
	// OutcomeNotStarted: an earlier item failed, or the user stopped the run.
	OutcomeNotStarted Outcome = "not started"
)

// Result is the result of an item that the run restarts or waits for.
type Result struct {
	// Item is the item of the plan.
	Item    *Item
	Outcome Outcome
	// Err is the reason for OutcomeFailed and OutcomeTimeout.
	Err error
	// Took is the duration.
	Took time.Duration
}

// Report is the result of running a plan.
type Report struct {
	// Results are the results of the items to restart or to wait for, in the order of the plan.
	Results []Result
}

// Count returns the number of results with the outcome.
func (r *Report) Count(outcome Outcome) int {
	count := 0
	for i := range r.Results {
		if r.Results[i].Outcome == outcome {
			count++
		}
	}
	return count
}

// Done reports whether all items were restarted, or started if the run does not wait.
func (r *Report) Done() bool {
	return r.Count(OutcomeRestarted)+r.Count(OutcomeBegun)+r.Count(OutcomeDryRun) == len(r.Results)
}
