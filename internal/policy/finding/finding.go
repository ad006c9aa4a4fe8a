// Package finding defines findings about objects, and their catalogue with codes,
// severities and hints.
package finding

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/world"
)

// Severity is the severity of a finding.
type Severity string

// The severities, worst first.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// rank returns the position of a severity in the order of severity, the worst
// first.
func (s Severity) rank() int {
	return slices.Index([]Severity{SeverityError, SeverityWarning, SeverityInfo}, s)
}

// Finding is an observation about one object.
type Finding struct {
	Code     Code
	Severity Severity
	// Object is the text of an ObjectID, or the place in the input of an
	// unreadable object.
	Object string
	// Message describes the issue with this object.
	Message string
	// Constant is the part of the message that stays the same if only the objects that
	// it lists change; "" if that is the whole message.
	Constant string
	// Hint is the next step.
	Hint string
	// HidesInput is true if objects are missing from all results because of the
	// finding.
	HidesInput bool
}

// New returns a finding with severity and hint from the catalogue.
func New(code Code, object world.ObjectID, message string) Finding {
	entry := code.Entry()
	return Finding{Code: code, Severity: entry.Severity, Object: object.String(), Message: message, Hint: entry.Hint}
}

// Override replaces severity and hint, unless the argument is empty.
func (f Finding) Override(severity Severity, hint string) Finding {
	f.Severity, f.Hint = cmp.Or(severity, f.Severity), cmp.Or(hint, f.Hint)
	return f
}

// Listing marks a finding whose message consists of a constant part and a list of
// objects, so that comparisons do not take it for a new one if the list changes.
func (f Finding) Listing(constant string) Finding {
	f.Constant = constant
	return f
}

// Sort sorts findings by severity, code, object and message, and removes
// duplicates.
func Sort(findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Severity.rank(), b.Severity.rank()),
			strings.Compare(string(a.Code), string(b.Code)),
			strings.Compare(a.Object, b.Object),
			strings.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(findings)
}
