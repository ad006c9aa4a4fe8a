package restart

import "time"

// State says what is going on with an item.
type State string

// The states of events.
const (
	// StateStarted: the item is restarted now.
	StateStarted State = "started"
	// StateProgress: it is not ready yet; Detail says what it waits for. It is
	// reported when that changes.
	StateProgress State = "progress"
	// StateEnded: Result says what came of it.
	StateEnded State = "ended"
)

// Event is a step of a run.
type Event struct {
	// Mesh and Cluster name the plan that is run.
	Mesh, Cluster string
	State         State
	Stage         Stage
	Item          *Item
	// Detail says what is waited for.
	Detail string
	// Result is what came of the item; set for StateEnded.
	Result *Result
}

// Observer is told what happens. It is called from several goroutines.
type Observer func(Event)

// Outcome is what came of an item.
type Outcome string

// The outcomes.
const (
	// OutcomeRestarted: all its pods are new and ready.
	OutcomeRestarted Outcome = "restarted"
	// OutcomeBegun: the restart has begun and is not waited for.
	OutcomeBegun Outcome = "begun"
	// OutcomeDryRun: the API server would accept the restart.
	OutcomeDryRun Outcome = "accepted"
	// OutcomeFailed: it could not be restarted, or its rollout failed.
	OutcomeFailed Outcome = "failed"
	// OutcomeTimeout: it was not ready in time; its rollout goes on.
	OutcomeTimeout Outcome = "timed out"
	// OutcomeInterrupted: the user stopped waiting for it; its rollout goes on.
	OutcomeInterrupted Outcome = "interrupted"
	// OutcomeNotStarted: something before it failed, or the user stopped the run.
	OutcomeNotStarted Outcome = "not started"
)

// Result is what came of an item that is restarted or waited for.
type Result struct {
	// Item is that of the plan.
	Item    *Item
	Outcome Outcome
	// Err says why, for OutcomeFailed and OutcomeTimeout.
	Err error
	// Took is how long it took.
	Took time.Duration
}

// Report is what came of a plan.
type Report struct {
	// Results are those of the items to restart and to wait for, in the order of
	// the plan.
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

// Done reports whether everything that the plan restarts is restarted, or, if
// nothing is waited for, begun.
func (r *Report) Done() bool {
	return r.Count(OutcomeRestarted)+r.Count(OutcomeBegun)+r.Count(OutcomeDryRun) == len(r.Results)
}
