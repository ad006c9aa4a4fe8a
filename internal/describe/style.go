package describe

import (
	"github.com/meshctl/meshctl/internal/policy"
)

// Style says how text for people may look.
type Style struct {
	// Color allows ANSI colours.
	Color bool
}

// The colours of states; bold would hide on some terminals.
const (
	ansiRed    = "\x1b[31m"
	ansiGreen  = "\x1b[32m"
	ansiYellow = "\x1b[33m"
	ansiReset  = "\x1b[0m"
)

func (s Style) paint(color, text string) string {
	if !s.Color {
		return text
	}
	return color + text + ansiReset
}

// state colours a state or verdict.
func (s Style) state(state string) string {
	switch state {
	case "APPLIED", "ACCEPTED", "ALLOWED":
		return s.paint(ansiGreen, state)
	case "PARTIAL", "CONDITIONAL", "PENDING":
		return s.paint(ansiYellow, state)
	case "INVALID", "DENIED", "FAILED":
		return s.paint(ansiRed, state)
	default:
		return state
	}
}

func (s Style) severity(severity policy.Severity) string {
	switch severity {
	case policy.SeverityError:
		return s.paint(ansiRed, string(severity))
	case policy.SeverityWarning:
		return s.paint(ansiYellow, string(severity))
	case policy.SeverityInfo:
	}
	return string(severity)
}
