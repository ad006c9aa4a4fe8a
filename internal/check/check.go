package check

import (
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// Result is the result of a check.
type Result string

// The results.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Failed  Result = "failed"
	// Skipped means that the check does not apply, or that it depends on another one
	// of the report that failed; the message says which.
	Skipped Result = "skipped"
)

// Category is a group of checks.
type Category struct {
	// ID is the name that users type, Title the one in reports.
	ID, Title string
	Checks    []Check
	// Skip returns why all checks of the category are skipped; empty if they are
	// not.
	Skip func(*Facts) string
}

// Check is one condition to verify, often for many objects.
type Check struct {
	// ID is stable and also the anchor in the documentation.
	ID string
	// Description states the expected condition in a few words.
	Description string
	// Severity is the result if the condition does not hold: Warning or Failed.
	Severity Result
	// Hint is the next step, unless the outcome has a better one.
	Hint string
	// Judge returns one outcome per object. It is pure: it only looks at the
	// facts.
	Judge func(*Facts) []Outcome
}

// Outcome is the result of a check for one object.
type Outcome struct {
	// Cluster and Object identify the object; empty if the check already does.
	Cluster, Object string
	// Result is empty if the check does not hold, which means its severity.
	Result Result
	// Message describes the observation, Hint the next step.
	Message, Hint string
	// Unknown says that the check could not be judged, because its input could not be
	// read. That is never in order: the result is the severity of the check.
	Unknown bool
	// Cause is the ID of a check that says why nothing is known. If that failed, this
	// one is skipped; otherwise it is not known.
	Cause string
	// whole says that the same is true of other checks of the category, which then
	// depend on the first one.
	whole bool
	// Finding is set if the outcome represents a finding, whose code and
	// documentation then replace those of the check.
	Finding finding.Code
}

// single returns the outcomes of a check for a single object.
func single(o Outcome) []Outcome { return []Outcome{o} }

func holds(message string) Outcome { return Outcome{Result: OK, Message: message} }

func skipped(why string) Outcome { return Outcome{Result: Skipped, Message: why} }

// unknown returns an outcome for what could not be read.
func unknown(why, hint string) Outcome { return Outcome{Unknown: true, Message: why, Hint: hint} }

// unread is unknown for an error of a cluster.
func unread(e *kube.Error) Outcome { return unknown(e.Message(), e.Hint) }

// dependsOn adds the check whose failure explains an unknown outcome.
func (o Outcome) dependsOn(id string) Outcome {
	o.Cause = id
	return o
}

func broken(message, hint string) Outcome { return Outcome{Message: message, Hint: hint} }
