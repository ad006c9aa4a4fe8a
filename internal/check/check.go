package check

import "github.com/meshctl/meshctl/internal/policy/finding"

// Result is what came of a check.
type Result string

// The results.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Failed  Result = "failed"
	// Skipped says that the check could not be judged; the message says why.
	Skipped Result = "skipped"
)

// Category is a group of checks.
type Category struct {
	// ID is what users type, Title what they read.
	ID, Title string
	Checks    []Check
	// Skip says why none of the checks can be judged; empty if they can.
	Skip func(*Facts) string
}

// Check is one thing to find out, often for many objects.
type Check struct {
	// ID is stable and the anchor in the documentation.
	ID string
	// Description says in a few words what should hold.
	Description string
	// Severity is the result if it does not: Warning or Failed.
	Severity Result
	// Hint is the next step, unless the outcome knows a better one.
	Hint string
	// Judge returns one outcome for everything that the check is about. It asks
	// nobody anything: facts in, outcomes out.
	Judge func(*Facts) []Outcome
}

// Outcome is what a check says about one thing.
type Outcome struct {
	// Cluster and Object are what it is about; empty if that is clear.
	Cluster, Object string
	// Result is left empty if the check does not hold: that is its severity then.
	Result Result
	// Message says what was found, Hint what to do next.
	Message, Hint string
	// Finding is the finding that the outcome stands for, if it does: its code and
	// its documentation take the place of those of the check.
	Finding finding.Code
}

// one returns the outcomes of a check about a single thing.
func one(o Outcome) []Outcome { return []Outcome{o} }

func holds(message string) Outcome { return Outcome{Result: OK, Message: message} }

func skipped(why string) Outcome { return Outcome{Result: Skipped, Message: why} }

func broken(message, hint string) Outcome { return Outcome{Message: message, Hint: hint} }
