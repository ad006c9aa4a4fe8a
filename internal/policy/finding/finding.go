// Package finding is what meshctl has to say about objects: the catalogue of
// findings with their codes, severities and hints, and how one is made.
package finding

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/world"
)

// Severity says how much a finding matters.
type Severity string

// The severities, worst first.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// rank orders severities, worst first.
func (s Severity) rank() int {
	return slices.Index([]Severity{SeverityError, SeverityWarning, SeverityInfo}, s)
}

// Finding is one thing worth knowing about the world.
type Finding struct {
	Code     Code
	Severity Severity
	// Object is an ObjectID's text, or the place in the input if the object
	// could not be read.
	Object string
	// Message says what is wrong or noteworthy about this object.
	Message string
	// Hint says what to do next.
	Hint string
	// HidesInput says that something is missing from every answer because of
	// what was found.
	HidesInput bool
}

// New returns a finding with the severity and the hint of the catalogue.
func New(code Code, object world.ObjectID, message string) Finding {
	entry := code.Entry()
	return Finding{Code: code, Severity: entry.Severity, Object: object.String(), Message: message, Hint: entry.Hint}
}

// Override replaces severity and hint where they are not empty.
func (f Finding) Override(severity Severity, hint string) Finding {
	f.Severity, f.Hint = cmp.Or(severity, f.Severity), cmp.Or(hint, f.Hint)
	return f
}

// Sort orders findings by severity, code, object and message, and
// drops repetitions.
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
